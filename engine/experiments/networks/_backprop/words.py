"""What units, weights and numbers are called on the page: in plain words and in LaTeX."""

from __future__ import annotations

import math

from engine.experiments.networks._backprop.passes import Phase
from engine.experiments.networks._backprop.settings import BackpropSpec


def short(value: float, digits: int = 4) -> str:
    """A number with so many figures at the most, a true minus sign, no zeros at its end."""
    if not math.isfinite(value):
        return "∞" if value == math.inf else "−∞" if value == -math.inf else "nan"
    return f"{value + 0.0:.{digits}g}".replace("-", "−")  # no minus before 0


def tex(value: float, digits: int = 4) -> str:
    """The same for a formula, where it follows a sign: a negative one in brackets."""
    return f"({bare(value, digits)})" if value < 0 else bare(value, digits)


def bare(value: float, digits: int = 4) -> str:
    """The same behind an equals sign: without brackets."""
    if not math.isfinite(value):
        return r"\infty" if value == math.inf else r"-\infty" if value == -math.inf else r"\mathrm{nan}"
    digitised = f"{value + 0.0:.{digits}g}"
    if "e" in digitised:
        head, _, power = digitised.partition("e")
        digitised = rf"{head} \cdot 10^{{{int(power)}}}"
    return digitised


def unit(spec: BackpropSpec, layer: int, j: int) -> str:
    """A unit's name; layer 0 are the inputs, then those with weights."""
    if layer == 0:
        return f"x{j + 1}"
    if layer == len(spec.hidden) + 1:
        return "p" if spec.outputs == 1 else f"p{j + 1}"
    return f"h{j + 1}" if len(spec.hidden) == 1 else f"h{layer}{j + 1}"


def tex_unit(spec: BackpropSpec, layer: int, j: int) -> str:
    """The same in LaTeX."""
    name = unit(spec, layer, j)
    return f"{name[0]}_{{{name[1:]}}}" if len(name) > 1 else name


def tex_of(symbol: str, spec: BackpropSpec, layer: int, j: int) -> str:
    """A quantity of a unit, in LaTeX: \\delta of the second hidden unit is \\delta_{h2}."""
    return f"{symbol}_{{{unit(spec, layer, j)}}}"


def title(spec: BackpropSpec, layer: int) -> str:
    """What a layer is called."""
    if layer == 0:
        return "Inputs"
    if layer == len(spec.hidden) + 1:
        return "Output"
    return "Hidden" if len(spec.hidden) == 1 else f"Hidden {layer}"


def told(spec: BackpropSpec, phase: Phase) -> str:
    """A phase in words."""
    where = "the hidden layer" if len(spec.hidden) == 1 else f"hidden layer {phase.layer + 1}"
    where = "the output" if phase.layer == len(spec.hidden) else where
    named = {"forward": f"forward to {where}", "error": "the error", "backward": f"back to {where}"}
    return named.get(phase.kind, "the update")


def function(name: str, argument: str) -> str:
    """An activation of something, in LaTeX."""
    sign = {"sigmoid": r"\sigma", "tanh": r"\tanh"}.get(name, "f")
    return f"{sign}({argument})" if name != "identity" else argument
