"""Many starts on one surface at once, without the GIL: the lanes of a basin map.

Lanes are taken in blocks, each for all its steps: what belongs to a block stays in the first-level cache, the cost of
a call is shared by its lanes, and the compiled surface and rule run as vectors. Rules know no coordinates, so one call
updates the x and the y of a block. A lane's bits depend on that lane alone, whatever block or thread it came to.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor, wait
from types import TracebackType
from typing import Any

from engine.compile_cache import use_cache

use_cache()

import numpy as np  # noqa: E402
from numba import njit  # noqa: E402

from engine.formula.call import call_gradient, call_look_ahead, call_update  # noqa: E402

BLOCK = 1024  # lanes at most
LINE = 64  # bytes of a cache line and of the widest vector: one that crosses two lines takes twice the time
ROWS = 13  # of a block: points, their gradients, three states of 2 each; values; where a gradient is taken


@njit(nogil=True, cache=True, error_model="numpy")
def descend(gradient, update, look_ahead, x, y, states, first, steps, rate, h, low, high):  # type: ignore[no-untyped-def]
    """Take `steps` steps with the lanes from `low` to before `high`, in place. `Lanes` gives it a block at a time.

    `gradient`, `update`, `look_ahead`: addresses for the precision of x and y (look_ahead 0: the gradient is wanted
    where the lanes are). x, y: [lanes]; states: [3, 2, lanes]; `first`: number of the first step, from 1; h:
    hyper-parameters, float64.
    """
    n = high - low
    room = np.empty(ROWS * n + LINE // x.itemsize, x.dtype)
    room = room[(-room.ctypes.data % LINE) // x.itemsize :]
    u, v, p = room[:n], room[n : 2 * n], room[: 2 * n]
    gu, gv, g = room[2 * n : 3 * n], room[3 * n : 4 * n], room[2 * n : 4 * n]
    s = room[4 * n : 10 * n].reshape(3, 2, n)
    s0, s1, s2 = room[4 * n : 6 * n], room[6 * n : 8 * n], room[8 * n : 10 * n]
    f, at_u, at_v, at = room[10 * n : 11 * n], room[11 * n : 12 * n], room[12 * n : 13 * n], room[11 * n : 13 * n]
    u[:], v[:] = x[low:high], y[low:high]
    s[:] = states[:, :, low:high]
    for k in range(steps):
        if look_ahead != 0:
            call_look_ahead(look_ahead, 2 * n, p, s0, at, rate, h)
            call_gradient(gradient, n, at_u, at_v, f, gu, gv)
        else:
            call_gradient(gradient, n, u, v, f, gu, gv)
        call_update(update, 2 * n, p, g, s0, s1, s2, first + k, rate, h)
    x[low:high], y[low:high] = u, v
    states[:, :, low:high] = s


def blocks(lanes: int, threads: int) -> list[tuple[int, int]]:
    """Where blocks begin and end: as many for each thread, whole vectors, all but the last of one size."""
    wanted = math.ceil(lanes / BLOCK / threads) * threads
    size = 16 * math.ceil(lanes / max(wanted, 1) / 16)
    return [(low, min(low + size, lanes)) for low in range(0, lanes, max(size, 1))]


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
        parts = iter(blocks(len(x), self._helpers + 1))  # of a list: no part is handed out twice

        def work() -> None:
            for low, high in parts:
                descend(gradient, update, look_ahead, x, y, states, first, steps, rate, h, low, high)

        helping = [self._pool.submit(work) for _ in range(self._helpers)] if self._pool else []
        try:
            work()
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
