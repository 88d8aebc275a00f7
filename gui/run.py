"""One run as a page sees it: what it asks of the worker, at which pace, and what came back.

No widget in here; a page connects to its signals. Frames come at 30 a second. At every frame the run hands the
worker a budget (two at the most are under way, so that the worker never waits for the window), and shows the newest
answer once, however many came in.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot

from engine.session.branches import Event, SessionView
from engine.session.files import Saved
from engine.spec import Spec
from gui.pump import Batch, Command, Fork, Grant, Live, Look, Open, Probes, Pump, Script, Seek, Shut, Switch

FRAME = 33  # milliseconds
WAITING = 2  # grants under way at once
SHARE = 0.8  # of a frame one grant takes, so that every frame has news
PROBES = 0.1  # seconds between two answers to probes at full speed: more cannot be read, and they cost steps


class Run(QObject):
    """The controls of one run. Signals: `shown(view, probes)` at most once a frame; `changed` when it starts or
    stops running; `refused(line, details)`; `scripted(text)`; `working(word)` while something takes long."""

    shown = Signal(object, object)
    changed = Signal()
    refused = Signal(str, str)
    scripted = Signal(str)
    working = Signal(str)

    def __init__(self, pump: Pump, experiment: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._pump, self._experiment = pump, experiment
        self._pump.batch.connect(self._take)
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(FRAME)
        self._timer.timeout.connect(self._frame)
        self.run = 0
        self.view: SessionView | None = None
        self.running = False
        self.speed = 60.0  # steps a second; inf: as fast as it goes
        self.visible = True
        self._probes: dict[str, Any] = {}
        self._fresh = False
        self._granted = 0
        self._owed = 0.0  # steps the speed allows but that were not granted yet
        self._last = 0.0
        self._asked = 0.0
        self._seek: int | None = None
        self._seeking = False
        self._opening = False
        self._rushing = False  # to the end, whatever the speed
        self._todo = 0  # steps of `step(n)` still to run
        self.wanted: Probes = {}

    @property
    def busy(self) -> bool:
        """Whether an answer is still awaited."""
        return self._opening or self._seeking or self._granted > 0 or self._todo > 0 or self._fresh

    @property
    def opening(self) -> bool:
        """Whether a run was begun of which nothing came back yet: `view` is still of the one before."""
        return self._opening

    # -- asking ------------------------------------------------------------------------------------------------------

    def open(self, spec: Spec, events: Sequence[Event] = ()) -> None:
        """Begin anew with these settings; the run before is forgotten."""
        self._begin()
        self._send(Open(self.run, self.wanted, self._experiment, spec, tuple(events)))

    def take_up(self, document: Saved) -> None:
        """Run a saved experiment again up to where it stood."""
        self._begin()
        self._send(Open(self.run, self.wanted, self._experiment, None, (), document))

    def _begin(self) -> None:
        if self.run:
            self._pump.send(Shut(self.run))
        self.run = self._pump.new_run()
        self._granted, self._seek, self._seeking, self._opening = 0, None, False, True
        self._fresh, self._probes = False, {}  # what came of the run before is not shown any more
        self.pause()
        self.working.emit("preparing")

    def _send(self, command: Command) -> None:
        self._pump.send(command)
        self._wake()

    def _wake(self) -> None:
        """Let frames come; those under way keep their beat."""
        if not self._timer.isActive():
            self._timer.start()

    def play(self) -> None:
        """Run until the end or `pause`."""
        if self.view is None or self.running:
            return
        self.running = True
        self._owed, self._last = 0.0, time.monotonic()
        self._timer.start()
        self.changed.emit()

    def to_end(self) -> None:
        """Run until the end or `pause`, as fast as it goes."""
        self._rushing = True
        self.play()

    def pause(self) -> None:
        """Stop granting; what is under way comes in."""
        self._todo, self._rushing = 0, False
        if self.running:
            self.running = False
            self.changed.emit()

    def step(self, n: int) -> None:
        """Run n steps at once, budget by budget."""
        self.pause()
        if self.run and not self._opening:
            self._todo = n
            self._granted += 1
            self._send(Grant(self.run, self.wanted, n, FRAME / 1000))

    def seek(self, step: int) -> None:
        """Go to a measured step; while one seek is under way only the newest wish is kept."""
        self.pause()
        self._seek = step
        self._next_seek()

    def back(self, n: int) -> None:
        """Step back."""
        if self.view is not None:
            here = self._seek if self._seek is not None else self.view.step
            self.seek(max(0, here - n))

    def _next_seek(self) -> None:
        if self._seek is not None and not self._seeking and not self._opening:
            self._seeking = True
            self._send(Seek(self.run, self.wanted, self._seek))
            self._seek = None

    def live(self, key: str, value: Any) -> None:
        """Change a live field."""
        self._send(Live(self.run, self.wanted, key, value))

    def fork(self) -> None:
        """Begin a branch here."""
        self._send(Fork(self.run, self.wanted))

    def switch(self, index: int) -> None:
        """Go to another branch."""
        self.pause()
        self._send(Switch(self.run, self.wanted, index))

    def look(self, probes: Probes) -> None:
        """Ask for pictures of the state in hand."""
        if self.run:
            self._send(Look(self.run, probes))

    def script(self) -> None:
        """Ask for the PyTorch script up to here."""
        if self.run:
            self._send(Script(self.run))

    # -- answers -----------------------------------------------------------------------------------------------------

    @Slot(object)
    def _take(self, batch: Batch) -> None:
        if batch.run != self.run:
            return  # of a run that was replaced meanwhile
        if batch.progress:
            self.working.emit(batch.progress)
            return
        command = batch.command
        if isinstance(command, Open):
            self._opening = False
            self.working.emit("")
        elif isinstance(command, Grant):
            self._granted = max(0, self._granted - 1)
            self._todo = max(0, self._todo - batch.moved) if batch.moved else 0
            if self._todo and not batch.problem:
                self._granted += 1
                self._pump.send(Grant(self.run, self.wanted, self._todo, FRAME / 1000))
        elif isinstance(command, Seek):
            self._seeking = False
        if batch.problem:
            self.pause()
            self.refused.emit(batch.problem, batch.details)
        if batch.text:
            self.scripted.emit(batch.text)
        if batch.view is not None:
            self.view = batch.view
            self._probes |= batch.probes
            self._fresh = True
            self._wake()  # an answer slower than a frame finds it stopped
            if self.running and batch.view.finish is not None:
                self.pause()
            if isinstance(command, Open):
                self._frame()  # the first look at a run does not wait for its turn: a slider may be in hand
        self._next_seek()

    @Slot()
    def _frame(self) -> None:
        if self.running and self.view is not None:
            self._grant()
        if self._fresh and self.view is not None:
            self._fresh = False
            probes, self._probes = self._probes, {}
            self.shown.emit(self.view, probes)
        elif not self.running and not self._seeking and not self._opening and not self._granted:
            self._timer.stop()

    def _grant(self) -> None:
        now = time.monotonic()
        if self._pump.resting:
            self._last = now  # nor is it owed later
            return
        budget = FRAME / 1000 * (SHARE if self.visible else 0.3)
        if self._rushing or math.isinf(self.speed):
            while self._granted < WAITING:
                self._granted += 1
                due = now - self._asked >= PROBES
                self._asked = now if due else self._asked
                self._pump.send(Grant(self.run, self.wanted if due else {}, 10**9, budget))
            return
        self._owed = min(self._owed + self.speed * (now - self._last), max(1.0, self.speed / 5))
        self._last = now
        if self._owed >= 1 and self._granted < WAITING:
            steps = int(self._owed)
            self._owed -= steps
            self._granted += 1
            self._pump.send(Grant(self.run, self.wanted, steps, budget))

    def close(self) -> None:
        """Stop frames and forget the run."""
        self._timer.stop()
        self.running = False
        if self.run:
            self._pump.send(Shut(self.run))
