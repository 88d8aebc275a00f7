"""Many starts on one surface at once, without the GIL: the lanes of a basin map.

Lanes are taken in blocks, each for all its steps: what belongs to a block stays in the first-level cache, the cost of
a call is shared by its lanes, and the compiled surface and rule run as vectors. Rules know no coordinates, so one call
updates the x and the y of a block. A lane's bits depend on that lane alone, whatever block or thread it came to.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any

from engine.compile_cache import use_cache

use_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402

from engine.formula.call import call_gradient, call_look_ahead, call_update  # noqa: E402

BLOCK = 512  # lanes; a row of them is half a page or a whole one, so that no load waits for a store a page away
PART = 4 * BLOCK  # what a thread takes at a time
LINE = 64  # bytes of a cache line and of the widest vector: one that crosses two lines takes twice the time


@njit(nogil=True, cache=True, error_model="numpy")
def descend(gradient, update, look_ahead, x, y, states, first, steps, rate, h, low, high):  # type: ignore[no-untyped-def]
    """Take `steps` steps with the lanes from `low` to before `high`, in place.

    `gradient`, `update`, `look_ahead`: addresses for the precision of x and y (look_ahead 0: the gradient is wanted
    where the lanes are). x, y: [lanes]; states: [3, 2, lanes]; `first`: number of the first step, from 1; h:
    hyper-parameters, float64.
    """
    aligned = np.empty(13 * BLOCK + LINE // x.itemsize, x.dtype)
    aligned = aligned[(-aligned.ctypes.data % LINE) // x.itemsize :]
    pairs = aligned[: 12 * BLOCK].reshape(6, 2 * BLOCK)  # x beside y of: lanes, gradient, three states, look-ahead
    f = aligned[12 * BLOCK :]
    for begin in range(low, high, BLOCK):
        end = min(begin + BLOCK, high)
        n = end - begin
        p, g, s0, s1, s2, at = pairs[0], pairs[1], pairs[2], pairs[3], pairs[4], pairs[5]
        u, v, gu, gv, at_u, at_v = p[:n], p[n:], g[:n], g[n:], at[:n], at[n:]
        u[:], v[:n] = x[begin:end], y[begin:end]
        for i in range(3):
            pairs[2 + i, :n], pairs[2 + i, n : 2 * n] = states[i, 0, begin:end], states[i, 1, begin:end]
        for k in range(steps):
            if look_ahead != 0:
                call_look_ahead(look_ahead, 2 * n, p, s0, at, rate, h)
                call_gradient(gradient, n, at_u, at_v, f, gu, gv)
            else:
                call_gradient(gradient, n, u, v, f, gu, gv)
            call_update(update, 2 * n, p, g, s0, s1, s2, first + k, rate, h)
        x[begin:end], y[begin:end] = u, v[:n]
        for i in range(3):
            states[i, 0, begin:end], states[i, 1, begin:end] = pairs[2 + i, :n], pairs[2 + i, n : 2 * n]


class Lanes:
    """Threads that share out lanes among themselves; the one that asks is one of them. Close it, or use `with`.

    Whoever computes maps keeps one. It serves one caller at a time.
    """

    def __init__(self, threads: int) -> None:
        if threads < 1:
            raise ValueError(f"{threads} threads are not possible: give 1 or more")
        self._helpers = threads - 1
        self._pool = ThreadPoolExecutor(self._helpers, "lanes") if self._helpers else None

    def descend(self, gradient: int, update: int, look_ahead: int, x: Any, y: Any, states: Any, first: int,
                steps: int, rate: float, h: Any) -> None:  # fmt: skip
        """`descend` with all lanes, in place; the result is the same to the bit, whatever the number of threads."""

        def work(low: int, high: int) -> None:
            descend(gradient, update, look_ahead, x, y, states, first, steps, rate, h, low, high)

        self.share(len(x), work)

    def share(self, lanes: int, work: Callable[[int, int], None]) -> None:
        """Call `work(low, high)` for parts that together are all lanes; it must not hold the interpreter lock long."""
        parts = iter(range(0, lanes, PART))  # one iterator for all threads: no part is handed out twice

        def run() -> None:
            for low in parts:
                work(low, min(low + PART, lanes))

        helping = [self._pool.submit(run) for _ in range(self._helpers)] if self._pool else []
        try:
            run()
        finally:
            wait(helping)  # they write into the caller's arrays
        for one in helping:
            one.result()

    def close(self) -> None:
        """End the threads."""
        if self._pool:
            self._pool.shutdown()

    def __enter__(self) -> Lanes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
