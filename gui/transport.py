"""The transport bar: run, pause, step, step back, scrub, branch, pin, code."""

from __future__ import annotations

import math
from collections.abc import Sequence

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
    QSizePolicy,
    QSlider,
    QSpinBox,
    QTabBar,
    QToolButton,
    QWidget,
)

from gui.icons import icon
from gui.timeline import Timeline
from gui.tokens import Theme

FASTEST = 10_000.0  # steps a second; the slider's last notch is as fast as it goes
NOTCHES = 40
DEFAULT = 18
WORDS = {"done": "done", "target": "target reached", "diverged": "diverged", "failed": "failed", "stopped": "stopped"}


def speed_at(notch: int) -> float:
    """Steps a second of a notch of the slider: 1 to 10,000 in equal ratios, then as fast as it goes."""
    return math.inf if notch >= NOTCHES else FASTEST ** (notch / (NOTCHES - 1))


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
        self.play.setMinimumWidth(96)
        self.play.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.play.clicked.connect(self._toggle)
        row.addWidget(self.play)
        self._tool(row, "step", "Step (→)", self._step)
        self._tool(row, "end", "To the end (End)", self.endAsked.emit)
        self.size_of_step = QSpinBox()
        self.size_of_step.setRange(1, 1_000_000)
        self.size_of_step.setToolTip("How many steps one press of step or back takes")
        self.size_of_step.setAccessibleName("Steps at a time")
        self.size_of_step.setFixedWidth(72)
        row.addSpacing(4)
        row.addWidget(self.size_of_step)
        row.addSpacing(8)
        self.speed_words = QLabel()
        self.speed_words.setProperty("role", "dim")
        self.speed_words.setMinimumWidth(64)
        self.speed_words.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.speed_words)
        self.speed = QSlider(Qt.Orientation.Horizontal)
        self.speed.setRange(0, NOTCHES)
        self.speed.setFixedWidth(88)
        self.speed.setAccessibleName("Speed, steps a second")
        self.speed.setToolTip("Steps a second; the last notch is as fast as it goes")
        self.speed.valueChanged.connect(self._speed_moved)
        row.addWidget(self.speed)
        row.addSpacing(8)
        self.timeline = Timeline(theme)
        self.timeline.sought.connect(self.sought)
        row.addWidget(self.timeline, 1)
        row.addSpacing(8)
        self.branches = QComboBox()
        self.branches.setAccessibleName("Branch")
        self.branches.setToolTip("Which future is in hand; the others are drawn faintly")
        self.branches.setMaximumWidth(170)
        self.branches.activated.connect(self.branchChosen)
        self.branches.hide()
        row.addWidget(self.branches)
        self.where = QLabel("preparing")
        self.where.setProperty("role", "heading")
        row.addWidget(self.where)
        self.finish = QLabel()
        self.finish.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Preferred)
        row.addWidget(self.finish)
        self.readout = QLabel()
        self.readout.setProperty("role", "dim")
        row.addWidget(self.readout)
        self._tool(row, "branch", "Begin a branch here (B)", self.branchAsked.emit)
        self._tool(row, "pin", "Pin this run as a ghost (P)", self.pinned.emit)
        self._tool(row, "code", "Show the PyTorch code (Ctrl+K)", self.codeAsked.emit)
        self._keys()
        self.speed.setValue(DEFAULT)
        self.apply_theme(theme)

    # -- building ----------------------------------------------------------------------------------------------------

    def _tool(self, row: QHBoxLayout, name: str, words: str, slot: object) -> None:
        button = QToolButton()
        button.setObjectName(name)
        button.setToolTip(words)
        button.setAccessibleName(words)
        button.setIconSize(QSize(20, 20))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the focus, and with it the keys, alone
        button.clicked.connect(slot)  # type: ignore[arg-type]
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
        writes = isinstance(new, (QLineEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox, QAbstractItemView))
        moves = writes or isinstance(new, (QAbstractSlider, QTabBar)) or bool(new and new.property("ownKeys"))
        presses = writes or (isinstance(new, QAbstractButton) and new is not self.play)
        for keys, shortcut in self._shortcuts.items():
            taken = presses if keys == "Space" else writes if len(keys) == 1 else moves
            shortcut.setEnabled(not taken)

    # -- state -------------------------------------------------------------------------------------------------------

    def set_state(
        self, *, running: bool, step: int, frontier: int, total: int, finish: str, reason: str,
        events: Sequence[tuple[int, str]], branches: Sequence[str], branch: int, fork: int | None = None,
    ) -> None:  # fmt: skip
        """Show where the run stands."""
        if running != self.running:
            self.running = running
            self._dress_play()
        self.where.setText(f"step {step:,} of {total:,}".replace(",", "\u2009"))
        words = WORDS.get(finish, finish)
        if finish in ("diverged", "failed"):
            words = f"{words}: {reason}"
        short = words if len(words) <= 44 else words[:43] + "…"
        if self.finish.text() != short:
            self.finish.setText(short)
            self.finish.setToolTip(reason)
            self.finish.setProperty("role", "bad" if finish in ("diverged", "failed") else "good")
            self.finish.style().unpolish(self.finish)
            self.finish.style().polish(self.finish)
        self.finish.setVisible(bool(words))
        self.timeline.set_state(step, frontier, total, events, fork)
        if [self.branches.itemText(i) for i in range(self.branches.count())] != list(branches):
            self.branches.clear()
            self.branches.addItems(list(branches))
        self.branches.setCurrentIndex(branch)
        self.branches.setVisible(len(branches) > 1)
        self._tools["back"].setEnabled(step > 0)
        self._tools["reset"].setEnabled(step > 0)

    def set_readout(self, words: str) -> None:
        """A short result, such as the best loss."""
        self.readout.setText(words)

    @Slot(str)
    def set_working(self, word: str) -> None:
        """Say that something takes a while; empty: it is done."""
        if word:
            self.where.setText(f"{word}…")
            self.finish.hide()

    def apply_theme(self, theme: Theme) -> None:
        """Icons in the theme's colours."""
        self.theme = theme
        for name, button in self._tools.items():
            button.setIcon(icon(name, theme))
        self._dress_play()
        self.timeline.apply_theme(theme)

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
        self.speed_words.setText("max" if math.isinf(speed) else f"{speed:.0f}/s")
        self.speedChanged.emit(speed)
