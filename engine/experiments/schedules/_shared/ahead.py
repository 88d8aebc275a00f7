"""What the schedules will ask for: the rates of a whole run, known before it begins."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.experiments.schedules._shared.settings import parameters
from engine.picture import Line, Lines
from engine.schedules import rates

PLATEAU = "plateau"
POINTS = 1024  # of a line; each stands for a block of steps with its lowest and highest rate


def ahead(spec: Any, first: int = 0) -> Lines:
    """The rate of every schedule over the whole run, from abscissa `first` on; the plateau's is not known before its
    loss is measured."""
    total = int(spec.total_steps)
    block = -(-total // POINTS)
    cuts = np.arange(0, total, block)
    lines = []
    for name in spec.schedules:
        if name == PLATEAU:
            continue
        rate = rates(name, np.arange(total), total, spec.base_lr, **parameters(spec, name))
        low, high = (f.reduceat(rate, cuts) if block > 1 else None for f in (np.minimum, np.maximum))
        lines.append(Line(name, first + cuts, rate[cuts], low, high, series=name))
    return Lines(tuple(lines))
