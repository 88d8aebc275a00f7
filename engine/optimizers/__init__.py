"""First-order optimizers: every rule once (`rules`), described (`catalogue`), compiled and looked into.

Importing this package loads neither Numba nor torch; Numba comes with the first kernel asked for.
"""

from __future__ import annotations

from .catalogue import RULES
from .compiled import apply, look_ahead, look_ahead_address, new_states, update_address, warm
from .inside import inside, numbers
from .rule import CONVENTIONS, Convention, Hyper, Rule, StateNumber

__all__ = [
    "CONVENTIONS",
    "RULES",
    "Convention",
    "Hyper",
    "Rule",
    "StateNumber",
    "apply",
    "inside",
    "look_ahead",
    "look_ahead_address",
    "new_states",
    "numbers",
    "update_address",
    "warm",
]
