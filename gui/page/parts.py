"""What a page is made of, and where its parts stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QSplitter, QVBoxLayout, QWidget

from engine.experiment import Experiment
from engine.session.presets import predictions, preset_spec, presets
from engine.spec import Spec, declarations
from gui.errors import Notice
from gui.form import Form
from gui.lesson import Lesson
from gui.pump import Pump
from gui.questions import Questions
from gui.run import Run
from gui.runs import Pinned
from gui.theme import Theme, dress
from gui.transport import Transport
from gui.turns import Turns
from gui.undo import Undo
from gui.views import view_for

SHORT = 0.01  # seconds in which fields are made in one turn


class PageParts(QWidget):
    """One experiment on screen. Signals: `failed(line, details)` for what no field can show; `codeReady(text)`;
    `stateChanged()` when undo, pins or the run in hand changed; `handed(id, settings)` when another experiment is to
    be opened with these settings; `dressed()` when all parts have the theme's looks, before they are seen."""

    failed = Signal(str, str)
    codeReady = Signal(str)
    stateChanged = Signal()
    handed = Signal(str, object)
    dressed = Signal()
    play_when_ready = False

    def __init__(self, experiment: Experiment, pump: Pump, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)  # a click beside the fields gives the keys to the transport
        self.experiment, self.theme = experiment, theme
        self.presets = presets(experiment.id)
        self.spec: Spec = preset_spec(experiment, self.presets[0].name) if self.presets else experiment.Spec()
        self.undo = Undo()
        self.pinned: list[Pinned] = []
        self._pump = pump
        self.run = Run(pump, experiment.id, self)
        self.view = view_for(experiment, theme)
        self.view.live = True
        self.form = Form(experiment.Spec, self.spec, later=True)
        self.lesson = Lesson(theme=theme)
        self.lesson.inside.places = self.view.places
        self.transport = Transport(theme=theme)
        self.notice = Notice(self)
        self.questions = Questions(predictions(experiment.id))
        self._live_keys = {d.key for d in declarations(experiment.Spec) if d.live}
        self._drawn = False
        self._scale = 0.0
        self._lay_out()

    def _lay_out(self) -> None:
        self.left = QWidget()
        self.left.setProperty("role", "panel")
        self.left.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.left_layout = QVBoxLayout(self.left)
        self.left_layout.setContentsMargins(0, 0, 0, 0)
        self.left_layout.setSpacing(0)
        scroll = QScrollArea()
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        heading = QLabel("EXPERIMENTS")
        heading.setProperty("role", "section")
        above = QVBoxLayout()  # margins of a label's own may be lost with a change of its style sheet
        above.setContentsMargins(12, 12, 12, 4)
        above.addWidget(heading)
        self.left_layout.addLayout(above)
        self.left_layout.addWidget(scroll, 1)
        self.columns = QSplitter(Qt.Orientation.Horizontal)
        self.columns.setObjectName("columns")
        self.columns.setHandleWidth(1)
        body = QHBoxLayout()
        body.addWidget(self.columns)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(body, 1)
        layout.addWidget(self.notice)
        layout.addWidget(self.transport)
        for part in (self.left, self.view, self.lesson):
            part.hide()  # until it is dressed: to work out how it looks takes half as long when it is in its place
            self.columns.addWidget(part)
        self.columns.setStretchFactor(1, 1)
        self.columns.setCollapsible(1, False)
        self._empty = True  # nothing is seen yet
        self._seen: dict[QWidget, bool] = {}  # of the columns beside the plots
        self._stale: list[Callable[[], None]] = []  # what is to be done until all parts have the page's theme
        self._turns = Turns(0, self)
        self._turns.due.connect(self._turn)
        self._begin_theme(self.theme)

    # -- a little in every turn of the event loop ----------------------------------------------------------------------

    def showEvent(self, event: QShowEvent) -> None:
        """Its parts are made ready one after another, and seen when all are: to work out how they look takes too long
        for one go."""
        super().showEvent(event)
        if self._empty or self._stale or self._waiting():
            self._begin_turns()

    def _begin_turns(self) -> None:
        self.setUpdatesEnabled(False)
        self._turns.start()

    @Slot()
    def _turn(self) -> None:
        if not self.isVisible():
            self._turns.stop()  # until it is seen: whoever is seen now has turns of its own
            self._pump.wake()
            return
        self._pump.rest()
        if not self.form.fill(SHORT):
            pass
        elif not self.lesson.loaded:
            self._fill_lesson()
        elif self._stale:
            self._stale.pop(0)()
        elif self._waiting():
            self._show_next()
        else:
            self._empty = False
            self._turns.stop()
            self.dressed.emit()
            self._pump.wake()
            self.setUpdatesEnabled(True)

    def _fill_lesson(self) -> None:
        self.lesson.load(self.experiment.id, self.experiment.section)
        self.lesson.set_presets(list(self.presets))
        self.lesson.set_prediction(self.questions.current)

    def _waiting(self) -> list[QWidget]:
        """The parts that are still to be shown; the plots last, so that they are laid out once."""
        return [p for p in (self.left, self.lesson, self.view) if p.isHidden() and self._seen.get(p, True)]

    def _show_next(self) -> None:
        self._waiting()[0].show()
        if not self._waiting():
            self._share_width()

    def _dress_handles(self) -> None:
        for place in range(1, self.columns.count()):
            handle = self.columns.handle(place)
            handle.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            dress(handle, self.theme)

    # -- looks ---------------------------------------------------------------------------------------------------------

    def change_theme(self, theme: Theme) -> None:
        """Have another theme soon: part after part, and seen when all have it."""
        self._begin_theme(theme)
        self._begin_turns()

    def _begin_theme(self, theme: Theme) -> None:
        self.theme = theme
        if theme.scale != self._scale:  # wider type needs wider columns
            self._scale = theme.scale
            self._share_width()
        self._dress_handles()
        # Each part has a style sheet of its own: one for the page is worked out for all that is in it in one go.
        self._stale = []
        for part, themed in (
            (self.view, self.view), (self.left, self.form), (self.lesson, self.lesson),
            (self.transport, self.transport), (self.notice, self.notice),
        ):  # fmt: skip
            dressed = self.lesson.dressed if part is self.lesson else (part,)
            self._stale += [*(partial(dress, one, theme) for one in dressed), partial(themed.apply_theme, theme)]

    def show_columns(self, settings: bool, lesson: bool) -> None:
        """Which columns are to be seen beside the plots."""
        self._seen = {self.left: settings, self.lesson: lesson}
        if self._empty:
            return
        for part, seen in self._seen.items():
            if not seen:
                part.hide()
        while self._waiting() and not self._turns.isActive():
            self._show_next()

    def _share_width(self) -> None:
        sides = round(264 * self._scale), round(300 * self._scale)
        self.columns.setSizes([sides[0], max(300, self.width() - sum(sides)), sides[1]])

    def set_visible(self, visible: bool) -> None:
        """A page that is not looked at runs on with a smaller budget and draws nothing."""
        self.run.visible = visible

    def close_run(self) -> None:
        """Stop everything this page has under way."""
        self._turns.stop()
        self.run.close()
        self.view.rest()
