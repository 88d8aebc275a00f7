"""Ten million steps of landscapes.descent stay within a stated bound of memory, and every step can be had back exactly.

The bound: 64 MiB of rows, half as much again while they are thinned, snapshots of a few kilobytes, envelopes, and paths
thinned to what a picture shows, together 150 MiB. DESCENT_STEPS makes the run shorter.
"""

from __future__ import annotations

import random
import threading
import time

import pytest

from engine.experiments import load
from engine.session.history import BUDGET
from engine.session.session import Session
from engine.session.snapshots import HEAVIEST, MOST, digest, size
from engine.spec import build
from tests.soak.hands import seed_in_hand
from tests.soak.sizes import stated
from tests.soak.watch import as_the_app, held, resident

STEPS = stated("STEPS", 10_000_000)
BOUND = 150.0  # MiB
VISITS = 6
# One that never comes to rest: noise keeps every contestant on its way, with state of its own in each.
SETTINGS = {
    "surface": "ravine", "optimizers": ("sgd", "momentum", "adam", "lion"), "learning_rate": 1e-4, "noise": 0.5,
    "steps": STEPS,
}  # fmt: skip


class Peak:
    """The most memory this process ever had while it was watched, MiB."""

    def __init__(self) -> None:
        self.most = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.05):
            self.most = max(self.most, held())


@pytest.mark.timeout(7200)
def test_ten_million_steps(capsys: pytest.CaptureFixture[str]) -> None:
    experiment = load("landscapes.descent")
    spec = build(experiment.Spec, SETTINGS)
    dice = random.Random(seed_in_hand(1))
    Session(experiment, spec).advance(20_000)  # kernels are loaded
    before, began = resident(), time.monotonic()
    with Peak() as peak, as_the_app():
        session = Session(experiment, spec)
        while session.step < STEPS and session.advance(STEPS - session.step, 0.2):
            session.view()
    ran = time.monotonic() - began
    kept = resident()
    assert session.step == STEPS and session.finish == "done"
    end = digest([session.state, session.row])

    branch = session.branch
    states = [size(state) for state in branch.snapshots._states]
    rows = sum(column.nbytes for column in branch.history.view().values.values())
    assert rows <= BUDGET and len(states) <= MOST and sum(states) <= HEAVIEST

    visits, slowest = sorted(dice.sample(range(STEPS), VISITS)), 0.0
    fresh = Session(experiment, spec, budget=2**20)
    truth = {}
    for step in visits:  # a run that never went further than here
        fresh.advance(step - fresh.step)
        truth[step] = digest([fresh.state, fresh.row])
    for step in dice.sample(visits, VISITS):
        asked = time.monotonic()
        session.seek(step)
        slowest = max(slowest, time.monotonic() - asked)
        assert session.step == step and digest([session.state, session.row]) == truth[step], step
    session.seek(STEPS)
    assert digest([session.state, session.row]) == end
    with capsys.disabled():
        print(
            f"\n{STEPS:,} steps of {len(session.series)} contestants in {ran:.0f} s: {kept - before:+.0f} MiB kept, "
            f"{peak.most - before:+.0f} at the most (bound {BOUND:.0f}); {rows / 2**20:.0f} MiB of rows, "
            f"{len(states)} snapshots of {max(states)} bytes; back to {VISITS} random steps, exact, each in "
            f"{slowest:.2f} s at the most",
            flush=True,
        )
    assert kept - before < BOUND and peak.most - before < BOUND
