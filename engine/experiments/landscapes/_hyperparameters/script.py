"""The PyTorch script of a map of runs: some of its cells run again with torch.optim, and held to their ends.

How far each may be trusted is rehearsed in the app: its run is made again with every number shaken in its last digits.
Where that moves the end too far, rounding decides what becomes of the run and the script does not assert it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiments.landscapes._hyperparameters.map import Measured
from engine.experiments.landscapes._hyperparameters.refinement import lattice
from engine.experiments.landscapes._hyperparameters.settings import over
from engine.optimizers import RULES
from engine.torch_code import constructor, header, settings
from engine.torch_code.training_run import UNPACKED

WORK = 3_000  # steps of torch the script takes, about
TRIALS = 3
ROOM = 100.0  # how much farther than a shaken run the script may end
SHAKE = {"float64": 1e-13, "float32": 1e-6}
LEAST = {"float64": 1e-9, "float32": 1e-4}  # share of a number that it may be off in any case
SURE = 0.05  # a run that a shake moves by more than this share of its end is not asserted


def write(experiment: Any, spec: Any, end: Any) -> str:
    """A script that makes some of the runs in `end` again, the best one among them, and asserts how they end."""
    from engine.experiments.landscapes._hyperparameters import network_script, surface_script

    found = experiment.found(end)
    cells = chosen(found, spec)
    made = network_script if spec.on == "network" else surface_script
    written: str = made.text(spec, found, cells)
    return written


def chosen(found: Measured, spec: Any) -> list[int]:
    """The best run and some that lie even over the map, of those that ran."""
    from engine.experiments.landscapes._hyperparameters.pictures import best

    high = [axis.values.max() for axis in (found.across, found.up) if axis.field == "steps"]
    side, most = found.side, min(max(3, int(np.sqrt(WORK / (high or [spec.steps])[0]))), 5)
    at = lattice(side, -(-side // most))
    own = best(found, spec.colour)
    cells = [int(row) * side + int(column) for row in at for column in at]
    return sorted({cell for cell in [*cells, own] if cell >= 0 and found.ran[cell]})


def words(found: Measured, cell: int) -> str:
    """The two settings of a cell."""
    row, column = divmod(cell, found.side)
    across, up = found.across, found.up
    return f"{across.title.lower()} {across.words(column, 4)}, {up.title.lower()} {up.words(row, 4)}"


def told(spec: Any, found: Measured, cells: list[int], unsure: int) -> list[str]:
    """What the script says of itself."""
    lines = [
        f"{len(cells)} of the {found.side**2} runs of a map of {found.across.title.lower()} by "
        f"{found.up.title.lower()}; {RULES[spec.optimizer].title} ({spec.convention} convention)"
        + ("." if "steps" in over(spec) else f", {spec.steps} steps each."),
    ]
    if unsure:
        lines.append(
            f"{unsure} of them let rounding grow so far that two libraries need not agree; they are shown and not "
            "asserted (tolerance None)."
        )
    return [*lines, "Written by Descent Lab. It needs torch and NumPy and nothing else."]


def maker(spec: Any, rate: float, hypers: dict[str, float]) -> str:
    """A function that makes a cell's optimizer, as text."""
    rule, convention = spec.optimizer, spec.convention
    return f"lambda p: {constructor(rule, convention, settings(rule, convention, rate, hypers))}"


def cells_text(rows: Sequence[tuple[str, ...]]) -> str:
    """The table of cells, as text."""
    return "\n".join(["CELLS = [", *(f"    ({', '.join(row)})," for row in rows), "]"])


def program(title: str, told: list[str], dtype: str, parts: list[str]) -> str:
    """The whole script out of its parts; imports and helpers are those that the parts use."""
    body = "\n\n".join(part.strip("\n") + "\n" for part in parts if part)
    if "unpacked(" in body:
        body = UNPACKED + "\n\n" + body
    imports = [f"import {name}" for name in ("base64", "zlib") if re.search(rf"\b{name}\.", body)]
    imports += [*([""] if imports else []), "import numpy as np", "import torch", "",
                f"torch.set_default_dtype(torch.{dtype})", "torch.set_num_threads(1)"]  # fmt: skip
    return header(title, told, imports) + "\n\n" + body
