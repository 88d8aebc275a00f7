"""The schedulers of a run in PyTorch's words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from engine.experiments.schedules._shared.settings import parameters
from engine.schedules import SCHEDULES
from engine.torch_code import section
from engine.torch_code.schedules import constructor

Pieces = list[tuple[int, Any]]  # (first step whose rate these settings make, settings)


def function(name: str, schedule: str, spec: Any) -> str:
    """A function of an optimizer that makes one scheduler."""
    own = parameters(spec, schedule)
    warmup = own.pop("warmup", 0)
    lines = constructor(schedule, own, spec.total_steps, spec.base_lr, warmup=warmup)
    inner = "\n".join(f"    {line}".rstrip() for line in [*lines, "return scheduler"])
    inner = re.sub(r"\n{3,}", "\n\n", inner)
    inner = re.sub(r"\n    scheduler = (.*)\n    return scheduler$", r"\n    return \1", "\n" + inner)
    return (
        f'def {name}(optimizer):\n    """{SCHEDULES[schedule].title}, from a peak rate of {spec.base_lr!r}."""{inner}\n'
    )


def schedulers(names: Sequence[str], pieces: Pieces) -> str:
    """Functions that make the schedulers, and the table SCHEDULERS: name -> [(first step, peak rate, function)]."""
    functions, table = [], []
    for name in names:
        made = []
        for i, (first, spec) in enumerate(pieces):
            own = f"{name}_{i}" if len(pieces) > 1 else name
            functions.append(function(own, name, spec))
            made.append(f"({first}, {spec.base_lr!r}, {own})")
        table.append(f'    "{name}": [{", ".join(made)}],')
    lines = ["# From which step on, at which peak rate, by which scheduler.", "SCHEDULERS = {", *table, "}"]
    return "\n\n".join([section("The schedulers"), *functions, "\n".join(lines)])
