"""First-run set-up, piece by piece, without a network. In real processes: test_first_run.py."""

from __future__ import annotations

import importlib.util
import io
import sys
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from engine.setup import install, requirements, stamp, start, system
from engine.setup.lock import only_one
from engine.setup.pip import Listener, command
from engine.setup.screen import Screen, elapsed_text
from engine.setup.sweep import sweep

ROOT = Path(__file__).resolve().parents[1]
VERSIONS = ("2.10", "2.11", "2.11.0", "2.13.0+cpu", "2.14", "2.14.1", "3", "10.0")
SPECIFIERS = ("", ">=2.11,<2.14", ">2.11", "<=2.14", "==2.11", "!=2.14", ">=2.11.0, <10")


@pytest.mark.parametrize("specifier", SPECIFIERS)
def test_versions_are_judged_as_pip_judges_them(specifier: str) -> None:
    for version in VERSIONS:
        expected = SpecifierSet(specifier).contains(Version(version))
        assert requirements.satisfies(version, specifier) == expected, version


def test_an_unknown_clause_is_refused_rather_than_ignored() -> None:
    with pytest.raises(ValueError, match="~=2"):
        requirements.satisfies("2.1", "~=2.0")


def test_the_projects_own_lists_can_be_read() -> None:
    groups = requirements.read_groups(ROOT)
    assert {"app", "test", "dev"} <= set(groups)
    for line in (*groups["app"], *groups["test"], *groups["dev"]):
        requirements.unmet([line])
    assert "torch>=2.11,<2.14" in groups["app"]


@pytest.mark.parametrize(
    ("lists", "first"),
    [
        ((), None),
        (("numpy", "pytest>=7"), None),
        (("NumPy>=1", "py_test>=1"), "py_test>=1"),
        (("numpy<1",), "numpy<1"),
        (("no-such-thing-at-all",), "no-such-thing-at-all"),
    ],
)
def test_unmet_names_the_first_that_is_missing(lists: tuple[str, ...], first: str | None) -> None:
    assert requirements.unmet(lists) == first


def test_the_fingerprint_follows_the_list_and_not_its_order() -> None:
    one = requirements.fingerprint(["a>=1", "b"])
    assert one == requirements.fingerprint(["b", "a>=1"])
    assert one != requirements.fingerprint(["a>=2", "b"])


def test_a_stamp_comes_back_as_written(tmp_path: Path) -> None:
    mark = stamp.Stamp("3.11", str(tmp_path), {"app": "k1", "test": "k2"})
    stamp.write(tmp_path, mark)
    assert stamp.read(tmp_path) == mark
    assert mark.covers(tmp_path, {"app": "k1"})
    assert not mark.covers(tmp_path, {"app": "other"})
    assert not mark.covers(tmp_path, {"dev": "k1"})
    assert not mark.covers(tmp_path / "moved", {"app": "k1"})
    (tmp_path / f"{stamp.NAME}.123").write_text("half")
    stamp.remove(tmp_path)
    assert stamp.read(tmp_path) is None and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"python": "3.11"}', '{"python": 1, "place": 2, "groups": 3}'])
def test_a_damaged_stamp_is_no_stamp(tmp_path: Path, text: str) -> None:
    (tmp_path / stamp.NAME).write_text(text)
    assert stamp.read(tmp_path) is None


def distribution(folder: Path, name: str, *, installer: bool = True, size: int = 5, record: bool = True) -> Path:
    """A distribution as pip leaves it: one module of five bytes and its metadata."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (folder / f"{name}.py").write_text("x = 1")
    (info / "METADATA").write_text(f"Name: {name}\nVersion: 1.0\n")
    rows = [f"{name}.py,sha256=abc,{size}", f"{info.name}/METADATA,,", f"{info.name}/RECORD,,", "gone.pyc,,"]
    if installer:
        (info / "INSTALLER").write_text("pip")
        rows.append(f"{info.name}/INSTALLER,,")
    if record:
        (info / "RECORD").write_text("\n".join(rows))
    return info


def test_sweep_removes_what_a_killed_pip_left_and_nothing_else(tmp_path: Path) -> None:
    distribution(tmp_path, "whole")
    distribution(tmp_path, "no_record", record=False)
    distribution(tmp_path, "record_of_the_wheel", installer=False)
    distribution(tmp_path, "truncated", size=6)
    distribution(tmp_path, "missing")
    (tmp_path / "missing.py").unlink()
    (tmp_path / "~hole").mkdir()
    assert sorted(sweep(tmp_path)) == [
        "missing-1.0.dist-info",
        "no_record-1.0.dist-info",
        "record_of_the_wheel-1.0.dist-info",
        "truncated-1.0.dist-info",
        "~hole",
    ]
    assert sweep(tmp_path) == []
    assert (tmp_path / "whole-1.0.dist-info").is_dir() and (tmp_path / "no_record.py").is_file()


@pytest.mark.parametrize(
    ("environ", "missing", "says"),
    [
        ({"DISPLAY": ":0"}, (), None),
        (
            {"DISPLAY": ":0"},
            ("libxcb-cursor.so.0", "libxkbcommon-x11.so.0"),
            "sudo apt-get install libxcb-cursor0 libxkbcommon-x11-0",
        ),
        ({"DISPLAY": ":0"}, ("libwayland-cursor.so.0",), None),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ("libwayland-cursor.so.0",), "apt-get install libwayland-cursor0"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, ("libxcb-cursor.so.0",), None),
        ({"QT_QPA_PLATFORM": "offscreen"}, ("libxcb-cursor.so.0",), None),
        ({"QT_QPA_PLATFORM": "offscreen"}, ("libEGL.so.1",), "Drawing pictures needs system libraries"),
        ({"QT_QPA_PLATFORM": "xcb:foo;wayland"}, ("libxcb-xkb.so.1",), "install libxcb-xkb1"),
        (
            {"DISPLAY": ":0"},
            ("libglib-2.0.so.0", "libgthread-2.0.so.0"),
            "libglib-2.0.so.0, libgthread-2.0.so.0. Install: sudo apt-get install libglib2.0-0",
        ),
        ({}, (), "No display"),
    ],
)
def test_a_missing_library_is_named_with_its_package(
    environ: dict[str, str], missing: tuple[str, ...], says: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(system.shutil, "which", lambda name: f"/usr/bin/{name}")
    line = system.qt_trouble(environ, lambda soname: soname not in missing)
    if says is None:
        assert line is None
    else:
        assert line is not None and says in line and "\n" not in line


def test_every_library_that_the_handbook_names_is_looked_for() -> None:
    named = "libxcb-cursor0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcb-xkb1 libxkbcommon-x11-0 "
    named += "libgl1 libegl1 libfontconfig1 libxkbcommon0 libdbus-1-3 libglib2.0-0"
    assert set(named.split()) <= set(system.packages())


def test_without_apt_the_packages_are_still_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system.shutil, "which", lambda name: None)
    line = system.missing_line("The window", system.XCB, lambda soname: soname != "libxcb-xkb.so.1")
    assert line is not None and "libxcb-xkb1" in line and "apt-get" not in line


def test_a_real_library_loads_and_an_invented_one_does_not() -> None:
    assert not system.loads("libno-such-library.so.7")
    if sys.platform.startswith("linux"):
        assert system.loads("libc.so.6")


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        ("Collecting torch<2.14,>=2.11 (from -r x)", "looking for torch"),
        ("  Downloading torch-2.13.0-cp311-none-any.whl (180.4 MB)", "fetching torch-2.13.0 (180.4 MB)"),
        ("  Downloading torch-2.13.0-cp311.whl.metadata (1 kB)", "fetching torch-2.13.0 (1 kB)"),
        ("  Using cached numpy-2.4.6-cp311.whl (16 MB)", "fetching numpy-2.4.6 (16 MB)"),
        ("Progress 50 of 200", "fetching numpy-2.4.6 (16 MB), 25 %"),
        ("Progress 50 of 0", "fetching numpy-2.4.6 (16 MB)"),
        ("Installing collected packages: a, b, c", "unpacking 3 packages"),
        ("WARNING: Retrying (Retry(total=4)) after connection broken", "no connection, trying again"),
        ("anything else", "fetching numpy-2.4.6 (16 MB)"),
    ],
)
def test_pips_words_become_one_short_line(line: str, detail: str) -> None:
    listener = Listener()
    listener.hear("  Using cached numpy-2.4.6-cp311.whl (16 MB)")
    listener.hear(line)
    assert listener.detail == detail


def test_a_failure_tells_pips_last_error_and_the_likely_cause(tmp_path: Path) -> None:
    listener = Listener()
    for line in (
        "WARNING: Retrying (x)",
        "ERROR: Could not find a version",
        "ERROR: No matching distribution",
    ):
        listener.hear(line)
    first, second = listener.failure(1, tmp_path / "setup.log").splitlines()
    assert first.endswith("No matching distribution") and "no connection" in second and "setup.log" in second
    assert "exit status 2" in Listener().failure(2, tmp_path)


@pytest.mark.parametrize(("version", "bar"), [((23, 2, 1), "off"), ((24, 1), "raw"), ((26,), "raw")])
def test_pip_shows_raw_progress_where_it_can(version: tuple[int, ...], bar: str) -> None:
    words = command(Path("python"), version, ["numpy>=2"])
    assert words[words.index("--progress-bar") + 1] == bar and words[-1] == "numpy>=2"


class Clock:
    """A clock that goes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def test_in_a_log_a_stage_is_a_few_lines() -> None:
    clock, out = Clock(), io.StringIO()
    screen = Screen(out, clock, quiet=10)
    screen.begin("Installing")
    for clock.now in range(0, 26):  # type: ignore[assignment]
        screen.tick("fetching torch")
    clock.now = 65
    screen.end()
    assert out.getvalue().splitlines() == [
        "Installing ...",
        "  10 s  fetching torch",
        "  20 s  fetching torch",
        "Installing: done (1 min 05 s)",
    ]


def test_on_a_terminal_a_stage_is_one_line_within_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    out = Terminal()
    screen = Screen(out, Clock())
    screen.begin("Installing")
    screen.tick("fetching " + "x" * 100)
    screen.end()
    assert out.getvalue().count("\n") == 1
    assert all(len(line) < 40 for line in out.getvalue().replace("\n", "").split("\r\x1b[K"))


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0 s"), (59.9, "59 s"), (60, "1 min 00 s"), (125, "2 min 05 s")])
def test_elapsed_time_is_told_in_words(seconds: float, text: str) -> None:
    assert elapsed_text(seconds) == text


def test_the_lock_keeps_a_second_one_waiting(tmp_path: Path) -> None:
    path = tmp_path / "lock"

    class WaitedEnough(Exception):
        pass

    def waiting() -> None:
        raise WaitedEnough

    with only_one(path, waiting), pytest.raises(WaitedEnough), only_one(path, waiting):
        pass
    with only_one(path, waiting) as descriptor:
        assert descriptor > 0


def test_a_python_without_ensurepip_gets_the_line_that_helps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["no-such-thing"]\n')
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ensurepip" else found(name))
    monkeypatch.setattr(install.shutil, "which", lambda name: f"/usr/bin/{name}")
    with pytest.raises(install.SetupError, match=rf"apt-get install python3\.{sys.version_info.minor}-venv"):
        install.install(tmp_path, ("app",), Screen(io.StringIO()))
    assert not (tmp_path / ".venv").exists()


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / ".venv.lock").mkdir()
    with pytest.raises(install.SetupError, match="cannot write to"):
        install.install(tmp_path, ("app",), Screen(io.StringIO()))


def test_a_wished_group_is_no_reason_to_install_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = '[project]\nname = "x"\nversion = "1"\ndependencies = ["pytest"]\n[project.optional-dependencies]\n'
    (tmp_path / "pyproject.toml").write_text(lists + 'rare = ["descent-lab-no-such-package"]\n')
    asked: list[tuple[str, ...]] = []
    monkeypatch.setattr(start, "_install", lambda root, groups: asked.append(groups))
    monkeypatch.setattr(start, "go_on", lambda *_: None)
    start.ensure(tmp_path / "main.py", [], wished=("rare",))
    assert asked == []
    start.ensure(tmp_path / "main.py", [], ("rare",))
    assert asked == [("app", "rare")]
