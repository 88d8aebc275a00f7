"""The folder of the machine code follows the sources."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from engine import compile_cache
from engine.compile_cache import ENGINE, KEPT_SIBLINGS, cache_folder, is_shared, source_key, use_cache, user_cache

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    root = tmp_path / "engine"
    (root / "optimizers").mkdir(parents=True)
    (root / "optimizers" / "rules.py").write_bytes(b"def sgd(p, g, lr): return p - lr * g\n")
    (root / "networks").mkdir()
    (root / "networks" / "other.py").write_bytes(b"x = 1\n")
    return root


def test_the_key_changes_with_any_byte_of_what_kernels_share(sources: Path) -> None:
    seen = {source_key(sources)}
    rules = sources / "optimizers" / "rules.py"
    original = rules.read_bytes()
    rules.write_bytes(original.replace(b"-", b"+"))
    seen.add(source_key(sources))
    (sources / "networks" / "new.py").write_bytes(b"")
    seen.add(source_key(sources))
    (sources / "networks" / "new.py").rename(sources / "networks" / "newer.py")
    seen.add(source_key(sources))
    (sources / "networks" / "other.py").write_bytes(b"x = 1\n\n")
    seen.add(source_key(sources))
    assert len(seen) == 5


def test_the_key_is_that_of_the_contents_and_of_nothing_else(sources: Path) -> None:
    key = source_key(sources)
    os.utime(sources / "networks" / "other.py", (1, 1))
    (sources / "notes.txt").write_text("not a source")
    assert source_key(sources) == key
    (sources / "optimizers" / "rules.py").write_bytes(b"x")
    assert source_key(sources) != key


def test_older_folders_go_but_for_the_newest_two(tmp_path: Path) -> None:
    home = tmp_path / "descent-lab"
    keys = [f"{k:020x}" for k in range(5)]
    for age, key in enumerate(keys):
        (home / key).mkdir(parents=True)
        os.utime(home / key, (1000 + age, 1000 + age))
    (home / "not-a-key").mkdir()
    folder = cache_folder(tmp_path, "f" * 20)
    left = {path.name for path in home.iterdir()}
    assert left == {folder.name, "not-a-key", *keys[-KEPT_SIBLINGS:]}


def test_using_an_old_folder_makes_it_new_again(tmp_path: Path) -> None:
    home = tmp_path / "descent-lab"
    for age in range(3):
        (home / f"{age:020x}").mkdir(parents=True)
        os.utime(home / f"{age:020x}", (1000 + age, 1000 + age))
    cache_folder(tmp_path, f"{0:020x}")
    cache_folder(tmp_path, "f" * 20)
    assert {path.name for path in home.iterdir()} == {"f" * 20, f"{0:020x}", f"{2:020x}"}


def test_a_place_that_cannot_be_written_gives_a_private_temporary_one(tmp_path: Path) -> None:
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    one, other = cache_folder(in_the_way, "a" * 20), cache_folder(in_the_way, "a" * 20)
    assert one != other and one.parent == Path(tempfile.gettempdir())
    assert os.name == "nt" or one.stat().st_mode & 0o077 == 0
    for folder in (one, other):
        folder.rmdir()


@pytest.mark.parametrize(
    ("platform", "environ", "wanted"),
    [
        ("linux", {"XDG_CACHE_HOME": "/var/x"}, Path("/var/x")),
        ("linux", {"XDG_CACHE_HOME": "relative"}, Path.home() / ".cache"),
        ("linux", {}, Path.home() / ".cache"),
        ("darwin", {"XDG_CACHE_HOME": "/var/x"}, Path.home() / "Library" / "Caches"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local")),
    ],
)
@pytest.mark.skipif(os.name == "nt", reason="the paths are written for POSIX")
def test_the_place_follows_the_platform(platform: str, environ: dict[str, str], wanted: Path) -> None:
    assert user_cache(environ, platform) == wanted


SCRIPT = """
import os, sys
if {early}:
    import numba
from engine.compile_cache import use_cache
from engine.optimizers import update_address
assert {early} == ("numba" in sys.modules)
first = use_cache()
assert first == use_cache()
update_address("sgd", "pytorch")
import numba
assert numba.config.CACHE_DIR == str(first) == os.environ["NUMBA_CACHE_DIR"]
assert numba.core.config.CACHE_DIR == str(first)
print(first, sum(path.suffix == ".nbc" for path in first.rglob("*")))
"""


@pytest.mark.parametrize("early", [False, True], ids=["before Numba", "after Numba"])
def test_kernels_are_kept_in_the_folder_of_these_sources(early: bool, tmp_path: Path) -> None:
    place = {"XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path), "HOME": str(tmp_path)}
    environ = {**os.environ, **place, "NUMBA_CACHE_DIR": str(tmp_path / "elsewhere")}
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(early=early)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    folder, kernels = run.stdout.split()
    assert Path(folder).parent.name == "descent-lab" and tmp_path in Path(folder).parents
    assert Path(folder).name == source_key() and int(kernels) == 1
    assert not (tmp_path / "elsewhere").exists()


def test_the_sources_are_read_once_in_a_process(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = use_cache()

    def fail(*_: object) -> str:
        raise AssertionError("read again")

    monkeypatch.setattr(compile_cache, "source_key", fail)
    assert use_cache() == folder


def jitted(path: Path) -> tuple[set[str], dict[str, str]]:
    """The names that a file's compiled functions use, and of its imports from the engine: name -> file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    used, imported = set[str](), dict[str, str]()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and any("jit" in ast.unparse(d) for d in node.decorator_list):
            used |= {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
        if isinstance(node, ast.ImportFrom) and node.module and not node.level and node.module.startswith("engine."):
            file = node.module.removeprefix("engine.").replace(".", "/") + ".py"
            imported |= {alias.asname or alias.name: file for alias in node.names}
    return used, imported


def test_what_compiled_functions_use_from_other_files_is_in_the_key() -> None:
    found = 0
    for path in ENGINE.rglob("*.py"):
        used, imported = jitted(path)
        for name in used & set(imported):
            found += 1
            assert is_shared(imported[name]), f"{path}: {name} of {imported[name]}"
    assert found > 10


def test_an_edited_experiment_keeps_the_kernels(tmp_path: Path) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "formula").mkdir()
    (tmp_path / "formula" / "call.py").write_text("a = 1")
    key = source_key(tmp_path)
    (tmp_path / "experiments" / "one.py").write_text("b = 2")
    assert source_key(tmp_path) == key
    (tmp_path / "formula" / "call.py").write_text("a = 2")
    assert source_key(tmp_path) != key
