"""The bar on top of the window: its name, the tabs, and a button for each action and each menu."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QTabBar, QToolButton, QWidget

from gui.icons import icon
from gui.theme import Theme, dress


class Bar(QWidget):
    """Buttons stand in the order in which they are added; each has an icon by its key."""

    def __init__(self, tabs: QTabBar) -> None:
        super().__init__()
        self.setProperty("role", "bar")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(16, 4, 12, 0)
        self._row.setSpacing(4)
        self.setMinimumHeight(44)
        name = QLabel("Descent Lab")
        name.setProperty("role", "heading")
        self._row.addWidget(name)
        self._row.addSpacing(24)
        self._row.addWidget(tabs)
        self._row.addStretch(1)
        self.buttons: dict[str, QToolButton] = {}

    def add_action(self, key: str, action: QAction) -> None:
        """A button that triggers an action, and is enabled with it."""
        button = self._button(key, f"{action.text()} ({action.shortcut().toString()})")
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)

    def add_menu(self, key: str, label: str, menu: QMenu) -> None:
        """A button that opens a menu."""
        button = self._button(key, label)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(menu)

    def _button(self, key: str, label: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"action-{key}")
        button.setToolTip(label)
        button.setAccessibleName(label)
        button.setIconSize(QSize(20, 20))
        button.setAutoRaise(True)
        self._row.addWidget(button)
        self.buttons[key] = button
        return button

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        for key, button in self.buttons.items():
            button.setIcon(icon(key, theme))
        dress(self, theme)
