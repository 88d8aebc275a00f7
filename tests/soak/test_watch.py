"""The watch itself: it tells where threads stand, and keeps nothing alive by having looked."""

from __future__ import annotations

import gc
import threading
import weakref

from tests.soak.watch import _stacks


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
