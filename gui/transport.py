"""The transport bar: run, pause, step, step back, scrub, branch, pin, code."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QTabBar,
    QTextEdit,
    QToolButton,
    QWidget,
)

from gui.fonts import BODY, font, text_width
from gui.icons import icon
from gui.standing import Line, Standing
from gui.timeline import Timeline
from gui.tokens import Theme

STEPS_A_SECOND = (*(m * 10.0**k for k in range(4) for m in (1, 1.5, 2, 3, 4, 6)), 10_000.0, math.inf)
DEFAULT = 11  # 60 a second
WORDS = {"done": "done", "target": "target reached", "diverged": "diverged", "failed": "failed", "stopped": "stopped"}


def speed_at(notch: int) -> float:
    """Steps a second of a notch of the slider: 1 to 10,000 in about equal ratios, then as fast as it goes."""
    return float(STEPS_A_SECOND[notch])


def speed_words(speed: float) -> str:
    """A speed as it stands beside the slider."""
    if math.isinf(speed):
        return "max"
    return f"{speed:g}/s" if speed < 1000 else f"{speed / 1000:g}k/s"


class Transport(QWidget):
    """Controls and state of one run. Every button has a key; see the help."""

    played = Signal()
    paused = Signal()
    stepped = Signal(int)
    backed = Signal(int)
    sought = Signal(int)
    resetAsked = Signal()
    endAsked = Signal()
    speedChanged = Signal(float)
    branchAsked = Signal()
    branchChosen = Signal(int)
    pinned = Signal()
    codeAsked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.theme = theme
        self.running = False
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setProperty("role", "bar")
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 8, 16, 8)
        row.setSpacing(4)
        self._tools: dict[str, QToolButton] = {}
        self._tool(row, "reset", "To the start (Home)", self.resetAsked.emit)
        self._tool(row, "back", "Step back (←)", self._back)
        self.play = QPushButton("Play")
        self.play.setObjectName("play")
        self.play.setProperty("role", "primary")
        self.play.setToolTip("Play or pause (Space)")
        self.play.setAccessibleName("Play")
        self.play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.play.clicked.connect(self._toggle)
        row.addWidget(self.play)
        self._tool(row, "step", "Step (→)", self._step)
        self._tool(row, "end", "To the end (End)", self.endAsked.emit)
        self.size_of_step = QSpinBox()
        self.size_of_step.setRange(1, 1_000_000)
        self.size_of_step.setToolTip("How many steps one press of step or back takes")
        self.size_of_step.setAccessibleName("Steps at a time")
        self.size_of_step.setAlignment(Qt.AlignmentFlag.AlignCenter)
        row.addSpacing(8)
        row.addWidget(self.size_of_step)
        row.addSpacing(8)
        self.speed_words = QLabel()
        self.speed_words.setProperty("role", "dim")
        self.speed_words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.speed_words)
        self.speed = QSlider(Qt.Orientation.Horizontal)
        self.speed.setRange(0, len(STEPS_A_SECOND) - 1)
        self.speed.setAccessibleName("Speed, steps a second")
        self.speed.setToolTip("Steps a second; the last notch is as fast as it goes")
        self.speed.valueChanged.connect(self._speed_moved)
        row.addWidget(self.speed)
        row.addSpacing(4)
        self.timeline = Timeline(theme)
        self.timeline.sought.connect(self.sought)
        row.addWidget(self.timeline, 1)
        row.addSpacing(4)
        self.branches = QComboBox()
        self.branches.setAccessibleName("Branch")
        self.branches.setToolTip("Which future is in hand; the others are drawn faintly")
        self.branches.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.branches.setMinimumContentsLength(6)
        self.branches.activated.connect(self.branchChosen)
        self.branches.hide()
        row.addWidget(self.branches)
        row.addSpacing(4)
        self.standing = Standing(theme)
        self.standing.show_word("preparing…")
        row.addWidget(self.standing)
        row.addSpacing(4)
        self._tool(row, "branch", "Begin a branch here (B)", self.branchAsked.emit)
        self._tool(row, "pin", "Pin this run as a ghost (P)", self.pinned.emit)
        self._tool(row, "code", "Show the PyTorch code (Ctrl+K)", self.codeAsked.emit)
        self._keys()
        self.speed.setValue(DEFAULT)
        self.apply_theme(theme)

    # -- building ----------------------------------------------------------------------------------------------------

    def _tool(self, row: QHBoxLayout, name: str, words: str, slot: Callable[[], None]) -> None:
        button = QToolButton()
        button.setObjectName(name)
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus, and with it the keys, alone
        button.clicked.connect(slot)
        row.addWidget(button)
        self._tools[name] = button

    def _keys(self) -> None:
        self._shortcuts: dict[str, QShortcut] = {}
        for keys, slot in (
            ("Space", self._toggle), ("Right", self._step), ("Left", self._back), ("Shift+Right", self._step_ten),
            ("Shift+Left", self._back_ten), ("Home", self.resetAsked.emit), ("End", self.endAsked.emit),
            ("B", self.branchAsked.emit), ("P", self.pinned.emit),
        ):  # fmt: skip
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
            shortcut.activated.connect(slot)
            self._shortcuts[keys] = shortcut
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_changed)

    @Slot(QWidget, QWidget)
    def _focus_changed(self, old: QWidget | None, new: QWidget | None) -> None:
        """Leave its own keys to the control that has the focus: a slider its arrows, a check box its space."""
        writes = isinstance(new, (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox, QComboBox, QAbstractItemView))
        moves = writes or isinstance(new, (QAbstractSlider, QTabBar)) or bool(new and new.property("ownKeys"))
        presses = writes or (isinstance(new, QAbstractButton) and new is not self.play)
        for keys, shortcut in self._shortcuts.items():
            taken = presses if keys == "Space" else writes if len(keys) == 1 else moves
            shortcut.setEnabled(not taken)

    @property
    def finish(self) -> Line:
        """The word on how the run ended."""
        return self.standing.finish

    # -- state -------------------------------------------------------------------------------------------------------

    def set_state(
        self, *, running: bool, step: int, frontier: int, total: int, finish: str, reason: str,
        events: Sequence[tuple[int, str]], branches: Sequence[str], branch: int, fork: int | None = None,
    ) -> None:  # fmt: skip
        """Show where the run stands."""
        if running != self.running:
            self.running = running
            self._dress_play()
        self.standing.show_step(step, total)
        self.standing.show_end(WORDS.get(finish, finish), reason, bad=finish in ("diverged", "failed"))
        self.timeline.set_state(step, frontier, total, events, fork)
        if [self.branches.itemText(i) for i in range(self.branches.count())] != list(branches):
            self.branches.clear()
            self.branches.addItems(list(branches))
        self.branches.setCurrentIndex(branch)
        self.branches.setVisible(len(branches) > 1)
        self._tools["back"].setEnabled(step > 0)
        self._tools["reset"].setEnabled(step > 0)

    def set_unit(self, unit: str) -> None:
        """What one step of this experiment is called."""
        self.standing.unit = unit
        self.speed.setAccessibleName(f"Speed, {unit}s a second")
        self.speed.setToolTip(f"{unit.capitalize()}s a second; the last notch is as fast as it goes")

    def set_speed(self, speed: float) -> None:
        """Begin at the notch next to this speed; inf: as fast as it goes."""
        notches = range(len(STEPS_A_SECOND))
        self.speed.setValue(notches[-1] if math.isinf(speed) else min(notches, key=lambda n: abs(speed_at(n) - speed)))

    def set_readout(self, words: str) -> None:
        """A short result, such as the best loss."""
        self.standing.show_readout(words)

    @Slot(str)
    def set_working(self, word: str) -> None:
        """Say that something takes a while; empty: it is done."""
        if word:
            self.standing.show_word(f"{word}…")

    def apply_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        self.theme = theme
        side = round(20 * theme.scale)
        for name, button in self._tools.items():
            button.setIcon(icon(name, theme))
            button.setIconSize(QSize(side, side))
        self.play.setIconSize(QSize(round(16 * theme.scale), round(16 * theme.scale)))
        self.play.setMinimumWidth(round(96 * theme.scale))
        self.size_of_step.setFixedWidth(round(64 * theme.scale))
        self.speed.setFixedWidth(round(88 * theme.scale))
        used = font(BODY * theme.scale)
        widest = max(text_width(used, speed_words(speed)) for speed in STEPS_A_SECOND)
        self.speed_words.setFixedWidth(round(widest) + 2)
        self._dress_play()
        self.timeline.apply_theme(theme)
        self.standing.apply_theme(theme)

    def _dress_play(self) -> None:
        words = "Pause" if self.running else "Play"
        self.play.setText(words)
        self.play.setAccessibleName(words)
        self.play.setIcon(icon(words.lower(), self.theme, on_accent=True))

    # -- presses -----------------------------------------------------------------------------------------------------

    @Slot()
    def _toggle(self) -> None:
        (self.paused if self.running else self.played).emit()

    @Slot()
    def _step(self) -> None:
        self.stepped.emit(self.size_of_step.value())

    @Slot()
    def _back(self) -> None:
        self.backed.emit(self.size_of_step.value())

    @Slot()
    def _step_ten(self) -> None:
        self.stepped.emit(10 * self.size_of_step.value())

    @Slot()
    def _back_ten(self) -> None:
        self.backed.emit(10 * self.size_of_step.value())

    @Slot(int)
    def _speed_moved(self, notch: int) -> None:
        speed = speed_at(notch)
        self.speed_words.setText(speed_words(speed))
        self.speedChanged.emit(speed)
