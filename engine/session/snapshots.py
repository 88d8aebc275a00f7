"""Copies of the state to step back from, spaced by the time a replay would take."""

from __future__ import annotations

import bisect
import copy
import dataclasses
import hashlib
from typing import Any

import numpy as np

MOST = 400  # snapshots one branch keeps; then every second one goes
HEAVIEST = 256 * 2**20  # bytes of arrays in them, or again every second one goes
SPACING = 0.05  # seconds of computing between two snapshots


class Snapshots:
    """Copies of a branch's state by step."""

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._states: list[Any] = []
        self._size = 0  # bytes of the largest one
        self.spacing = SPACING

    def put(self, step: int, state: Any) -> None:
        """Keep a copy of the state at a step; a step kept already stays as it is."""
        i = bisect.bisect_left(self._steps, step)
        if i < len(self._steps) and self._steps[i] == step:
            return
        self._steps.insert(i, step)
        self._states.insert(i, copy.deepcopy(state))
        self._size = max(self._size, size(state))
        # keep the first (a branch starts there) and thin the rest
        while len(self._steps) > 2 and (len(self._steps) > MOST or len(self._steps) * self._size > HEAVIEST):
            self._steps[1:] = self._steps[2::2]
            self._states[1:] = self._states[2::2]
            self.spacing *= 2

    def before(self, step: int) -> tuple[int, Any] | None:
        """The latest kept step at or before `step`, with a fresh copy of its state; None where there is none."""
        i = bisect.bisect_right(self._steps, step) - 1
        return None if i < 0 else (self._steps[i], copy.deepcopy(self._states[i]))

    def nearest(self, step: int) -> int | None:
        """The latest kept step at or before `step`."""
        i = bisect.bisect_right(self._steps, step) - 1
        return None if i < 0 else self._steps[i]


def size(state: Any) -> int:
    """Bytes of all arrays in a state that a copy of it holds of its own: what is frozen or shared counts nothing."""
    if isinstance(state, np.ndarray):
        return state.nbytes if state.flags.writeable else 0
    if isinstance(state, dict):
        return sum(size(value) for value in state.values())
    if isinstance(state, (list, tuple)):
        return sum(size(value) for value in state)
    if dataclasses.is_dataclass(state):
        fields = dataclasses.fields(state)
        return sum(size(getattr(state, f.name)) for f in fields if not f.metadata.get("scratch"))
    return 0


def digest(state: Any) -> str:
    """A fingerprint of a state: equal exactly when every number and array in it is equal bit for bit."""
    sha = hashlib.sha256()
    _feed(sha, state)
    return sha.hexdigest()


def _feed(sha: Any, value: Any) -> None:
    if isinstance(value, np.ndarray):
        sha.update(f"{value.dtype.str}{value.shape}".encode())
        sha.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, np.random.Generator):
        _feed(sha, value.bit_generator.state)
    elif dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            if field.metadata.get("scratch"):
                continue
            sha.update(field.name.encode())
            _feed(sha, getattr(value, field.name))
    elif isinstance(value, dict):
        sha.update(f"{{{len(value)}".encode())
        for key in sorted(value, key=str):
            _feed(sha, str(key))
            _feed(sha, value[key])
    elif isinstance(value, (list, tuple)):
        sha.update(f"[{len(value)}".encode())
        for item in value:
            _feed(sha, item)
    elif isinstance(value, float):
        sha.update(np.float64(value).tobytes())
    elif value is None or isinstance(value, (bool, int, str, bytes, np.generic)):
        sha.update(f"{value!r};".encode())  # with an end, or 1, 23 would be 12, 3
    else:
        raise TypeError(f"a state may not hold a {type(value).__name__}")
