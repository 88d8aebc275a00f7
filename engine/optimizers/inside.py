"""The inside of a step: every number on the way from the gradient to the step, for a point in the plane."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from engine.quantity import Kind, Quantity

from .catalogue import RULES
from .rule import Convention, Rule

_Pair = npt.NDArray[np.float64]


@dataclass(frozen=True)
class _Step:
    """What the derived quantities are made of: the step's inputs and the states after it."""

    rule: Rule
    convention: Convention
    p: _Pair
    g: _Pair
    old: tuple[_Pair, ...]
    new: tuple[_Pair, ...]
    t: int
    lr: float
    h: dict[str, float]


_Derived = list[tuple[str, str, _Pair, Kind]]


def _decayed(s: _Step) -> _Pair:
    """The gradient with its L2 part, taken where the rule wants its gradient."""
    factor = s.rule.l2_factor(s.convention) * s.h["weight_decay"]
    where = s.p
    if s.rule.point(s.convention) is not None:
        where = s.p - s.h["momentum"] * s.old[0]
    return s.g + factor * where


def _root(s: _Step, square: _Pair, symbol: str) -> _Derived:
    """The root that divides, with epsilon where the convention has it."""
    if s.convention == "book" and s.rule.book_has_own_formula:
        return [("root", rf"\sqrt{{{symbol} + \epsilon}}", np.sqrt(square + s.h["eps"]), "scale")]
    return [("root", rf"\sqrt{{{symbol}}} + \epsilon", np.sqrt(square) + s.h["eps"], "scale")]


def _nesterov(s: _Step) -> _Derived:
    if s.convention == "book":
        return []
    return [("direction", r"g_t + \gamma v_t", _decayed(s) + s.h["momentum"] * s.new[0], "momentum")]


def _adagrad(s: _Step) -> _Derived:
    rate = np.full(2, s.lr / (1.0 + (s.t - 1.0) * s.h["lr_decay"]))
    return [("rate", r"\eta_t", rate, "scale"), *_root(s, s.new[0], "G_t")]


def _adadelta(s: _Step) -> _Derived:
    top = np.sqrt(s.old[1] + s.h["eps"])
    bottom = np.sqrt(s.new[0] + s.h["eps"])
    return [
        ("step_root", r"\sqrt{E[\delta^2]_{t-1} + \epsilon}", top, "scale"),
        ("root", r"\sqrt{E[g^2]_t + \epsilon}", bottom, "scale"),
        ("delta", r"\delta_t", top / bottom * _decayed(s), "momentum"),
    ]


def _rmsprop(s: _Step) -> _Derived:
    return _root(s, s.new[0], "E[g^2]_t")


def _adam(s: _Step) -> _Derived:
    """Adam, AdamW and, with the last state for the squares, AMSGrad."""
    m_hat = s.new[0] / (1.0 - s.h["beta1"] ** s.t)
    v_hat = s.new[-1] / (1.0 - s.h["beta2"] ** s.t)
    result: _Derived = [
        ("m_hat", r"\hat{m}_t", m_hat, "correction"),
        ("v_hat", r"\hat{v}_t", v_hat, "correction"),
        *_root(s, v_hat, r"\hat{v}_t"),
    ]
    return result + _shrinking(s)


def _nadam(s: _Step) -> _Derived:
    psi, beta1 = s.h["momentum_decay"], s.h["beta1"]
    mu = beta1 * (1.0 - 0.5 * 0.96 ** (s.t * psi))
    mu_next = beta1 * (1.0 - 0.5 * 0.96 ** ((s.t + 1.0) * psi))
    product = s.new[2]
    ahead = mu_next * s.new[0] / (1.0 - product * mu_next) + (1.0 - mu) * _decayed(s) / (1.0 - product)
    v_hat = s.new[1] / (1.0 - s.h["beta2"] ** s.t)
    return [
        ("m_hat", r"\hat{m}_t", ahead, "correction"),
        ("v_hat", r"\hat{v}_t", v_hat, "correction"),
        *_root(s, v_hat, r"\hat{v}_t"),
    ]


def _adamax(s: _Step) -> _Derived:
    return [("m_hat", r"\hat{m}_t", s.new[0] / (1.0 - s.h["beta1"] ** s.t), "correction")]


def _lion(s: _Step) -> _Derived:
    c = s.h["beta1"] * s.old[0] + (1.0 - s.h["beta1"]) * s.g
    sign: _Derived = [("sign", r"\mathrm{sign}(c_t)", np.sign(c), "correction")]
    return [("blend", "c_t", c, "momentum"), *sign, *_shrinking(s)]


def _shrinking(s: _Step) -> _Derived:
    if not s.rule.decoupled or s.h["weight_decay"] == 0.0:
        return []
    return [("decay", r"-\eta \lambda \theta_{t-1}", -s.lr * s.h["weight_decay"] * s.p, "correction")]


def inside(
    rule_name: str,
    convention: Convention,
    p: Sequence[float] | _Pair,
    g: Sequence[float] | _Pair,
    states: Sequence[Sequence[float] | _Pair],
    t: int,
    lr: float,
    h: Sequence[float] | _Pair,
) -> tuple[Quantity, ...]:
    """The quantities of one step of a point `p` in the plane, in the order a reader meets them.

    `p` and `states` are those before the step, `g` the gradient where the rule wants it. First the gradient
    (twice where L2 joins it), then the rule's states after the step, what is made of them, and last the step:
    new p minus old p. Values may be inf or nan when the run has diverged.
    """
    rule = RULES[rule_name]
    point, gradient = np.array(p, np.float64), np.array(g, np.float64)
    old = tuple(np.array(state, np.float64) for state in states)
    rate, hypers = np.float64(lr), [np.float64(value) for value in h]
    with np.errstate(all="ignore"):
        padded = [*old, *[np.zeros(2)] * (3 - len(old))]
        columns = [
            rule.step_one(convention, point[i], gradient[i], [state[i] for state in padded], t, rate, hypers)
            for i in range(2)
        ]
        after = np.array(columns, np.float64).T
        new = tuple(after[1 + k] for k in range(len(old)))
        named = {hyper.name: float(value) for hyper, value in zip(rule.hypers, hypers, strict=True)}
        s = _Step(rule, convention, point, gradient, old, new, t, float(lr), named)
        rows: _Derived = [("gradient", r"\nabla J", gradient, "gradient")]
        if rule.l2_factor(convention) * named["weight_decay"] != 0.0:
            rows.append(("decayed_gradient", "g_t", _decayed(s), "gradient"))
        rows += [(s_.name, s_.latex, value, s_.kind) for s_, value in zip(rule.states, new, strict=True)]
        maker = _MAKERS.get(rule_name)
        rows += maker(s) if maker is not None else []
        rows.append(("step", r"\Delta \theta", after[0] - point, "step"))
    return tuple(Quantity(name, latex, (float(v[0]), float(v[1])), kind) for name, latex, v, kind in rows)


_MAKERS = {
    "nesterov": _nesterov,
    "adagrad": _adagrad,
    "adadelta": _adadelta,
    "rmsprop": _rmsprop,
    "adam": _adam,
    "adamw": _adam,
    "nadam": _nadam,
    "amsgrad": _adam,
    "adamax": _adamax,
    "lion": _lion,
}


def number(value: float) -> str:
    """A number in LaTeX with four significant digits: 479.6, -3.64, 1.2 \\times 10^{-5}, 10^{-8}."""
    if math.isnan(value):
        return r"\mathrm{nan}"
    if math.isinf(value):
        return r"\infty" if value > 0 else r"-\infty"
    short = f"{value:.4g}"
    if "e" not in short:
        return short
    mantissa, exponent = short.split("e")
    power = f"10^{{{int(exponent)}}}"
    if mantissa in ("1", "-1"):
        return power if mantissa == "1" else "-" + power
    return rf"{mantissa} \times {power}"


def factor(value: float) -> str:
    """A number as a factor after a dot: in brackets where it has a sign of its own."""
    text = number(value)
    return f"({text})" if text.startswith("-") else text


def _plus(value: float) -> str:
    """A number as a term after others, with its sign."""
    text = number(value)
    return f" - {text[1:]}" if text.startswith("-") else f" + {text}"


def numbers(
    rule_name: str,
    convention: Convention,
    quantities: Sequence[Quantity],
    lr: float,
    h: Sequence[float] | _Pair,
) -> str:
    """The update equation with this step's numbers in LaTeX, for each coordinate, four significant digits.

    Two equations, for Delta x and Delta y, separated by a newline, which LaTeX reads as a space.
    """
    rule = RULES[rule_name]
    hypers = {hyper.name: float(value) for hyper, value in zip(rule.hypers, h, strict=True)}
    own_book = convention == "book" and rule.book_has_own_formula
    lines = []
    for axis, letter in enumerate("xy"):
        v = {quantity.name: quantity.value[axis] for quantity in quantities}
        lines.append(rf"\Delta {letter} = {_right_side(rule, own_book, v, lr, hypers)}")
    return "\n".join(lines)


def _right_side(rule: Rule, own_book: bool, v: dict[str, float], lr: float, h: dict[str, float]) -> str:
    gradient = v.get("decayed_gradient", v["gradient"])
    rate = number(-v.get("rate", lr))
    decay = _plus(v["decay"]) if "decay" in v else ""

    def over_root(top: float, square: float) -> str:
        eps = number(h["eps"])
        root = rf"\sqrt{{{number(square)} + {eps}}}" if own_book else rf"\sqrt{{{number(square)}}} + {eps}"
        return rf"{rate} \cdot \frac{{{number(top)}}}{{{root}}}{decay}"

    match rule.name:
        case "momentum" | "nesterov" if own_book:
            return rf"-{factor(v['velocity'])}"
        case "momentum":
            return rf"{rate} \cdot {factor(v['velocity'])}"
        case "nesterov":
            inner = rf"{number(gradient)} + {number(h['momentum'])} \cdot {factor(v['velocity'])}"
            return rf"{rate} \cdot ({inner})"
        case "adagrad":
            return over_root(gradient, v["sum_of_squares"])
        case "rmsprop":
            return over_root(gradient, v["square_average"])
        case "adadelta":
            ratio = rf"\frac{{{number(v['step_root'])}}}{{{number(v['root'])}}}"
            return rf"{rate} \cdot {ratio} \cdot {factor(gradient)}"
        case "adamax":
            return rf"{rate} \cdot \frac{{{number(v['m_hat'])}}}{{{number(v['u'])}}}"
        case "lion":
            return rf"{rate} \cdot {factor(v['sign'])}{decay}"
        case "sgd":
            return rf"{rate} \cdot {factor(gradient)}"
        case _:
            return over_root(v["m_hat"], v["v_hat"])
