"""Second-order methods: Newton, BFGS, L-BFGS and nonlinear conjugate gradient, in NumPy for any n."""

from __future__ import annotations

from .conjugate import CG
from .inside import inside, numbers
from .method import Method, Objective, State, StepFailed
from .newton import NEWTON
from .quasi_newton import BFGS, LBFGS

__all__ = ["METHODS", "Method", "Objective", "State", "StepFailed", "inside", "numbers"]

METHODS: dict[str, Method] = {method.name: method for method in (NEWTON, BFGS, LBFGS, CG)}
