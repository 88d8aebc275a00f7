"""The window: tabs, actions, files, theme, and what survives a restart."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSettings, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QTabBar,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from engine.experiments import TABS, ids
from gui.documents import Documents
from gui.errors import ErrorDialog, install
from gui.icons import icon
from gui.journal import Journal
from gui.memory import return_large_blocks, spare_libraries
from gui.pulse import Pulse
from gui.theme import Appearance, Theme, dress

if TYPE_CHECKING:  # what takes its time to load comes after the first paint
    from engine.experiment import Experiment
    from gui.page import Page
    from gui.pump import Pump

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 2500  # milliseconds


class MainWindow(QMainWindow):
    """One page for each experiment, made when it is first seen; one worker for all of them.

    `loaded` tells that an experiment has begun its first run: all that it is made of is in memory.
    """

    loaded = Signal()

    def __init__(self, settings: QSettings | None = None, open_file: Path | None = None) -> None:
        super().__init__()
        self.setWindowTitle("Descent Lab")
        self.setMinimumSize(960, 640)
        self.settings = settings or QSettings("Descent Lab", "Descent Lab")
        mode = str(self.settings.value("theme", "system"))
        self.appearance = Appearance("system" if mode not in ("light", "dark") else mode, parent=self)  # type: ignore[arg-type]
        self.appearance.presentation = self.settings.value("presentation", "false") == "true"
        self.pump: Pump | None = None
        self.patience = 2**31 - 1  # milliseconds that closing waits for the worker
        self.ended = True  # whether the worker did, once the window is closed
        self.experiments: tuple[Experiment, ...] = ()
        self.pages: dict[str, Page] = {}
        self.journal = Journal()
        self.journal.begin()
        self.pulse = Pulse(parent=self)
        self.errors = ErrorDialog(self)
        self._uninstall = install(self.errors)
        self.documents = Documents(self, self.settings, self.pages.values, lambda: self.page, self.show_experiment)
        self.setAcceptDrops(True)
        self._build()
        self.appearance.changed.connect(self._themed)
        self._themed(self.appearance.theme)
        self._restore()
        self._first_file = open_file
        self._began = False
        self._beginning = QTimer(self)
        self._beginning.setSingleShot(True)
        self._beginning.setInterval(0)
        self._beginning.timeout.connect(self._begin)

    # -- building ----------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        self.bar = QWidget()
        self.bar.setProperty("role", "bar")
        self.bar.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        row = QHBoxLayout(self.bar)
        row.setContentsMargins(16, 4, 12, 0)
        row.setSpacing(4)
        self.bar.setMinimumHeight(44)
        name = QLabel("Descent Lab")
        name.setProperty("role", "heading")
        row.addWidget(name)
        row.addSpacing(24)
        self.tabs = QTabBar()
        self.tabs.setObjectName("tabs")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setAccessibleName("Tabs of the chapter")
        self._tab_names = [tab for tab in TABS if any(id.startswith(f"{tab}.") for id in ids())]
        for tab in self._tab_names:
            self.tabs.addTab(tab.capitalize())
        row.addWidget(self.tabs)
        row.addStretch(1)
        self._actions: dict[str, QAction] = {}
        self._buttons: dict[str, QToolButton] = {}
        for key, label, keys, slot in (
            ("undo", "Undo", QKeySequence.StandardKey.Undo, self._undo),
            ("redo", "Redo", QKeySequence.StandardKey.Redo, self._redo),
            ("results", "Pinned runs and results", QKeySequence("Ctrl+R"), self._results),
            ("code", "Show the PyTorch code", QKeySequence("Ctrl+K"), self._code),
            ("export", "Export pictures and numbers", QKeySequence("Ctrl+E"), self._export),
        ):
            self._add_action(row, key, label, keys, slot)
        self._add_menu(row, "file", "Open and save", self.documents.menu())
        self._add_menu(row, "theme", "Theme", self._theme_menu())
        self._add_menu(row, "help", "Help", self._help_menu())
        self.stack = QStackedWidget()
        self.waiting = QLabel("Preparing the experiments…")
        self.waiting.setProperty("role", "dim")
        self.waiting.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.stack.addWidget(self.waiting)
        body = QWidget()
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.bar)
        layout.addWidget(self.stack, 1)
        self.setCentralWidget(body)
        self.list = QListWidget()
        self.list.setObjectName("experiments")
        self.list.setAccessibleName("Experiments of this tab")
        self.tabs.currentChanged.connect(self._tab_changed)
        self.list.currentRowChanged.connect(self._row_changed)

    def _add_action(
        self,
        row: QHBoxLayout,
        key: str,
        label: str,
        keys: QKeySequence | QKeySequence.StandardKey,
        slot: Callable[[], None],
    ) -> None:
        action = QAction(label, self)
        action.setShortcut(keys)
        action.triggered.connect(slot)
        self.addAction(action)
        button = self._button(key, f"{label} ({action.shortcut().toString()})")
        button.clicked.connect(action.trigger)
        action.enabledChanged.connect(button.setEnabled)
        row.addWidget(button)
        self._actions[key] = action

    def _button(self, key: str, label: str) -> QToolButton:
        button = QToolButton()
        button.setObjectName(f"action-{key}")
        button.setToolTip(label)
        button.setAccessibleName(label)
        button.setIconSize(QSize(20, 20))
        button.setAutoRaise(True)
        self._buttons[key] = button
        return button

    def _add_menu(self, row: QHBoxLayout, key: str, label: str, menu: QMenu) -> None:
        button = self._button(key, label)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setMenu(menu)
        row.addWidget(button)

    def _help_menu(self) -> QMenu:
        menu = QMenu(self)
        keys = menu.addAction("Keyboard and mouse")
        keys.setShortcut(QKeySequence(QKeySequence.StandardKey.HelpContents))
        keys.triggered.connect(self._help)
        self.addAction(keys)
        menu.addAction("Diagnostics").triggered.connect(self._diagnostics)
        return menu

    def _theme_menu(self) -> QMenu:
        menu = QMenu(self)
        self._modes: dict[str, QAction] = {}
        for mode, label in (("system", "As the system"), ("light", "Light"), ("dark", "Dark")):
            action = menu.addAction(label)
            action.setCheckable(True)
            action.setData(mode)
            action.triggered.connect(self._mode_chosen)
            self._modes[mode] = action
        menu.addSeparator()
        self._presentation = menu.addAction("Presentation mode (large type)")
        self._presentation.setCheckable(True)
        self._presentation.setShortcut(QKeySequence("F5"))
        self._presentation.toggled.connect(self._presentation_toggled)
        self.addAction(self._presentation)
        return menu

    # -- pages -------------------------------------------------------------------------------------------------------

    def page_of(self, id: str) -> Page:
        """The page of an experiment, made when first asked for."""
        from gui.page import Page

        if id not in self.pages:
            assert self.pump is not None
            experiment = next(e for e in self.experiments if e.id == id)
            page = Page(experiment, self.pump, self.appearance.theme, self.stack)
            page.failed.connect(self.errors.report)
            page.codeReady.connect(self._show_code)
            page.stateChanged.connect(self._refresh_actions)
            page.handed.connect(self._hand_over)
            page.run.shown.connect(self._loaded, Qt.ConnectionType.SingleShotConnection)
            self.pages[id] = page
            self.stack.addWidget(page)
        return self.pages[id]

    @property
    def page(self) -> Page | None:
        """The page now seen."""
        widget = self.stack.currentWidget()
        return next((page for page in self.pages.values() if page is widget), None)

    def show_experiment(self, id: str) -> Page:
        """Bring an experiment to the front."""
        page = self.page_of(id)
        if page.theme != self.appearance.theme:
            page.apply_theme(self.appearance.theme)
        for other in self.pages.values():
            other.set_visible(other is page)
        self.stack.setCurrentWidget(page)
        tab = self._tab_names.index(id.partition(".")[0])
        self.tabs.blockSignals(True)
        self.tabs.setCurrentIndex(tab)
        self.tabs.blockSignals(False)
        self._fill_list(id)
        page.left_layout.insertWidget(1, self.list)
        page.begin()
        page.setFocus()
        self._refresh_actions()
        return page

    @Slot()
    def _loaded(self) -> None:
        self.loaded.emit()

    @Slot(str, object)
    def _hand_over(self, id: str, settings: Mapping[str, Any]) -> None:
        """Open another experiment with settings that this one made."""
        self.show_experiment(id).use_settings(settings)

    def _fill_list(self, id: str) -> None:
        tab = id.partition(".")[0]
        inside = [e for e in self.experiments if e.id.startswith(f"{tab}.")]
        self.list.blockSignals(True)
        self.list.clear()
        for experiment in inside:
            self.list.addItem(f"{experiment.title}   {experiment.section}")
        self.list.setCurrentRow([e.id for e in inside].index(id))
        self.list.setFixedHeight(
            min(7, len(inside)) * self.list.sizeHintForRow(0) + round(8 * self.appearance.theme.scale)
        )
        self.list.blockSignals(False)

    @Slot(int)
    def _tab_changed(self, index: int) -> None:
        tab = self._tab_names[index]
        self.show_experiment(next(e.id for e in self.experiments if e.id.startswith(f"{tab}.")))

    @Slot(int)
    def _row_changed(self, row: int) -> None:
        tab = self._tab_names[self.tabs.currentIndex()]
        inside = [e for e in self.experiments if e.id.startswith(f"{tab}.")]
        if 0 <= row < len(inside):
            self.show_experiment(inside[row].id)

    def paintEvent(self, event: QPaintEvent) -> None:
        """The rest is loaded after the first paint."""
        super().paintEvent(event)
        if not self._began:
            self._began = True
            self._beginning.start()

    @Slot()
    def _begin(self) -> None:
        """Load the experiments and show the first page, once the window is on screen."""
        from engine.experiments import OPENING, everything
        from gui.pump import Pump

        self.pump = Pump(self)
        self.experiments = everything()
        last = str(self.settings.value("experiment", ""))
        ids = [e.id for e in self.experiments]
        self.show_experiment(last if last in ids else OPENING)
        self.documents.begin(self._first_file)
        self.pulse.start()

    # -- actions -----------------------------------------------------------------------------------------------------

    @Slot()
    def _refresh_actions(self) -> None:
        page = self.page
        if page is None:
            return
        self._actions["undo"].setEnabled(bool(page.undo.undoes))
        self._actions["redo"].setEnabled(bool(page.undo.redoes))
        self._buttons["undo"].setToolTip(f"Undo {page.undo.undoes} (Ctrl+Z)")
        self._buttons["redo"].setToolTip(f"Redo {page.undo.redoes} (Ctrl+Shift+Z)")

    @Slot()
    def _undo(self) -> None:
        if self.page is not None:
            self.page.go_back()

    @Slot()
    def _redo(self) -> None:
        if self.page is not None:
            self.page.go_forth()

    def _show(self, dialog: QDialog) -> None:
        """Let the reader use a dialog, and let go of it."""
        dress(dialog, self.appearance.theme)
        dialog.exec()
        dialog.deleteLater()

    @Slot()
    def _results(self) -> None:
        from gui.dialogs import ResultsDialog

        if self.page is not None:
            self._show(ResultsDialog(self.page, self))

    @Slot()
    def _code(self) -> None:
        if self.page is not None:
            self.page.run.pause()
            self.page.run.script()

    @Slot(str)
    def _show_code(self, text: str) -> None:
        from gui.dialogs import CodeDialog

        if self.page is not None:
            self._show(CodeDialog(self.page.experiment.title, text, self))

    @Slot()
    def _export(self) -> None:
        from gui.dialogs import ExportDialog

        if self.page is not None:
            self.page.run.pause()
            self._show(ExportDialog(self.page, self))

    @Slot()
    def _help(self) -> None:
        from gui.dialogs import ShortcutsDialog

        self._show(ShortcutsDialog(self))

    def diagnostics(self) -> str:
        """What a bug report needs, as text."""
        from engine.setup.requirements import version
        from gui.dialogs.diagnostics import report

        views = [page.run.view for page in self.pages.values() if page.run.view is not None]
        runs = [
            f"{v.experiment}: step {v.step} of {v.steps}, {len(v.branches)} branch{'es' if len(v.branches) > 1 else ''}"
            f"{f', {v.finish}' if v.finish else ''}"
            for v in views
        ]
        return report(version(ROOT), runs, self.pulse.percentiles(), self.journal.records)

    @Slot()
    def _diagnostics(self) -> None:
        from gui.dialogs import DiagnosticsDialog

        self._show(DiagnosticsDialog(self.diagnostics(), self))

    # -- files -------------------------------------------------------------------------------------------------------

    def open_path(self, path: Path) -> bool:
        """Open an experiment file; a bad one is told in one line and changes nothing."""
        return self.documents.open(path)

    def save_path(self, path: Path) -> bool:
        """Save the experiment in hand."""
        return self.documents.save(path)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Take experiment files."""
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Open the first file dropped."""
        for url in event.mimeData().urls():
            if url.isLocalFile():
                self.open_path(Path(url.toLocalFile()))
                return

    # -- theme -------------------------------------------------------------------------------------------------------

    @Slot()
    def _mode_chosen(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.appearance.mode = action.data()
            self.settings.setValue("theme", action.data())
            self._tick_modes()

    @Slot(bool)
    def _presentation_toggled(self, on: bool) -> None:
        self.appearance.presentation = on
        self.settings.setValue("presentation", "true" if on else "false")

    def _tick_modes(self) -> None:
        for mode, action in self._modes.items():
            action.setChecked(mode == self.appearance.mode)
        self._presentation.setChecked(self.appearance.presentation)

    @Slot(object)
    def _themed(self, theme: Theme) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            self.appearance.apply(app)
        self._tick_modes()
        for key, button in self._buttons.items():
            button.setIcon(icon(key, theme))
        menus = self.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly)
        for part in (self.bar, self.waiting, *menus):
            dress(part, theme)
        if self.page is not None:  # the others when they are seen again
            self.page.apply_theme(theme)
            self._fill_list(self.page.experiment.id)
        self.errors.apply_theme(theme)

    # -- state -------------------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        geometry = self.settings.value("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(1440, 900)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Keep what a restart needs, then stop the worker: the one way down."""
        self._beginning.stop()
        self.settings.setValue("geometry", self.saveGeometry())
        self.documents.end()
        for each in self.pages.values():
            each.close_run()
        if self.pump is not None:
            self.ended = self.pump.close(self.patience)
        self.pulse.stop()
        self._uninstall()
        self.journal.end()
        super().closeEvent(event)


def run(arguments: Sequence[str] = ()) -> int:
    """Open the window and stay until it is closed. Returns the exit status."""
    return_large_blocks()
    sys.setswitchinterval(1e-4)  # lets the window's thread in between the worker's Python lines
    app = QApplication.instance() or QApplication(["descent-lab"])
    assert isinstance(app, QApplication)
    app.setApplicationName("Descent Lab")
    app.setAttribute(Qt.ApplicationAttribute.AA_DontShowIconsInMenus, False)
    path = Path(arguments[0]) if arguments else None
    window = MainWindow(open_file=path)
    window.patience = PATIENCE
    window.loaded.connect(spare_libraries)
    window.show()
    status = app.exec()
    if not window.ended:  # a kernel is being compiled, and nobody can stop that: all that is worth keeping is kept
        window.settings.sync()
        os._exit(status)
    return status
