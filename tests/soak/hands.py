"""Random hands on a window, the same for the short form in the suite and for the long one.

Each action is drawn from (seed, its number) alone, so that a seed replays whatever the machine was busy with.
"""

from __future__ import annotations

import gc
import math
import os
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, QEventLoop, QPoint, QPointF, QSettings, Qt, QTimer
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QGraphicsView, QWidget

from engine.session.files import SUFFIX
from engine.spec import FieldDeclaration, declarations
from gui.dialogs import CodeDialog, DiagnosticsDialog, ExportDialog, ResultsDialog, ShortcutsDialog
from gui.page import Page
from gui.plots.board import Board
from gui.window import MainWindow

SEED = os.environ.get("DESCENT_SEED", "")
DIALOGS = (CodeDialog, DiagnosticsDialog, ExportDialog, ResultsDialog, ShortcutsDialog)
NO_SCREEN = "This plugin does not support propagateSizeHints"  # what the offscreen platform says of a dialog
SUFFIXES = (".png", ".svg", ".pdf", ".csv", ".npz", ".gif")
KEYS = [getattr(Qt.Key, f"Key_{k}") for k in ("Space", "Left", "Right", "Home", "End", "B", "P", "Tab", "Up", "Escape")]
FORMULAS = ("x^2+y^2", "1/x", "log(x)*y", "x.real", "", "exp(exp(x))", "abs(x)+max(y,x)", "sin(9*x)/x", "0*x", "x^64")
NONSENSE = ("nonsense", None, -1e300, 1e300, math.nan, (), "0", [1, 2, 3], True, "\ud800", 10**400)
PATIENCE = 60.0  # seconds for the first page; kernels may be built
FILES = ("", "/no/such/file.csv", str(Path(__file__)))


def seed_in_hand(otherwise: int) -> int:
    """The seed that was asked for by DESCENT_SEED, or another one."""
    return int(SEED) if SEED else otherwise


def some_value(field: FieldDeclaration, dice: random.Random, files: Sequence[str] = FILES) -> object:
    """A value of a field: allowed, at an end of its range, or nonsense."""
    if dice.random() < 0.15:
        return dice.choice(NONSENSE)
    match field.kind:
        case "choice":
            return dice.choice(field.choices)
        case "choices":
            return tuple(dice.sample(field.choices, dice.randint(0, min(5, len(field.choices)))))
        case "bool":
            return dice.random() < 0.5
        case "text":
            return dice.choice(FORMULAS)
        case "point":
            return (dice.uniform(-5, 5), dice.uniform(-5, 5))
        case "sequence":
            return tuple(dice.choice(field.choices) for _ in range(dice.randint(0, field.most)))
        case "numbers":
            return tuple(dice.randint(1, 12) for _ in range(dice.randint(0, field.most)))
        case "points":
            return tuple((k / 4, dice.random()) for k in range(dice.randint(0, 5)))
        case "file":
            return dice.choice(files)
    assert field.low is not None and field.high is not None
    most = field.high if field.kind == "float" or field.high <= 100 else min(field.high, 10.0 * (field.default or 1))
    value = dice.choice([field.low, most, 10 ** dice.uniform(-6, 2), field.default])
    return round(value) if field.kind == "int" and value is not None else value


class Hands:
    """Random hands on a window whose settings are in `folder`.

    `ids`: the experiments they open (empty: they stay on the first); `patch` replaces what would wait for a person.
    `told` are errors that reached the error dialog. `act(number)` does one action and says what it was.
    """

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch, seed: int, ids: Sequence[str] = ()) -> None:
        self.folder, self.seed, self.ids = folder, seed, tuple(ids)
        self.told: list[tuple[str, str]] = []
        self.dice = random.Random(seed)
        self.window = self.opened()
        for dialog in DIALOGS:
            patch.setattr(dialog, "exec", lambda shown: self._with_dialog(shown))

    # -- the window --------------------------------------------------------------------------------------------------

    def opened(self) -> MainWindow:
        """A window as the next start would open it, with its first page there."""
        return opened_window(QSettings(str(self.folder / "settings.ini"), QSettings.Format.IniFormat), self._tell)

    def _tell(self, line: str, details: str) -> None:
        self.told.append((line, details))

    @property
    def page(self) -> Page:
        """The page in hand."""
        assert self.window.page is not None
        return self.window.page

    def close(self) -> None:
        """Close the window for good."""
        window = self.window
        del self.window  # or its pages keep their runs
        shut(window)

    # -- one action --------------------------------------------------------------------------------------------------

    def _table(self) -> list[tuple[int, Callable[[], str]]]:
        everywhere = [(8, self._open_experiment), (2, self._tab)] if self.ids else []
        return [
            (20, self._edit), (6, self._play), (4, self._pause), (5, self._step), (5, self._back), (4, self._seek),
            (4, self._transport), (2, self._switch), (5, self._preset), (5, self._undo), (4, self._resize),
            (2, self._theme), (1, self._presentation), (3, self._lesson), (4, self._speed), (8, self._mouse),
            (4, self._key), (3, self._save), (4, self._open), (2, self._arrange), (3, self._dialog),
            (1, self._keep), *everywhere,
        ]  # fmt: skip

    def act(self, number: int) -> str:
        """Do the action of this number; returns what was done."""
        self.dice = random.Random(f"{self.seed}/{number}")
        actions = self._table()
        (chosen,) = self.dice.choices([action for _, action in actions], [weight for weight, _ in actions])
        done = f"{number}: {self.page.experiment.id}: {chosen.__name__.strip('_')} "
        return done + chosen()

    def pause(self) -> int:
        """How many milliseconds the event loop lives after the action in hand."""
        return self.dice.choice((0, 0, 2, 10, 40))

    def fine(self, after: str) -> None:
        """Nothing went wrong so far that a reader would see, nor what the log would tell."""
        assert not self.told, f"{after}: {self.told[0][0]}\n{self.told[0][1]}"
        logged = [line for line in self.window.journal.records if NO_SCREEN not in line]
        assert not logged, f"{after}: {logged[0]}"
        words = self.page.notice.label.text()
        assert "\n" not in words and "Traceback" not in words and len(words) < 700, f"{after}: {words}"

    # -- actions -----------------------------------------------------------------------------------------------------

    def _edit(self) -> str:
        page = self.page
        fields = [d for d in declarations(page.experiment.Spec) if not d.hidden and d.key != page.experiment.steps_key]
        field = self.dice.choice(fields)
        value = some_value(field, self.dice, (*FILES, str(self.folder / "table.csv")))
        page.edit(field.key, value)
        return f"{field.key} = {value!a:.60}"

    def _play(self) -> str:
        self.page.transport.played.emit()
        return ""

    def _pause(self) -> str:
        self.page.transport.paused.emit()
        return ""

    def _step(self) -> str:
        n = self.dice.choice((1, 10, 500))
        self.page.transport.stepped.emit(n)
        return str(n)

    def _back(self) -> str:
        n = self.dice.choice((1, 7, 1000))
        self.page.transport.backed.emit(n)
        return str(n)

    def _seek(self) -> str:
        step = self.dice.randrange(600)
        self.page.transport.sought.emit(step)
        return str(step)

    def _transport(self) -> str:
        bar = self.page.transport
        name = self.dice.choice(("branchAsked", "pinned", "resetAsked", "endAsked", "codeAsked"))
        getattr(bar, name).emit()
        return name

    def _switch(self) -> str:
        index, view = self.dice.randrange(12), self.page.run.view
        if view is not None:
            self.page.transport.branchChosen.emit(index % len(view.branches))
        return str(index)

    def _preset(self) -> str:
        name = self.dice.choice(self.page.presets).name
        self.page.use_preset(name)
        return name

    def _undo(self) -> str:
        forth = self.dice.random() < 0.4
        (self.window.commands.redo if forth else self.window.commands.undo)()
        return "forth" if forth else "back"

    def _resize(self) -> str:
        width, height = self.dice.randrange(960, 1600), self.dice.randrange(640, 1000)
        self.window.resize(width, height)
        return f"{width} x {height}"

    def _theme(self) -> str:
        mode = self.dice.choice(("light", "dark", "system"))
        self.window.appearance.mode = mode  # type: ignore[assignment]
        return mode

    def _presentation(self) -> str:
        self.window.looks.presentation.toggle()
        return ""

    def _lesson(self) -> str:
        lesson, page, word = self.page.lesson, self.page, self.dice.choice(("figure", "series", "question", "answer"))
        pick = self.dice.randrange(100)
        if word == "figure":
            lesson.figureToggled.emit(pick < 50)
        elif word == "series" and page.run.view is not None and page.run.view.series:
            lesson.seriesChosen.emit(page.run.view.series[pick % len(page.run.view.series)])
        elif word == "question":
            lesson.nextQuestionAsked.emit()
        elif page.questions.current is not None:
            choices = page.questions.current.choices
            lesson.predicted.emit(page.questions.current, choices[pick % len(choices)])
        return word

    def _speed(self) -> str:
        speed = self.dice.choice((1.0, 60.0, 3000.0, math.inf))
        self.page.transport.speedChanged.emit(speed)
        return str(speed)

    def _key(self) -> str:
        key = self.dice.choice(KEYS)
        QTest.keyClick(self.page, key)
        return key.name

    def _arrange(self) -> str:
        """Make another plot the large one, or put it in another's place."""
        panel, one, other = self.page.view.panel, self.dice.randrange(20), self.dice.randrange(20)
        if len(panel.plots) > 1:
            panel.exchange(panel.plots[one % len(panel.plots)], panel.plots[other % len(panel.plots)])
        return f"{one} {other}"

    def _mouse(self) -> str:
        """Press, drag, turn the wheel somewhere on a picture."""
        found = [
            w.viewport() if isinstance(w, QGraphicsView) else w
            for w in (*self.page.view.findChildren(QGraphicsView), *self.page.view.findChildren(Board))
            if w.isVisible()
        ]
        pick, word = self.dice.randrange(1000), self.dice.choice(("click", "drag", "wheel", "double", "hover"))
        places = [(self.dice.random(), self.dice.random()) for _ in range(4)]
        if found:
            widget = found[pick % len(found)]
            at = [QPoint(round(x * widget.width()), round(y * widget.height())) for x, y in places]
            _gesture(widget, word, at)
        return f"{word} on {pick}"

    def _open_experiment(self) -> str:
        id = self.dice.choice(self.ids)
        self.window.show_experiment(id)
        return id

    def _tab(self) -> str:
        index, row = self.dice.randrange(self.window.tabs.count()), self.dice.randrange(6)
        if any(id.startswith(f"{self.window.contents.names[index]}.") for id in self.ids):
            self.window.tabs.setCurrentIndex(index)
            QApplication.processEvents()  # two presses are two events
            wanted = [e.id for e in self.window.experiments if e.id.startswith(f"{self.window.contents.names[index]}.")]
            if row < len(wanted) and wanted[row] in self.ids:
                self.window.list.setCurrentRow(row)
        return f"{index} {row}"

    # -- files and dialogs -------------------------------------------------------------------------------------------

    def _save(self) -> str:
        name = f"{self.dice.randrange(6)}{SUFFIX}"
        self.window.save_path(self.folder / name)
        return name

    def _open(self) -> str:
        name, how, where = f"{self.dice.randrange(6)}{SUFFIX}", self.dice.randrange(4), self.dice.random()
        path = self.folder / name
        if how < 2 and path.is_file():  # as it is, or broken
            if how == 1:
                content = path.read_bytes()
                at = int(where * len(content))
                path = self.folder / f"broken{SUFFIX}"
                path.write_bytes(content[:at] + (b"" if where < 0.5 else b"\xff" + content[at + 1 :]))
            if path.stem != "broken" and not self._may_open(path):
                return f"{name} is of another experiment"
            self.window.open_path(path)
        elif how == 2:
            self.window.open_path(self.folder / "none")
        return f"{name} {how}"

    def _may_open(self, path: Path) -> bool:
        return bool(self.ids) or self.page.experiment.id in path.read_text()

    def _keep(self) -> str:
        self.window.documents._keep_soon()  # as its timer does
        return ""

    def _dialog(self) -> str:
        name = self.dice.choice(("results", "code", "export", "export", "help", "diagnostics"))
        getattr(self.window.commands, name)()
        return name

    def _with_dialog(self, shown: QDialog) -> int:
        """In place of a dialog's exec: use it a little and close it."""
        shown.open()
        QApplication.processEvents()
        if isinstance(shown, ExportDialog):
            self._export(shown)
        elif isinstance(shown, CodeDialog | DiagnosticsDialog):
            shown._copy()
        elif isinstance(shown, ResultsDialog):
            shown._unpin()
        shown.close()
        return 0

    def _export(self, dialog: ExportDialog) -> None:
        """One file, small enough to be quick."""
        (suffix,) = self.dice.choices(SUFFIXES, (6, 4, 4, 3, 3, 1))
        pick, dpi = self.dice.randrange(100), self.dice.choice((36, 72, 96))
        dialog.what.setCurrentIndex(pick % dialog.what.count())
        dialog.light.setChecked(pick % 3 > 0)
        dialog.scaling.setCurrentText("by dpi")
        dialog.dpi.setValue(dpi)
        if suffix == ".gif" and (self.page.run.view is None or self.page.run.view.step > 40):
            suffix = ".png"  # many frames of a large picture take their time
        if suffix == ".csv" and self.page.run.view is not None and self.page.run.view.step > 3000:
            suffix = ".npz"
        path = self.folder / f"export{suffix}"
        if not dialog.save_to(path):
            assert dialog.message.text() and "\n" not in dialog.message.text()
        else:
            assert path.stat().st_size > 0


def _gesture(widget: QWidget, word: str, at: Sequence[QPoint]) -> None:
    left = Qt.MouseButton.LeftButton
    if word == "click":
        QTest.mouseClick(widget, left, pos=at[0])
    elif word == "double":
        QTest.mouseDClick(widget, left, pos=at[0])
    elif word == "wheel":
        here = QPointF(at[0])
        wheel = QWheelEvent(
            here, widget.mapToGlobal(here), QPoint(), QPoint(0, 120 if at[1].x() % 2 else -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        QApplication.sendEvent(widget, wheel)
    else:
        held = left if word == "drag" else Qt.MouseButton.NoButton
        if word == "drag":
            QTest.mousePress(widget, left, pos=at[0])
        for to in at[1:]:
            there = QPointF(to)
            move = QMouseEvent(
                QEvent.Type.MouseMove, there, widget.mapToGlobal(there), Qt.MouseButton.NoButton, held,
                Qt.KeyboardModifier.NoModifier,
            )  # fmt: skip
            QApplication.sendEvent(widget, move)
        if word == "drag":
            QTest.mouseRelease(widget, left, pos=at[-1])


def live(milliseconds: int) -> None:
    """Let the event loop live for so long; 0: what is due now."""
    if milliseconds == 0:
        QApplication.processEvents()
        return
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def opened_window(settings: QSettings, told: Callable[[str, str], None]) -> MainWindow:
    """A window with its first page there; `told` hears of every error that reaches the error dialog."""
    window = MainWindow(settings)
    window.errors.reported.connect(told)
    window.collector.spare = True  # as gui.window.run has it
    window.show()
    began = time.monotonic()
    while window.page is None or window.page.run.view is None:
        assert time.monotonic() - began < PATIENCE, "no first page"
        live(2)
    return window


def shut(window: MainWindow) -> None:
    """Close a window and let go of it."""
    window.close()
    window.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    del window
    gc.collect()  # or the next window takes what is left of it for libraries
