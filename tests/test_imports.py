"""Who may import whom, read from the syntax trees; and what the important ways in really load."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
QT = ("PySide6", "shiboken6", "pyqtgraph", "superqt", "qtawesome", "qtpy")
# Everything in engine but these is a part: it knows neither session nor experiment.
NOT_PARTS = ("experiment", "experiments", "session", "setup", "spec")
# These may hold a live session and look up experiments; all others see a session's frozen reports at most.
DRIVE = ("gui.window", "gui.contents", "gui.documents", "gui.page", "gui.pump", "gui.pictures")
# These are handed all they show and do not know that there are sessions.
PLAIN = ("gui.plots", "gui.form", "gui.transport", "gui.theme", "gui.tokens", "gui.palette", "gui.fonts")
LOOKS = ("gui.layouts", "gui.theme", "gui.tokens", "gui.palette", "gui.fonts")
TURNS = "gui.turns"  # a timer of Qt's, made fair: it knows nothing of the house
# One experiment or view by name, as against the folder that finds them.
NAMED = re.compile(r"(engine\.experiments|gui\.views)\.(networks|landscapes|schedules|regularization|dynamics)\b")
WARMED = ("engine.optimizers", "engine.networks.warm", "engine.experiments")  # built once, at set-up
LIVE = ("engine.session.Session", "engine.session.session.Session", "engine.experiments")


def modules(folder: str) -> dict[str, Path]:
    """Dotted name -> file of every module below a folder of the project."""
    found = {}
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(name: str, path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it, as `package.module` or `package.module.thing`."""
    package = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            yield from (str(argument.value) for argument in node.args if isinstance(argument, ast.Constant))


def below(name: str, *packages: str) -> bool:
    """Whether `name` is one of `packages` or something inside one."""
    return any(name == package or name.startswith(package + ".") for package in packages)


def is_part(module: str) -> bool:
    """Whether an engine module is a part: computes, and knows neither session nor experiment."""
    return module.count(".") >= 1 and module.split(".")[1] not in NOT_PARTS


def forbidden(module: str, target: str) -> str | None:
    """Why `module` may not import `target`, or None if it may."""
    if below(target, "main", "tests") and not below(module, "tests"):
        return "nobody imports the door or the tests"
    if below(module, "engine"):
        if below(target, "gui", *QT):
            return "engine knows no window"
        if is_part(module) and below(target, "engine.session", "engine.experiment", "engine.experiments"):
            return "parts know neither session nor experiment"
        about_experiments = below(module, "engine.experiments", "engine.experiment", "engine.spec")
        if about_experiments and below(target, "engine.session"):
            return "an experiment is handed to a session and knows none"
        if below(module, "engine.session") and NAMED.match(target):
            return "a session is handed its experiment and imports none by name"
        if below(module, "engine.setup"):
            package = target.partition(".")[0]
            known = package in sys.stdlib_module_names or below(target, "engine.setup")
            # warm runs in the finished environment; it imports these when it is called.
            late = module == "engine.setup.warm" and target in WARMED
            if not known and not late:
                return "set-up runs on a bare Python"
            return None
        if below(target, "engine.setup"):
            return "set-up is the door's"
    if below(module, "gui"):
        if below(target, *LIVE) and not below(module, *DRIVE):
            return "only window, page, pump and pictures drive a session"
        if below(target, "engine.session") and below(module, *PLAIN):
            return "it is handed what it shows"
        if below(module, TURNS) and below(target, "gui", "engine"):
            return "it knows nothing of the house"
        if below(module, "gui.plots"):
            if below(target, "engine.experiment", "engine.spec"):
                return "plots take arrays and know no experiment"
            if below(target, "gui") and not below(target, "gui.plots", TURNS, *LOOKS):
                return "plots know only each other, how things look and whose turn it is"
        if below(target, "gui.window"):
            return "the window is on top"
        above = ("gui.window", "gui.actions", "gui.documents", "gui.page", "gui.dialogs")
        if below(target, "gui.page") and not below(module, *above):
            return "pages are for the window, its actions, documents and dialogs"
        if NAMED.match(target) and not below(module, "gui.views"):
            return "experiments and views are found by their place, not named"
    return None


@pytest.mark.parametrize("folder", ["engine", "gui"])
def test_imports_go_one_way(folder: str) -> None:
    wrong = [
        f"{module} imports {target}: {reason}"
        for module, path in modules(folder).items()
        for target in imports(module, path)
        if (reason := forbidden(module, target))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("module", "target", "allowed"),
    [
        ("engine.optimizers.rules", "PySide6.QtCore", False),
        ("engine.optimizers.rules", "numpy", True),
        ("engine.optimizers.rules", "engine.session.session", False),
        ("engine.formula", "engine.experiment", False),
        ("engine.session.session", "gui.window", False),
        ("engine.session.session", "engine.experiments.landscapes.descent", False),
        ("engine.session.commands", "engine.experiments.everything", True),
        ("engine.experiments.landscapes.descent", "engine.session.history", False),
        ("engine.experiments.landscapes.descent", "engine.optimizers", True),
        ("engine.setup.install", "numpy", False),
        ("engine.setup.install", "json", True),
        ("gui.plots.curves", "engine.session", False),
        ("gui.plots.curves", "engine.experiment.Plot", False),
        ("gui.plots.curves", "gui.theme", True),
        ("gui.plots.curves", "gui.page", False),
        ("gui.views.landscapes.descent", "engine.session.session.Session", False),
        ("gui.views.landscapes.descent", "engine.session.branches.SessionView", True),
        ("gui.pump", "engine.session.session.Session", True),
        ("gui.lesson", "engine.experiments.load", False),
        ("gui.form", "engine.session.branches.SessionView", False),
        ("gui.views.landscapes.descent", "gui.plots.field", True),
        ("gui.page", "engine.session", True),
        ("gui.page", "gui.views.landscapes.descent", False),
        ("gui.page", "gui.views.view_for", True),
        ("gui.page", "gui.window", False),
    ],
)
def test_the_rules_know_right_from_wrong(module: str, target: str, allowed: bool) -> None:
    assert (forbidden(module, target) is None) == allowed


def test_relative_imports_are_seen(tmp_path: Path) -> None:
    file = tmp_path / "rules.py"
    file.write_text("from . import rule\nfrom ..session import history\ndef f():\n    import gui.window\n")
    assert list(imports("engine.optimizers.rules", file)) == [
        "engine.optimizers.rule",
        "engine.session.history",
        "gui.window",
    ]


def python(code: str) -> str:
    """What a fresh interpreter prints for `code`, started in the project's folder."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ},
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def loaded_by(names: list[str], watched: tuple[str, ...]) -> str:
    """Which of the `watched` packages are loaded once a fresh interpreter has imported `names`."""
    return python(
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        f"print(*sorted({set(watched)!r} & set(sys.modules)))"
    )


def test_engine_loads_no_qt() -> None:
    names = [name for name in modules("engine") if not name.endswith("__main__")]
    assert loaded_by(names, QT) == ""


def test_the_way_to_the_window_loads_no_torch() -> None:
    if not (ROOT / "gui" / "window.py").exists():
        pytest.skip("gui/window.py does not exist yet")
    assert loaded_by(["gui.window", "engine.experiments.landscapes.descent"], ("torch",)) == ""


def test_set_up_loads_nothing_but_the_standard_library() -> None:
    names = [name for name in modules("engine.setup".replace(".", "/")) if not name.endswith("__main__")]
    code = (
        "import importlib, sys\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "print(*sorted({n.partition('.')[0] for n in sys.modules} - sys.stdlib_module_names - {'engine'}))"
    )
    # -S leaves site-packages out: what is imported from there would raise.
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.stdout.replace("__main__", "").strip(), done.stderr) == ("", "")
