"""The worker thread that runs every session, and the frozen messages it exchanges with the pages.

A page sends commands (`Pump.send`) and gets one `Batch` for each. Commands are carried out in order, one at a time;
each takes a few milliseconds, so that a page never waits long. Nothing but frozen messages crosses the threads.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from engine.experiments import load
from engine.session.branches import Event, SessionView
from engine.session.commands import script
from engine.session.files import Saved, rebuild
from engine.session.session import Session
from engine.spec import Spec, SpecError
from engine.turns import give_way, giving_way
from gui.gate import Gate

REST = 300  # milliseconds
Probes = Mapping[str, tuple[str, Mapping[str, Any]]]  # the asker's name for it -> (probe, what is asked)


@dataclass(frozen=True)
class Command:
    """Something to do for one run. `probes` are answered in the batch."""

    run: int
    probes: Probes = field(default_factory=dict)


@dataclass(frozen=True)
class Open(Command):
    """Begin a run, or take up a saved one."""

    experiment: str = ""
    spec: Spec | None = None
    events: Sequence[Event] = ()
    document: Saved | None = None


@dataclass(frozen=True)
class Grant(Command):
    """Run at most `steps` steps within about `seconds`."""

    steps: int = 0
    seconds: float = 0.02


@dataclass(frozen=True)
class Seek(Command):
    """Go to a measured step."""

    step: int = 0


@dataclass(frozen=True)
class Live(Command):
    """Change a live field from the step in hand on."""

    key: str = ""
    value: Any = None


@dataclass(frozen=True)
class Fork(Command):
    """Begin a branch at the step in hand."""


@dataclass(frozen=True)
class Switch(Command):
    """Go to another branch."""

    branch: int = 0


@dataclass(frozen=True)
class Look(Command):
    """Answer probes, change nothing."""


@dataclass(frozen=True)
class Script(Command):
    """Write the PyTorch script of the run up to here."""


@dataclass(frozen=True)
class Shut(Command):
    """Forget the run."""


@dataclass(frozen=True)
class Batch:
    """The answer to one command.

    `view`: the session as it now stands (None before it is there). `probes`: the answers by the asker's name.
    `problem`: one line for the reader, where the command was refused. `details`: a traceback, where something failed
    that should not have. `text` answers Script; `progress` is a word on what is under way, more batches follow.
    """

    run: int
    command: Command
    view: SessionView | None = None
    moved: int = 0
    probes: Mapping[str, Any] = field(default_factory=dict)
    problem: str = ""
    details: str = ""
    text: str = ""
    progress: str = ""


class _Abandoned(BaseException):
    """Nobody waits any more for what is being computed. No error that an experiment could take for its own."""


class _Worker(QObject):
    """Lives in the thread. Holds the sessions; nobody else touches them."""

    answered = Signal(object)

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self.sessions: dict[int, Session] = {}
        self.stopping = False
        self.shut: set[int] = set()  # runs that nobody waits for any more, though commands of theirs are still queued
        self.begun = self.done = 0  # commands
        self._gate = gate

    @Slot(object)
    def carry_out(self, command: Command) -> None:
        """Do what a command says and answer with one batch."""

        def wait() -> None:
            if self.stopping or command.run in self.shut:
                raise _Abandoned
            self._gate.wait()

        self.begun += 1
        try:
            with giving_way(wait):
                self._carry_out(command)
        except _Abandoned:
            pass
        finally:
            self.done += 1

    def _carry_out(self, command: Command) -> None:
        if self.stopping:
            return
        if isinstance(command, Shut):
            self.sessions.pop(command.run, None)
            self.shut.discard(command.run)
        elif command.run in self.shut:
            return  # a newer run took its place: a slider in hand is not kept waiting by where it was
        answer: dict[str, Any] = {}
        try:
            answer = self._do(command)
        except SpecError as error:
            answer = {"problem": str(error)}
        except Exception as error:  # the run in hand must live on, and the reader must be told
            answer = {"problem": f"{type(error).__name__}: {error}", "details": traceback.format_exc()}
        session = self.sessions.get(command.run)
        probes: dict[str, Any] = {}
        if session is not None:
            for name, (probe, asked) in command.probes.items():
                give_way()
                try:
                    probes[name] = session.probe(probe, **asked)
                except Exception as error:
                    answer.setdefault("problem", f"{probe}: {error}")
                    answer.setdefault("details", traceback.format_exc())
        if not self.stopping:
            view = session.view() if session is not None else None
            self.answered.emit(Batch(command.run, command, view, probes=probes, **answer))

    def _do(self, command: Command) -> dict[str, Any]:
        if isinstance(command, Open):
            return self._open(command)
        session = self.sessions.get(command.run)
        if session is None:
            return {}
        match command:
            case Grant():
                return {"moved": session.advance(command.steps, command.seconds)}
            case Seek():
                session.seek(command.step)
            case Live():
                session.set_live(command.key, command.value)
            case Fork():
                session.fork()
            case Switch():
                session.switch(command.branch)
            case Script():
                return {"text": script(session)}
        return {}

    def _open(self, command: Open) -> dict[str, Any]:
        if command.document is not None:
            for session in rebuild(command.document):
                give_way()
                self.sessions[command.run] = session
                self.answered.emit(Batch(command.run, command, progress=f"running the file again: step {session.step}"))
            return {}
        assert command.spec is not None
        experiment = load(command.experiment)
        if experiment.preparing:
            self.answered.emit(Batch(command.run, command, progress=experiment.preparing))
        self.sessions[command.run] = Session(experiment, command.spec, command.events)
        return {}


class Pump(QObject):
    """The window's end of the worker thread. `batch` carries a Batch, in the window's thread."""

    batch = Signal(object)
    _command = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._gate = Gate(self._idle, self)
        self._thread = QThread(self)
        self._thread.setObjectName("descent-lab worker")
        self._worker = _Worker(self._gate)
        self._worker.moveToThread(self._thread)
        self._command.connect(self._worker.carry_out, Qt.ConnectionType.QueuedConnection)
        self._worker.answered.connect(self._forward, Qt.ConnectionType.QueuedConnection)
        self._thread.start(QThread.Priority.LowPriority)
        self._runs = self._sent = 0
        self._held = deque[Command]()  # while it rests
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.timeout.connect(self.wake)

    def new_run(self) -> int:
        """A number no run has had."""
        self._runs += 1
        return self._runs

    @property
    def resting(self) -> bool:
        """Whether commands are held back."""
        return self._rest.isActive()

    def rest(self, milliseconds: int = REST) -> None:
        """Hold commands back for so long, or until `wake`: the window has much to do at once, and a worker that runs
        Python beside it would keep the interpreter from it."""
        self._rest.start(milliseconds)

    @Slot()
    def wake(self) -> None:
        """Rest no more; what was held back goes its way."""
        self._rest.stop()
        while self._held:
            self._pass_on(self._held.popleft())

    def send(self, command: Command) -> None:
        """Queue a command; Shut also gives up those of its run that are not carried out yet."""
        if self._worker.stopping:
            return
        if isinstance(command, Shut):
            self._worker.shut.add(command.run)
        if self.resting:
            self._held.append(command)
        else:
            self._pass_on(command)

    def _pass_on(self, command: Command) -> None:
        self._sent += 1
        self._gate.begin()
        self._command.emit(command)

    def _idle(self) -> bool:
        return self._sent == self._worker.done

    @Slot(object)
    def _forward(self, batch: Batch) -> None:
        if not self._worker.stopping:
            self.batch.emit(batch)

    def close(self, most: int = 2**31 - 1) -> bool:
        """Stop the worker and wait for it, at most so many milliseconds: the one way down. Returns whether it ended."""
        self._worker.stopping = True
        self._rest.stop()
        self._gate.end()
        self._thread.quit()
        return bool(self._thread.wait(most))
