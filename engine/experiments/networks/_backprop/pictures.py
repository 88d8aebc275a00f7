"""The network with every number on its edge or node, and every derivative found in three ways."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from engine.experiment import Array
from engine.experiments.networks._backprop.checks import autograd, quotients
from engine.experiments.networks._backprop.passes import Phase, State, bend, cycle_of, phase_of, phases
from engine.experiments.networks._backprop.settings import BackpropSpec, sample, sizes, targets
from engine.experiments.networks._backprop.words import short, title, told, unit
from engine.picture import Diagram, Edge, Node, Table

CROWDED = 32  # weights
CLOSE = 1e-7  # derivatives that are no further apart, next to the largest one, count as the same


def diagram(state: State, spec: BackpropSpec) -> Diagram:
    """Weights on the edges, then what each phase finds; what the phase just done has touched is lit."""
    phase = phase_of(spec, state.step) if state.step else None
    layers = [_inputs(spec)]
    layers += [tuple(_unit(state, spec, i, j, phase) for j in range(n)) for i, n in enumerate(sizes(spec)[1:])]
    layers.append((_loss(state, spec, phase),))
    edges = [
        _edge(state, spec, i, j, k, phase)
        for i, w in enumerate(state.weights) for j in range(w.shape[0]) for k in range(w.shape[1])
    ]  # fmt: skip
    edges += [_error(state, spec, k, len(layers) - 2, phase) for k in range(spec.outputs)]
    titles = (*(title(spec, i) for i in range(len(sizes(spec)))), "Loss")
    return Diagram(tuple(layers), tuple(edges), titles, note=note(state, spec))


def crowded(spec: BackpropSpec) -> bool:
    """Whether there are too many weights to write all their numbers: then only what a phase touches is written, of an
    update the largest change into each unit; the mouse tells the rest."""
    return sum(n * m for n, m in pairwise(sizes(spec))) > CROWDED


def note(state: State, spec: BackpropSpec) -> str:
    """Which phase was done, and which comes."""
    cycle, number = cycle_of(spec, state.step)
    every = phases(spec)
    comes = f"Next: {told(spec, every[number % len(every)])}."
    if not number:
        return f"Nothing is computed yet; every edge has its weight. {comes}"
    return f"Cycle {cycle}, phase {number} of {len(every)}: {told(spec, every[number - 1])}. {comes}"


def _inputs(spec: BackpropSpec) -> tuple[Node, ...]:
    return tuple(Node(unit(spec, 0, j), float(x)) for j, x in enumerate(sample(spec)))


def _at(part: Array | None, *at: int) -> float | None:
    return None if part is None else float(part[at])


def _unit(state: State, spec: BackpropSpec, i: int, j: int, phase: Phase | None) -> Node:
    """Its answer inside; beneath it the bias with z on the way forward, and with delta once that is known."""
    z, a, delta = (_at(part[i], j) for part in (state.z, state.a, state.deltas))
    bias = float(state.biases[i][j])
    figures = 4 if len(spec.hidden) == 1 else 3  # as many as there is room for
    words = unit(spec, i + 1, j) + ("" if crowded(spec) else f"  b {short(bias, 2)}")
    words += (
        f"  δ {short(delta, figures)}" if delta is not None else f"  z {short(z, figures)}" if z is not None else ""
    )
    rows = [("bias b", short(bias, 8))]
    rows += [("z", short(z, 8)), ("slope f′(z)", short(float(bend(spec, i).first(z)), 8))] if z is not None else []
    rows += [("δ = ∂L/∂z = ∂L/∂b", short(delta, 8))] if delta is not None else []
    touched = phase is not None and (phase.layer == i or phase.kind == "update")
    return Node(words, a, told=tuple(rows), lit=touched)


def _loss(state: State, spec: BackpropSpec, phase: Phase | None) -> Node:
    wanted = ", ".join(short(float(y)) for y in targets(spec))
    found = None if np.isnan(state.loss) else state.loss
    return Node(f"target {wanted}", found, told=(("target", wanted),), lit=phase is not None and phase.kind == "error")


def _edge(state: State, spec: BackpropSpec, i: int, j: int, k: int, phase: Phase | None) -> Edge:
    """Its weight; once known, the derivative; in the update, by how much it has changed."""
    weight, slope = float(state.weights[i][j, k]), _at(state.gradients[i], j, k)
    many = crowded(spec)
    touched = phase is not None and phase.layer == i
    words, rows = short(weight, 2 if many else 4), [("weight", short(weight, 8))]
    if slope is not None:
        words = short(slope, 2) if many else f"∂ {short(slope, 3)}"
        rows.append(("∂L/∂w", short(slope, 8)))
    if phase is not None and phase.kind == "update":
        changes = state.weights[i][:, k] - state.used[0][i][:, k]
        touched = not many or int(np.abs(changes).argmax()) == j
        words = short(float(changes[j]), 2) if many else f"Δ {short(float(changes[j]), 3)}"
        rows.append(("changed by", short(float(changes[j]), 8)))
    return Edge((i, j), (i + 1, k), weight, words if touched or not many else "", tuple(rows), touched)


def _error(state: State, spec: BackpropSpec, k: int, layer: int, phase: Phase | None) -> Edge:
    """From an output to the loss: dL/dp."""
    slope = _at(state.error, k)
    words = "" if slope is None else short(slope, 2) if crowded(spec) else f"∂L/∂p {short(slope)}"
    told_rows = () if slope is None else (("∂L/∂p", short(slope, 8)),)
    return Edge((layer, k), (layer + 1, 0), slope or 0.0, words, told_rows, phase is not None and phase.kind == "error")


def derivatives(state: State, spec: BackpropSpec) -> Table:
    """Every derivative at this cycle's weights: by the formulas as far as the passes have come, by autograd, by
    central differences, and how far these are apart."""
    weights, biases = state.used if state.step else (state.weights, state.biases)
    auto, quotient = autograd(spec, weights, biases), quotients(spec, weights, biases)
    top = max(float(np.abs(part).max()) for part in (*auto[0], *auto[1])) or 1.0
    rows: list[tuple[str, ...]] = []
    good = []
    for i in reversed(range(len(weights))):  # in the order in which they are found
        n, m = weights[i].shape
        cells: list[tuple[str, int, tuple[int, ...]]]
        cells = [(f"{unit(spec, i, j)} → {unit(spec, i + 1, k)}", 0, (j, k)) for k in range(m) for j in range(n)]
        cells += [(f"b of {unit(spec, i + 1, k)}", 1, (k,)) for k in range(m)]
        for name, kind, at in cells:
            ours = (state.gradients if kind == 0 else state.deltas)[i]
            theirs = float(auto[kind][i][at]), float(quotient[kind][i][at])
            own = None if ours is None else float(ours[at])
            apart = max(abs(one - (theirs[0] if own is None else own)) for one in theirs)
            if own is not None and apart <= CLOSE * top:
                good.append(len(rows))
            told_apart = f"{apart:.0e}" if apart else "0"
            rows.append((name, "–" if own is None else short(own, 5), *(short(v, 5) for v in theirs), told_apart))
    differ = any(row[1] != "–" for r, row in enumerate(rows) if r not in good)
    told_why = "Where they differ a sum lies on a kink: the quotient looks at both sides of it." if differ else ""
    return Table(("weight", "backprop", "autograd", "quotient", "apart"), tuple(rows), tuple(good), told_why)
