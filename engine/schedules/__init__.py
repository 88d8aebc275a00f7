"""Learning-rate schedules: step numbers in, rates out. Pure functions, but for reduce on plateau, a small machine.

`rates("cosine", steps, total, peak, T_max=50)` is the rate in force at each step; SCHEDULES says what there is, with
parameters, formulas and sources. Where torch.optim.lr_scheduler has a schedule its names and values are torch's.
"""

from __future__ import annotations

from .catalogue import PLATEAU, SCHEDULES
from .chapter import chapter_rates
from .drawn import check_knots
from .plateau import Plateau, PlateauState
from .rates import momenta, rates
from .schedule import TOTAL, Parameter, Schedule

__all__ = [
    "PLATEAU", "SCHEDULES", "TOTAL", "Parameter", "Plateau", "PlateauState", "Schedule", "chapter_rates",
    "check_knots", "momenta", "rates",
]  # fmt: skip
