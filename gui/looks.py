"""The reader's choice of look: a menu, remembered from one start to the next."""

from __future__ import annotations

from PySide6.QtCore import QSettings, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from gui.theme import Appearance


def appearance(settings: QSettings, parent: QWidget) -> Appearance:
    """The look that was last chosen."""
    mode = str(settings.value("theme", "system"))
    made = Appearance("system" if mode not in ("light", "dark") else mode, parent=parent)  # type: ignore[arg-type]
    made.presentation = settings.value("presentation", "false") == "true"
    return made


class Looks(QMenu):
    """Light, dark or as the system, presentation mode, and which columns stand beside the plots; its actions are the
    window's. `columnsChanged()`: other columns were chosen."""

    columnsChanged = Signal()

    def __init__(self, appearance: Appearance, settings: QSettings, window: QWidget) -> None:
        super().__init__(window)
        self._appearance, self._settings = appearance, settings
        self._modes: dict[str, QAction] = {}
        for mode, label in (("system", "As the system"), ("light", "Light"), ("dark", "Dark")):
            action = self.addAction(label)
            action.setCheckable(True)
            action.setData(mode)
            action.triggered.connect(self._mode_chosen)
            self._modes[mode] = action
        self.addSeparator()
        self.presentation = self.addAction("Presentation mode (large type)")
        self.presentation.setCheckable(True)
        self.presentation.setShortcut(QKeySequence("F5"))
        self.presentation.toggled.connect(self._presentation_toggled)
        window.addAction(self.presentation)
        self.addSeparator()
        self._columns = {False: (True, True), True: (False, False)}  # by presentation mode, where plots come first
        self.sides = (self._side("Settings column", "F6"), self._side("Lesson column", "F7"))
        window.addActions(self.sides)

    def _side(self, label: str, key: str) -> QAction:
        action = self.addAction(label)
        action.setCheckable(True)
        action.setShortcut(QKeySequence(key))
        action.triggered.connect(self._side_chosen)
        return action

    @property
    def columns(self) -> tuple[bool, bool]:
        """Whether the settings and the lesson are to be seen, in the mode in force."""
        return self._columns[self._appearance.presentation]

    def tick(self) -> None:
        """Mark what is in force."""
        for mode, action in self._modes.items():
            action.setChecked(mode == self._appearance.mode)
        self.presentation.setChecked(self._appearance.presentation)
        for action, seen in zip(self.sides, self.columns, strict=True):
            action.setChecked(seen)

    @Slot()
    def _side_chosen(self) -> None:
        settings, lesson = self.sides
        self._columns[self._appearance.presentation] = (settings.isChecked(), lesson.isChecked())
        self.columnsChanged.emit()

    @Slot()
    def _mode_chosen(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self._appearance.mode = action.data()
            self._settings.setValue("theme", action.data())
            self.tick()

    @Slot(bool)
    def _presentation_toggled(self, on: bool) -> None:
        self._appearance.presentation = on
        self._settings.setValue("presentation", "true" if on else "false")
