"""Random hands on the window: whatever is pressed in whatever order, nothing breaks and nothing is left behind."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from engine.spec import FieldDeclaration, declarations
from gui.window import MainWindow

ACTIONS = 150


def some_value(field: FieldDeclaration, dice: random.Random) -> object:
    """A value of a field: allowed, at an end of its range, or nonsense."""
    if dice.random() < 0.15:
        return dice.choice(["nonsense", None, -1e300, 1e300, math.nan, (), "0", [1, 2, 3], True])
    match field.kind:
        case "choice":
            return dice.choice(field.choices)
        case "choices":
            return tuple(dice.sample(field.choices, dice.randint(0, 5)))
        case "bool":
            return dice.random() < 0.5
        case "text":
            return dice.choice(["x^2+y^2", "1/x", "log(x)*y", "x.real", "", "exp(exp(x))", "abs(x)+max(y,x)"])
        case "point":
            return (dice.uniform(-5, 5), dice.uniform(-5, 5))
        case "sequence":
            return tuple(dice.choice(field.choices) for _ in range(dice.randint(0, field.most)))
        case "numbers":
            return tuple(dice.randint(1, 12) for _ in range(dice.randint(0, field.most)))
        case "points":
            return tuple((k / 4, dice.random()) for k in range(dice.randint(0, 5)))
        case "file":
            return dice.choice(["", "/no/such/file.csv", str(Path(__file__))])
    assert field.low is not None and field.high is not None
    most = field.high if field.kind == "float" or field.high <= 100 else min(field.high, 10.0 * (field.default or 1))
    value = dice.choice([field.low, most, 10 ** dice.uniform(-6, 2), field.default])
    return round(value) if field.kind == "int" and value is not None else value


@pytest.mark.parametrize(("seed", "everywhere"), [(1, False), (2, False), (3, False), (4, True)])
def test_random_hands(qtbot: QtBot, tmp_path: Path, seed: int, everywhere: bool) -> None:
    """On the opening experiment, or `everywhere`: on another one after every twelfth action."""
    dice = random.Random(seed)
    window = MainWindow(QSettings(str(tmp_path / "s.ini"), QSettings.Format.IniFormat))
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: window.page is not None and window.page.run.view is not None, timeout=20_000)
    page = window.page
    assert page is not None
    failed: list[tuple[str, str]] = []
    heard: set[str] = set()
    for number in range(ACTIONS):
        if everywhere and number % 12 == 0:
            page = window.show_experiment(dice.choice(window.experiments).id)
        if page.experiment.id not in heard:
            heard.add(page.experiment.id)
            page.failed.connect(lambda line, details: failed.append((line, details)))
        fields = [d for d in declarations(page.experiment.Spec) if not d.hidden and d.key != page.experiment.steps_key]
        bar = page.transport
        match dice.randrange(16):
            case 0 | 1 | 2 | 3:
                field = dice.choice(fields)
                page.edit(field.key, some_value(field, dice))
            case 4:
                bar.played.emit()
            case 5:
                bar.paused.emit()
            case 6:
                bar.stepped.emit(dice.choice([1, 10, 500]))
            case 7:
                bar.backed.emit(dice.choice([1, 7, 1000]))
            case 8:
                bar.sought.emit(dice.randrange(600))
            case 9:
                dice.choice([bar.branchAsked, bar.pinned, bar.resetAsked, bar.endAsked]).emit()
            case 10:
                page.use_preset(dice.choice(page.presets).name)
            case 11:
                dice.choice([page.go_back, page.go_forth])()
            case 12:
                window.resize(dice.randrange(960, 1600), dice.randrange(640, 1000))
            case 13:
                window.appearance.mode = dice.choice(["light", "dark", "system"])  # type: ignore[assignment]
            case 14:
                page.lesson.figureToggled.emit(dice.random() < 0.5)
            case 15:
                page.run.speed = dice.choice([1.0, 100.0, math.inf])
        for _ in range(dice.choice([0, 1, 5, 20])):  # sometimes the window keeps up, sometimes not
            QApplication.processEvents()
        assert not failed, f"action {number} of seed {seed}: {failed[0][1]}"
    window.close()
