"""What the window can do with the page in hand: undo, redo, and the dialogs that show or take home something of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QMenu, QWidget

from gui.bar import Bar
from gui.theme import Appearance, dress

if TYPE_CHECKING:  # loaded after the window's first paint
    from gui.page import Page


class Actions(QObject):
    """Actions with their shortcuts, each a button of the bar. `page`: the one now seen; `report`: the diagnostics as
    text."""

    def __init__(
        self, window: QWidget, bar: Bar, appearance: Appearance, page: Callable[[], Page | None],
        report: Callable[[], str],
    ) -> None:  # fmt: skip
        super().__init__(window)
        self._window, self._bar, self._appearance = window, bar, appearance
        self._page, self._report = page, report
        self._actions: dict[str, QAction] = {}
        for key, label, keys, slot in (
            ("undo", "Undo", QKeySequence.StandardKey.Undo, self.undo),
            ("redo", "Redo", QKeySequence.StandardKey.Redo, self.redo),
            ("results", "Pinned runs and results", QKeySequence("Ctrl+R"), self.results),
            ("code", "Show the PyTorch code", QKeySequence("Ctrl+K"), self.code),
            ("export", "Export pictures and numbers", QKeySequence("Ctrl+E"), self.export),
        ):
            action = QAction(label, window)
            action.setShortcut(keys)
            action.triggered.connect(slot)
            window.addAction(action)
            bar.add_action(key, action)
            self._actions[key] = action

    def help_menu(self) -> QMenu:
        """The menu of help; its actions are the window's."""
        menu = QMenu(self._window)
        keys = menu.addAction("Keyboard and mouse")
        keys.setShortcut(QKeySequence(QKeySequence.StandardKey.HelpContents))
        keys.triggered.connect(self.help)
        self._window.addAction(keys)
        menu.addAction("Diagnostics").triggered.connect(self.diagnostics)
        return menu

    @Slot()
    def refresh(self) -> None:
        """The page in hand, or what it could take back, changed."""
        page = self._page()
        if page is None:
            return
        self._actions["undo"].setEnabled(bool(page.undo.undoes))
        self._actions["redo"].setEnabled(bool(page.undo.redoes))
        self._bar.buttons["undo"].setToolTip(f"Undo {page.undo.undoes} (Ctrl+Z)")
        self._bar.buttons["redo"].setToolTip(f"Redo {page.undo.redoes} (Ctrl+Shift+Z)")

    @Slot()
    def undo(self) -> None:
        """Take the last change back."""
        page = self._page()
        if page is not None:
            page.go_back()

    @Slot()
    def redo(self) -> None:
        """Make it again."""
        page = self._page()
        if page is not None:
            page.go_forth()

    def _show(self, dialog: QDialog) -> None:
        """Let the reader use a dialog, and let go of it."""
        dress(dialog, self._appearance.theme)
        dialog.exec()
        dialog.deleteLater()

    @Slot()
    def results(self) -> None:
        """Compare pinned runs."""
        from gui.dialogs import ResultsDialog

        page = self._page()
        if page is not None:
            self._show(ResultsDialog(page, self._window))

    @Slot()
    def code(self) -> None:
        """Ask for the run as a PyTorch script; the page's `codeReady` answers."""
        page = self._page()
        if page is not None:
            page.run.pause()
            page.run.script()

    @Slot(str)
    def show_code(self, text: str) -> None:
        """Show a script."""
        from gui.dialogs import CodeDialog

        page = self._page()
        if page is not None:
            self._show(CodeDialog(page.experiment.title, text, self._window))

    @Slot()
    def export(self) -> None:
        """Take pictures and numbers home."""
        from gui.dialogs import ExportDialog

        page = self._page()
        if page is not None:
            page.run.pause()
            self._show(ExportDialog(page, self._window))

    @Slot()
    def help(self) -> None:
        """The keyboard at a glance."""
        from gui.dialogs import ShortcutsDialog

        self._show(ShortcutsDialog(self._window))

    @Slot()
    def diagnostics(self) -> None:
        """What a bug report needs."""
        from gui.dialogs import DiagnosticsDialog

        self._show(DiagnosticsDialog(self._report(), self._window))
