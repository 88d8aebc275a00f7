"""The settings of the schedules' curves: the run, and one form for each schedule."""

from __future__ import annotations

from typing import Any

from pydantic import create_model

from engine.experiments.schedules._shared.settings import LONGEST, NAMES, schedule_groups
from engine.spec import Spec, choice, number


class _Base(Spec):
    schedules: tuple[str, ...] = choice(
        ("constant", "step", "exponential", "cosine", "warmup_cosine"), NAMES, "Schedules", "Whose rate is drawn",
        group="Schedules",
    )  # fmt: skip
    base_lr: float = number(
        0.1, 1e-12, 1e6, "Peak rate", "The highest rate of every schedule (max_lr of cyclic and one-cycle)",
        live=True, log=True, group="Shared",
    )  # fmt: skip
    warmup_steps: int = number(
        10, 0, LONGEST, "Warm-up steps", "Of every schedule that warms up", log=True, group="Shared"
    )
    total_steps: int = number(
        100, 1, LONGEST, "Total steps", "How long the run is: steps 0 to this less one", log=True, group="Run"
    )
    seed: int = number(
        0, 0, 2**32 - 1, "Seed", "Of the gradient noise in the run that the plateau watches", group="Run"
    )


_NOISE = number(
    0.5, 0.0, 100.0, "Gradient noise",
    "Of the run whose loss it watches: gradient descent from (1, 1) on (x^2 + 10 y^2) / 2 with this standard deviation "
    "added to each coordinate of the gradient, at the rate it gives",
)  # fmt: skip
_groups: dict[str, Any] = schedule_groups(more={"plateau.noise": (float, _NOISE)})
CurvesSpec = create_model("CurvesSpec", __base__=_Base, **_groups)
