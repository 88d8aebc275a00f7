"""Activations: what each is, its formula, its value and derivatives for arrays, and its number in the kernels.

The kernels' own versions are in engine.networks.kernels; this module loads NumPy only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
_Formula = Callable[[Floats, float], Floats]

# The order is the kernels': an activation's code is its place here.
IDENTITY, SIGMOID, TANH, RELU, LEAKY_RELU, PRELU, ELU, GELU, SILU, MISH = range(10)


@dataclass(frozen=True, eq=False)
class Activation:
    """An activation with its first and second derivative.

    `slope` is the default of its parameter (nan: it has none), `slope_title` what that parameter is. At a kink the
    derivative is the left one, as in torch. `value`, `first` and `second` take arrays of any shape.
    """

    name: str
    title: str
    code: int
    latex: str
    first_latex: str
    source: str
    formulas: tuple[_Formula, _Formula, _Formula]
    slope: float = math.nan
    slope_title: str = ""

    @property
    def learns(self) -> bool:
        """True where the slope is a parameter that training changes."""
        return self.code == PRELU

    def _apply(self, order: int, x: ArrayLike, slope: float) -> Floats:
        at = np.asarray(x, np.float64)
        # Where one branch of a formula overflows, the other is taken.
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            return self.formulas[order](at, self.slope if math.isnan(slope) else slope)

    def value(self, x: ArrayLike, slope: float = math.nan) -> Floats:
        """f(x), float64 of the shape of x; `slope` nan takes the default."""
        return self._apply(0, x, slope)

    def first(self, x: ArrayLike, slope: float = math.nan) -> Floats:
        """f'(x)."""
        return self._apply(1, x, slope)

    def second(self, x: ArrayLike, slope: float = math.nan) -> Floats:
        """f''(x) (0 at kinks)."""
        return self._apply(2, x, slope)


def _sigmoid(x: Floats, slope: float = 0.0) -> Floats:
    fall = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0, fall) / (1.0 + fall)


def _sigmoid_1(x: Floats, slope: float = 0.0) -> Floats:
    fall = np.exp(-np.abs(x))
    return np.asarray(fall / (1.0 + fall) ** 2)


def _sigmoid_2(x: Floats, slope: float = 0.0) -> Floats:
    return np.asarray(-_sigmoid_1(x) * np.tanh(x / 2.0))


def _tanh_1(x: Floats, slope: float = 0.0) -> Floats:
    return 4.0 * _sigmoid_1(2.0 * x)  # 1 - tanh^2 would cancel far out


_erfc = np.frompyfunc(math.erfc, 1, 1)


def _normal(x: Floats) -> Floats:
    return 0.5 * np.asarray(_erfc(-x / math.sqrt(2.0)), np.float64)


def _density(x: Floats) -> Floats:
    return np.asarray(np.exp(-0.5 * x * x) / math.sqrt(2.0 * math.pi))


def _finite(x: Floats) -> Floats:
    """x with its infinities brought to where every bell curve is 0, so that 0 times infinity does not arise."""
    return np.clip(x, -1e150, 1e150)


def _gelu_1(x: Floats, slope: float) -> Floats:
    x = _finite(x)
    return _normal(x) + x * _density(x)


def _gelu_2(x: Floats, slope: float) -> Floats:
    x = np.clip(x, -1e75, 1e75)
    return np.asarray(_density(x) * (2.0 - x * x))


def _silu_1(x: Floats, slope: float) -> Floats:
    x = _finite(x)
    return _sigmoid(x) + x * _sigmoid_1(x)


def _silu_2(x: Floats, slope: float) -> Floats:
    x = _finite(x)
    return 2.0 * _sigmoid_1(x) + x * _sigmoid_2(x)


def _softplus_parts(x: Floats) -> tuple[Floats, Floats]:
    """tanh(softplus(x)) and 1 minus its square, from e^x: n / (n + 2) and 4 (n + 1) / (n + 2)^2, n = e^x (e^x + 2)."""
    e = np.exp(np.minimum(x, 0.0))
    low = e * (e + 2.0)
    f = np.exp(-np.maximum(x, 0.0))
    high = 1.0 + 2.0 * f  # n e^-2x
    t = np.where(x > 0, high / (high + 2.0 * f * f), low / (low + 2.0))
    left = np.where(
        x > 0, 4.0 * (high + f * f) * f * f / (high + 2.0 * f * f) ** 2, 4.0 * (low + 1.0) / (low + 2.0) ** 2
    )
    return t, left


def _mish_1(x: Floats, slope: float) -> Floats:
    x = _finite(x)
    t, left = _softplus_parts(x)
    return t + x * left * _sigmoid(x)


def _mish_2(x: Floats, slope: float) -> Floats:
    x = _finite(x)
    t, left = _softplus_parts(x)
    s = _sigmoid(x)
    return left * (2.0 * s + x * (_sigmoid_1(x) - 2.0 * t * s * s))


def _constant(value: float) -> _Formula:
    return lambda x, slope: np.where(np.isnan(x), np.nan, value)


def _kinked(default: float, title: str, learnt: bool) -> dict[str, Any]:
    formulas: tuple[_Formula, _Formula, _Formula] = (
        lambda x, slope: np.where(x > 0, x, slope * x),
        lambda x, slope: np.where(x > 0, 1.0, np.where(np.isnan(x), np.nan, slope)),
        _constant(0.0),
    )
    return {"formulas": formulas, "slope": default, "slope_title": title}


ACTIVATIONS: dict[str, Activation] = {
    one.name: one
    for one in (
        Activation("identity", "Identity", IDENTITY, r"f(x) = x", r"f'(x) = 1", "",
                   (lambda x, slope: x + 0.0, _constant(1.0), _constant(0.0))),
        Activation("sigmoid", "Sigmoid", SIGMOID, r"\sigma(x) = \frac{1}{1 + e^{-x}}",
                   r"\sigma'(x) = \sigma(x) (1 - \sigma(x))", "", (_sigmoid, _sigmoid_1, _sigmoid_2)),
        Activation("tanh", "Tanh", TANH, r"f(x) = \tanh x", r"f'(x) = 1 - \tanh^2 x", "",
                   (lambda x, slope: np.tanh(x), _tanh_1, lambda x, slope: -2.0 * np.tanh(x) * _tanh_1(x))),
        Activation("relu", "ReLU", RELU, r"f(x) = \max(0, x)", r"f'(x) = 1 \ (x > 0), \quad 0 \ (x \leq 0)",
                   "Nair and Hinton 2010",
                   (lambda x, slope: np.maximum(x, 0.0),
                    lambda x, slope: np.where(x > 0, 1.0, np.where(np.isnan(x), np.nan, 0.0)), _constant(0.0))),
        Activation("leaky_relu", "Leaky ReLU", LEAKY_RELU, r"f(x) = x \ (x > 0), \quad \alpha x \ (x \leq 0)",
                   r"f'(x) = 1 \ (x > 0), \quad \alpha \ (x \leq 0)", "Maas, Hannun and Ng 2013",
                   **_kinked(0.01, "slope below 0", False)),
        Activation("prelu", "PReLU", PRELU, r"f(x) = x \ (x > 0), \quad a x \ (x \leq 0), \quad a \ \mathrm{learnt}",
                   r"f'(x) = 1 \ (x > 0), \quad a \ (x \leq 0)", "He et al. 2015",
                   **_kinked(0.25, "first slope below 0", True)),
        Activation("elu", "ELU", ELU, r"f(x) = x \ (x > 0), \quad \alpha (e^x - 1) \ (x \leq 0)",
                   r"f'(x) = 1 \ (x > 0), \quad \alpha e^x \ (x \leq 0)", "Clevert, Unterthiner and Hochreiter 2016",
                   (lambda x, slope: np.where(x > 0, x, slope * np.expm1(np.minimum(x, 0.0))),
                    lambda x, slope: np.where(x > 0, 1.0, slope * np.exp(np.minimum(x, 0.0))),
                    lambda x, slope: np.where(x > 0, 0.0, slope * np.exp(np.minimum(x, 0.0)))), 1.0,
                   "alpha: where it levels out"),
        Activation("gelu", "GELU", GELU, r"f(x) = x \Phi(x)", r"f'(x) = \Phi(x) + x \varphi(x)",
                   "Hendrycks and Gimpel 2016, with the exact normal distribution",
                   (lambda x, slope: np.where(x == -np.inf, 0.0, x * _normal(x)), _gelu_1, _gelu_2)),
        Activation("silu", "SiLU", SILU, r"f(x) = x \sigma(x)", r"f'(x) = \sigma(x) (1 + x (1 - \sigma(x)))",
                   "Elfwing, Uchibe and Doya 2018; Swish with beta 1",
                   (lambda x, slope: np.where(x == -np.inf, 0.0, x * _sigmoid(x)), _silu_1, _silu_2)),
        Activation("mish", "Mish", MISH, r"f(x) = x \tanh(\ln(1 + e^x))",
                   r"f'(x) = \tanh s + x \sigma(x) (1 - \tanh^2 s), \quad s = \ln(1 + e^x)", "Misra 2019",
                   (lambda x, slope: np.where(x == -np.inf, 0.0, x * _softplus_parts(x)[0]), _mish_1, _mish_2)),
    )
}  # fmt: skip


def activation(name: str) -> Activation:
    """The activation of that name. Raises ValueError naming those there are."""
    if name not in ACTIVATIONS:
        raise ValueError(f"activation {name!r} is unknown: it must be one of {', '.join(ACTIVATIONS)}")
    return ACTIVATIONS[name]
