"""The coming phase in formulas, and each of its numbers in its own equation."""

from __future__ import annotations

import copy

import numpy as np

from engine.experiment import Inside
from engine.experiments.networks._backprop.passes import Phase, State, below, bend, known, phase_of, take
from engine.experiments.networks._backprop.settings import BackpropSpec, sizes, targets
from engine.experiments.networks._backprop.words import bare, function, tex, tex_of, tex_unit, told
from engine.quantity import Quantity

MOST = 16  # equations in numbers; of large layers the first
PRODUCTS = 2  # of a sum that stand on one line: the column is narrow


def inside(state: State, spec: BackpropSpec) -> Inside:
    """What the next phase will do, worked out on a copy."""
    ahead = copy.deepcopy(state)
    take(ahead, spec)
    phase = phase_of(spec, ahead.step)
    if phase.kind == "forward" and phase.layer == 0:
        words = "A new cycle begins: " + told(spec, phase)
    else:
        words = told(spec, phase)[0].upper() + told(spec, phase)[1:]
    make = {"forward": _forward, "error": _error, "backward": _backward, "update": _update}[phase.kind]
    formulas, quantities, numbers = make(ahead, spec, phase)
    left = len(numbers) - MOST
    note = f"{words}." + (
        f" {left} more equations: the diagram tells every number under the mouse." if left > 0 else ""
    )
    return Inside("network", formulas, tuple(quantities), tuple(numbers[:MOST]), note)


Parts = tuple[tuple[str, ...], list[Quantity], list[str]]


def _sum(terms: list[str], left: str) -> list[str]:
    """`left` = the terms with plus signs between, a few on each line."""
    cut = [terms[i : i + PRODUCTS] for i in range(0, len(terms), PRODUCTS)]
    lines = [" + ".join(part) for part in cut]
    return [f"{left} = {lines[0]}", *(rf"\quad + {line}" for line in lines[1:])]


def _forward(ahead: State, spec: BackpropSpec, phase: Phase) -> Parts:
    i = phase.layer
    one, put_in = bend(spec, i), below(ahead, spec, i)
    z, a = known(ahead.z[i]), known(ahead.a[i])
    quantities, numbers = [], []
    for j in range(len(z)):
        name, pre = tex_unit(spec, i + 1, j), tex_of("z", spec, i + 1, j)
        quantities += [
            Quantity(f"sum into {name}", pre, (float(z[j]),), "scale"),
            Quantity(f"answer of {name}", name, (float(a[j]),), "scale"),
        ]
        terms = [rf"{tex(float(w))} \cdot {tex(float(x))}" for w, x in zip(ahead.weights[i][:, j], put_in, strict=True)]
        numbers += _sum([*terms, tex(float(ahead.biases[i][j]))], pre)
        numbers.append(f"{name} = {function(one.name, bare(float(z[j])))} = {bare(float(a[j]))}")
    source = "x" if i == 0 else "h"
    return (rf"z = W^\top {source} + b", one.latex.replace("(x)", "(z)").replace(" x", " z")), quantities, numbers


def _error(ahead: State, spec: BackpropSpec, phase: Phase) -> Parts:
    p, y, slopes = known(ahead.a[-1]), targets(spec), known(ahead.error)
    half = spec.loss == "half_squared"
    n = len(p)
    factor = r"\frac{1}{2}" if half else r"\frac{1}{2}" if n == 2 else ""
    formulas = (
        (r"L = \frac{1}{2} \sum_k (p_k - y_k)^2", r"\frac{\partial L}{\partial p_k} = p_k - y_k")
        if half
        else (r"L = \frac{1}{n} \sum_k (p_k - y_k)^2", r"\frac{\partial L}{\partial p_k} = \frac{2}{n} (p_k - y_k)")
    )
    last = len(sizes(spec)) - 1
    quantities = [Quantity("loss", "L", (ahead.loss,), "scale")]
    terms = [rf"{factor} ({bare(float(a))} - {tex(float(b))})^2" for a, b in zip(p, y, strict=True)]
    numbers = [*_sum(terms, "L"), rf"\quad = {bare(ahead.loss)}"]
    for k in range(n):
        name = rf"\partial L / \partial {tex_unit(spec, last, k)}"
        quantities.append(Quantity("slope of the loss", name, (float(slopes[k]),), "gradient"))
        twice = "" if half or n == 2 else r"2 \cdot "
        difference = (
            f"({bare(float(p[k]))} - {tex(float(y[k]))})" if twice else f"{bare(float(p[k]))} - {tex(float(y[k]))}"
        )
        numbers.append(f"{name} = {twice}{difference} = {bare(float(slopes[k]))}")
    return formulas, quantities, numbers


def _backward(ahead: State, spec: BackpropSpec, phase: Phase) -> Parts:
    i = phase.layer
    put_in, z, delta = below(ahead, spec, i), known(ahead.z[i]), known(ahead.deltas[i])
    gradient, slopes = known(ahead.gradients[i]), bend(spec, i).first(known(ahead.z[i]))
    last = i == ahead.layers - 1
    formulas = (
        r"\delta = \frac{\partial L}{\partial p} f'(z)"
        if last
        else r"\delta = (W_{next} \, \delta_{next}) \odot f'(z)",
        rf"\frac{{\partial L}}{{\partial W}} = {'x' if i == 0 else 'h'} \, \delta^\top \qquad "
        r"\frac{\partial L}{\partial b} = \delta",
    )
    quantities, numbers = [], []
    for j in range(len(z)):
        name = tex_of(r"\delta", spec, i + 1, j)
        quantities.append(Quantity(f"delta of {tex_unit(spec, i + 1, j)}", name, (float(delta[j]),), "gradient"))
        if last:
            product = rf"{bare(float(known(ahead.error)[j]))} \cdot {tex(float(slopes[j]))}"
            numbers.append(f"{name} = {product} = {bare(float(delta[j]))}")
        else:
            out, above = ahead.weights[i + 1][j], known(ahead.deltas[i + 1])
            terms = [rf"{tex(float(w))} \cdot {tex(float(d))}" for w, d in zip(out, above, strict=True)]
            end = rf" \cdot {tex(float(slopes[j]))}", f" = {bare(float(delta[j]))}"
            if len(terms) == 1:
                numbers.append(f"{name} = {terms[0]}{end[0]}{end[1]}")
            else:
                lines = _sum(terms, name)
                lines[0] = lines[0].replace(" = ", " = (", 1)
                numbers += [*lines[:-1], f"{lines[-1]}){end[0]}", rf"\quad{end[1]}"]
    for j in range(len(z)):
        for k in range(len(put_in)):
            edge = rf"\partial L / \partial w_{{{_plain(tex_unit(spec, i, k))}{_plain(tex_unit(spec, i + 1, j))}}}"
            product = rf"{tex(float(put_in[k]))} \cdot {tex(float(delta[j]))}"
            numbers.append(f"{edge} = {product} = {bare(float(gradient[k, j]))}")
    return formulas, quantities, numbers


def _update(ahead: State, spec: BackpropSpec, phase: Phase) -> Parts:
    quantities, numbers = [], []
    every = [*ahead.gradients, *ahead.deltas]
    with np.errstate(all="ignore"):
        size = float(np.sqrt(sum(float((known(part) ** 2).sum()) for part in every)))
    quantities.append(Quantity("length of the gradient", r"\Vert \nabla L \Vert", (size,), "gradient"))
    quantities.append(Quantity("learning rate", r"\eta", (spec.learning_rate,), "scale"))
    quantities.append(
        Quantity("length of the step", r"\eta \Vert \nabla L \Vert", (spec.learning_rate * size,), "step")
    )
    rate = tex(spec.learning_rate)
    for i in reversed(range(ahead.layers)):
        old, new, gradient = ahead.used[0][i], ahead.weights[i], known(ahead.gradients[i])
        for j, k in np.ndindex(old.shape):
            edge = f"w_{{{_plain(tex_unit(spec, i, j))}{_plain(tex_unit(spec, i + 1, k))}}}"
            change = rf"{bare(float(old[j, k]), 6)} - {rate} \cdot {tex(float(gradient[j, k]), 3)}"
            numbers.append(rf"{edge} = {change} = {bare(float(new[j, k]), 6)}")
    formulas = (r"W \leftarrow W - \eta \frac{\partial L}{\partial W}", r"b \leftarrow b - \eta \, \delta")
    return formulas, quantities, numbers


def _plain(symbol: str) -> str:
    """h_{1} as it stands in an index: h1."""
    return symbol.replace("_", "").replace("{", "").replace("}", "")
