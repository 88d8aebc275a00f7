"""The watch itself: it tells where threads stand, and keeps nothing alive by having looked."""

from __future__ import annotations

import gc
import math
import threading
import weakref

import pytest

from tests.soak.watch import Hang, _stacks, _stolen


class Held:
    """Something a frame has in hand."""


def test_a_look_at_the_stacks_keeps_no_frame_alive() -> None:
    told: list[str] = []
    window = threading.get_ident()

    def looked_at() -> weakref.ref[Held]:
        held = Held()
        watch = threading.Thread(target=look)
        watch.start()
        looked.wait()  # the watch looks at this frame
        return weakref.ref(held)

    def look() -> None:
        told.append(_stacks(window))
        looked.set()
        gone.wait()  # and lives on

    looked, gone = threading.Event(), threading.Event()
    try:
        gc.disable()  # nor need the collector come for it
        held = looked_at()
        assert "looked_at" in told[0]
        assert held() is None
    finally:
        gc.enable()
        gone.set()


@pytest.mark.parametrize(
    ("wall", "computed", "waited", "stolen", "own"),
    [
        (0.6, 0.3, 0.0, 0.0, 0.6),  # it waited for another thread: its own fault
        (0.6, 0.3, 0.2, 0.0, 0.4),  # others had the core
        (0.6, 0.3, 0.0, 0.2, 0.4),  # the host had it
        (0.6, 0.3, 0.0, 5.0, 0.3),  # what was computed counts, whatever was taken from other cores
        (0.3, 0.3, 0.0, 5.0, 0.3),
        (0.6, 0.3, math.nan, 0.0, 0.6),  # where the system does not tell
    ],
)
def test_what_of_a_standstill_is_the_app_s_own(
    wall: float, computed: float, waited: float, stolen: float, own: float
) -> None:
    hang = Hang(wall, computed, waited, stolen, "play", "")
    assert hang.own == pytest.approx(own)
    assert "600 ms" in str(hang) or wall != 0.6
    assert _stolen() >= 0
