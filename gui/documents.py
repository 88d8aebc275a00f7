"""Experiment files of the window: open, save, recent ones, and runs that outlive a restart or a crash."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QSettings, QTimer, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from gui.answering import answering
from gui.turns import Turns

if TYPE_CHECKING:  # loaded after the window's first paint
    from engine.session.files import Saved
    from gui.keeping import Keeper, Left
    from gui.page import Page

RECENT = 8
KEEP = 5000  # milliseconds between two looks whether a run has gone on
LONGEST = 1_000_000  # steps that the next start runs again without being asked


class Documents(QObject):
    """What of the window has to do with files. `pages` are all that were opened, `page` the one now seen; `show`
    brings an experiment to the front."""

    def __init__(
        self,
        window: QWidget,
        settings: QSettings,
        pages: Callable[[], Iterable[Page]],
        page: Callable[[], Page | None],
        show: Callable[[str], Page],
    ) -> None:
        super().__init__(window)
        self._window, self._settings = window, settings
        self._pages, self._page, self._show = pages, page, show
        self._keeper: Keeper | None = None
        self._left: Left | None = None
        self._timer = QTimer(self)
        self._timer.setInterval(KEEP)
        self._timer.timeout.connect(self._keep_soon)
        self._due: list[Page] = []  # whose runs are to be kept
        self._turns = Turns(0, self)
        self._turns.due.connect(self._keep_next)

    def menu(self) -> QMenu:
        """The menu of files; its actions are the window's."""
        menu = QMenu(self._window)
        for label, keys, slot in (
            ("Open…", QKeySequence.StandardKey.Open, self._open_dialog),
            ("Save as…", QKeySequence.StandardKey.Save, self._save_dialog),
        ):
            action = menu.addAction(label)
            action.setShortcut(keys)
            action.triggered.connect(slot)
            self._window.addAction(action)
        self.recent = menu.addMenu("Recent files")
        self.recent.aboutToShow.connect(self._fill_recent)
        return menu

    # -- open and save -----------------------------------------------------------------------------------------------

    @Slot()
    def _open_dialog(self) -> None:
        from engine.session.files import SUFFIX

        name, _ = QFileDialog.getOpenFileName(
            self._window, "Open an experiment", self._folder(), f"Experiments (*{SUFFIX} *.json)"
        )
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> bool:
        """Open an experiment file; a bad one is told in one line and changes nothing."""
        from engine.atomic import FileError
        from engine.session.files import read
        from engine.spec import SpecError

        try:
            document = read(path)
        except (FileError, SpecError) as error:
            page = self._page()
            if page is not None:
                page.notice.show_message(str(error), bad=True)
            return False
        self._show(document.experiment).open_document(document)
        self._remember(path)
        return True

    @Slot()
    def _save_dialog(self) -> None:
        from engine.session.files import SUFFIX

        page = self._page()
        if page is None:
            return
        proposed = Path(self._folder()) / f"{page.experiment.id}{SUFFIX}"
        name, _ = QFileDialog.getSaveFileName(
            self._window, "Save the experiment", str(proposed), f"Experiments (*{SUFFIX})"
        )
        if name:
            self.save(Path(name if name.endswith(".json") else name + SUFFIX))

    def save(self, path: Path) -> bool:
        """Save the experiment in hand."""
        from engine.atomic import FileError
        from engine.session.files import to_json, write_text

        page = self._page()
        document = page.document() if page is not None else None
        if page is None or document is None:
            return False
        try:
            with answering():  # a disk may be slow
                write_text(path, to_json(document))
        except FileError as error:
            page.notice.show_message(str(error), bad=True)
            return False
        page.notice.show_message(f"Saved {path.name}")
        self._remember(path)
        return True

    # -- recent files ------------------------------------------------------------------------------------------------

    def _folder(self) -> str:
        return str(self._settings.value("folder", str(Path.home())))

    def _recent(self) -> list[str]:
        stored = self._settings.value("recent", [])
        names = [stored] if isinstance(stored, str) else list(stored or [])  # type: ignore[call-overload]
        return [str(name) for name in names if str(name)]

    def _remember(self, path: Path) -> None:
        path = path.resolve()
        self._settings.setValue("folder", str(path.parent))
        self._settings.setValue("recent", [str(path), *(n for n in self._recent() if n != str(path))][:RECENT])

    @Slot()
    def _fill_recent(self) -> None:
        self.recent.clear()
        for name in self._recent():
            action = self.recent.addAction(Path(name).name)
            action.setToolTip(name)
            action.setData(name)
            action.triggered.connect(self._open_recent)
        self.recent.setEnabled(True)
        if not self._recent():
            self.recent.addAction("none yet").setEnabled(False)

    @Slot()
    def _open_recent(self) -> None:
        action = self.sender()
        if isinstance(action, QAction):
            self.open(Path(str(action.data())))

    # -- the next start ----------------------------------------------------------------------------------------------

    def begin(self, path: Path | None) -> None:
        """The first page is there: open the file that was named, or take up what the last window had in hand."""
        from gui.keeping import Keeper, home, left_behind

        self._left = left_behind(home())
        self._keeper = Keeper(home())
        self._timer.start()
        if path is not None:
            self.open(path)
        elif self._left is None:
            self._take_up_last()
        page = self._page()
        if self._left is not None and page is not None:
            page.notice.offer(_offer(self._left), "Take up again", self._take_up_left, self._left.remove)

    def _take_up_last(self) -> None:
        from engine.session.files import from_json
        from engine.spec import SpecError

        page, text = self._page(), str(self._settings.value("run", ""))
        if not text or page is None:
            return
        try:
            document = from_json(text)
        except SpecError:
            return  # of another version; the default page is there
        if document.experiment == page.experiment.id:
            page.open_document(document)

    @Slot()
    def _take_up_left(self) -> None:
        if self._left is None:
            return
        left, self._left = self._left, None
        for document in left.runs:
            self._show(document.experiment).open_document(document)
        self.keep()  # its own files first, and only then away with those
        left.remove()

    def keep(self) -> None:
        """Keep every run that has gone on since; a folder that cannot be written is told once."""
        self._keep(self._pages())

    @Slot()
    def _keep_soon(self) -> None:
        self._due = list(self._pages())
        self._turns.start()

    @Slot()
    def _keep_next(self) -> None:
        """One page in a turn of the event loop."""
        if self._due:
            self._keep([self._due.pop()])
        else:
            self._turns.stop()

    def _keep(self, pages: Iterable[Page]) -> None:
        from engine.atomic import FileError

        if self._keeper is None:
            return
        runs: dict[str, Saved] = {}
        for page in pages:
            document = page.document()
            if document is not None and any(branch.steps for branch in document.branches):
                runs[page.experiment.id] = document
        try:
            self._keeper.keep(runs)
        except FileError as error:
            self._rest()
            here = self._page()
            if here is not None:
                here.notice.show_message(f"Unsaved runs cannot be kept for the case of a crash: {error}", bad=True)

    def _rest(self) -> None:
        self._timer.stop()
        self._turns.stop()
        self._due.clear()

    def end(self) -> None:
        """The window closes: the run in hand is for the next start, nothing else is left."""
        self._rest()
        page = self._page()
        if page is not None:
            self._settings.setValue("experiment", page.experiment.id)
            document = page.document()
            if document is not None and document.branches[document.current].steps <= LONGEST:
                from engine.session.files import to_json

                self._settings.setValue("run", to_json(document))
        if self._keeper is not None:
            self._keeper.close()


def _offer(left: Left) -> str:
    from engine.experiments import load

    runs = [f"{load(run.experiment).title} at step {run.step}" for run in reversed(left.runs)]
    some = ", ".join(runs[:3]) + (f" and {len(runs) - 3} more" if len(runs) > 3 else "")
    return f"Descent Lab ended without closing. Unsaved: {some}."
