"""The window: its pages, what they have in common, and what survives a restart."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QSettings, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QPaintEvent
from PySide6.QtWidgets import (
    QApplication,
    QLabel,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from gui.actions import Actions
from gui.bar import Bar
from gui.contents import Contents
from gui.documents import Documents
from gui.errors import ErrorDialog, install
from gui.journal import Journal
from gui.looks import Looks, appearance
from gui.memory import Collector, return_large_blocks
from gui.pulse import Pulse
from gui.theme import Theme, dress

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
        self.appearance = appearance(self.settings, self)
        self.pump: Pump | None = None
        self.patience = 2**31 - 1  # milliseconds that closing waits for the worker
        self.ended = True  # whether the worker did, once the window is closed
        self.experiments: tuple[Experiment, ...] = ()
        self.pages: dict[str, Page] = {}
        self.journal = Journal()
        self.journal.begin()
        self.pulse = Pulse(parent=self)
        self.collector = Collector(self)
        self.loaded.connect(self.collector.begin)
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
        self.contents = Contents(self)
        self.contents.chosen.connect(self.show_experiment)
        self.tabs, self.list = self.contents.tabs, self.contents.list
        self.bar = Bar(self.tabs)
        self.commands = Actions(self, self.bar, self.appearance, lambda: self.page, self.diagnostics)
        self.looks = Looks(self.appearance, self.settings, self)
        self.looks.columnsChanged.connect(self._columns_chosen)
        self.looks.presentation.triggered.connect(self._presented)
        self.bar.add_menu("file", "Open and save", self.documents.menu())
        self.bar.add_menu("theme", "Theme", self.looks)
        self.bar.add_menu("help", "Help", self.commands.help_menu())
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

    # -- pages -------------------------------------------------------------------------------------------------------

    def page_of(self, id: str) -> Page:
        """The page of an experiment, made when first asked for."""
        from gui.page import Page

        if id not in self.pages:
            assert self.pump is not None
            self.pump.rest()
            experiment = next(e for e in self.experiments if e.id == id)
            page = Page(experiment, self.pump, self.appearance.theme, self.stack)
            page.failed.connect(self.errors.report)
            page.codeReady.connect(self.commands.show_code)
            page.stateChanged.connect(self.commands.refresh)
            page.handed.connect(self._hand_over)
            page.dressed.connect(self._fill_list)
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
            page.change_theme(self.appearance.theme)
        page.show_columns(*self.looks.columns)
        for other in self.pages.values():
            other.set_visible(other is page)
        self.stack.setCurrentWidget(page)
        self.contents.show_tab(id)
        self.contents.fill(id, self.appearance.theme.scale)
        page.left_layout.insertWidget(1, self.list)
        page.begin()
        page.setFocus()
        self.commands.refresh()
        return page

    @Slot()
    def _loaded(self) -> None:
        self.loaded.emit()

    @Slot(str, object)
    def _hand_over(self, id: str, settings: Mapping[str, Any]) -> None:
        """Open another experiment with settings that this one made."""
        self.show_experiment(id).use_settings(settings)

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
        self.experiments = self.contents.experiments = everything()
        last = str(self.settings.value("experiment", ""))
        ids = [e.id for e in self.experiments]
        self.show_experiment(last if last in ids else OPENING)
        self.documents.begin(self._first_file)
        self.pulse.start()

    # -- actions -----------------------------------------------------------------------------------------------------

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

    @Slot(object)
    def _themed(self, theme: Theme) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            self.appearance.apply(app)
        self.looks.tick()
        self.bar.apply_theme(theme)
        menus = self.findChildren(QMenu, options=Qt.FindChildOption.FindDirectChildrenOnly)
        for part in (self.waiting, *menus):
            dress(part, theme)
        if self.page is not None:  # the others when they are seen again
            self.page.change_theme(theme)
            self.page.show_columns(*self.looks.columns)
        self.errors.apply_theme(theme)

    @Slot()
    def _fill_list(self) -> None:
        """List the experiments beside the page in hand, as high as its type is now."""
        if self.page is not None:
            self.contents.fill(self.page.experiment.id, self.appearance.theme.scale)

    @Slot()
    def _columns_chosen(self) -> None:
        if self.page is not None:
            self.page.show_columns(*self.looks.columns)

    @Slot(bool)
    def _presented(self, on: bool) -> None:
        if on and self.page is not None:
            self.page.notice.show_message("Plots first: F6 shows the settings, F7 the lesson, F5 leaves this mode")

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
        self.collector.end()
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
    window.collector.spare = True
    window.show()
    status = app.exec()
    if not window.ended:  # a kernel is being compiled, and nobody can stop that: all that is worth keeping is kept
        window.settings.sync()
        os._exit(status)
    return status
