"""The playground's pictures of the network itself: diagram, histograms, confusion, and the step in formulas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiment import Inside
from engine.experiments.networks._playground.model import SEEN, Model, State
from engine.networks.activations import ACTIVATIONS
from engine.optimizers import RULES
from engine.picture import Bars, Diagram, Edge, Matrix, Node, histogram
from engine.quantity import Quantity

Array = NDArray[Any]
SHOWN = 10  # units of a layer that are drawn
MOST_TITLES = 7  # layers that are headed by their activations
GRID, GRAPH = 20, 24  # points a side of a unit's map, of its graph
LOSSES = {
    "mse": (r"J = \frac{1}{n} \sum_i (\hat{y}_i - y_i)^2",),
    "bce": (r"J = \frac{1}{n} \sum_i \ell_i", r"\ell_i = - y_i \ln \hat{y}_i - (1 - y_i) \ln (1 - \hat{y}_i)"),
    "cross_entropy": (r"J = -\frac{1}{n} \sum_i \ln \hat{p}_i(y_i)",),
}
DIGITS = 64


def shown(size: int, inputs: bool = False) -> Array:
    """Which units of a layer are drawn: the first ones; of many inputs some from everywhere."""
    if size <= SHOWN:
        return np.arange(size)
    return np.round(np.linspace(0, size - 1, SHOWN)).astype(int) if inputs else np.arange(SHOWN)


def layer_name(model: Model, i: int) -> str:
    """The name of the layer after the weights number i, in words."""
    return "output" if i == len(model.description.hidden) else f"hidden {i + 1}"


def grid(model: Model, side: int) -> Array:
    """Inputs on a grid over the domain as the network sees them: [side * side, 2], or [side, 1] for one input."""
    axes = [np.linspace(low, high, side) for low, high in model.prepared.domain]
    known = np.stack([part.ravel() for part in np.meshgrid(*axes)], axis=1)
    return model.prepared.seen(known)


def on_scale(model: Model, i: int, values: Array) -> Array:
    """Answers of one unit after the weights number i, brought to -1 to 1; 0 stays 0, of shares 1/2 becomes 0."""
    d = model.description
    last = i == len(d.hidden)
    name = d.output if last else d.activations[i]
    if name == "sigmoid" or (last and d.loss != "mse"):
        return 2.0 * values - 1.0
    with np.errstate(all="ignore"):
        top = np.abs(values).max() if np.isfinite(values).all() else np.nan
        return np.asarray(values / (top or 1.0))


def graph(values: Array) -> Array:
    """A unit's answers -1 to 1 over one input as a filled graph: [GRAPH, GRAPH], the last row on top."""
    heights = np.linspace(-1, 1, GRAPH)[:, None]
    level = values[None, :]
    filled = np.where(heights >= 0, heights <= level, heights >= level) & (np.abs(level) > 1e-12)
    found = np.where(filled, np.sign(heights + 1e-9) * (0.35 + 0.65 * np.abs(level)), 0.0)
    return np.where(np.isfinite(level), found, np.nan)


def network(state: State, spec: Any) -> Diagram:
    """The network layer by layer, each unit with its answer over the inputs (in the plane, or over one input)."""
    model = state.model
    d = model.description
    inputs = model.prepared.inputs
    seen = model.x[:SEEN]
    of_seen = model.forward(state, seen)
    means = [seen.mean(axis=0), *(a.mean(axis=0) for _, a in of_seen[:-1]), model.predict(state, seen).mean(axis=0)]
    over: list[Array] | None = None
    if inputs <= 2:
        points = grid(model, GRID if inputs == 2 else GRAPH).astype(state.params.dtype)
        answers = model.forward(state, points)
        over = [points, *(a for _, a in answers[:-1]), model.predict(state, points)]
    layers = model.layers(state.params)
    chosen = [shown(size, i == 0) for i, size in enumerate(d.sizes)]
    nodes = [tuple(_input(model, j, over, float(means[0][j])) for j in chosen[0].tolist())]
    for i, units in enumerate(chosen[1:]):
        weight, bias = layers[i]
        made = []
        for j in units.tolist():
            told = [("bias", f"{float(bias[j]):.4g}"), ("mean answer", f"{float(means[i + 1][j]):.4g}")]
            if i < len(d.hidden) and d.activations[i] == "relu":
                told.append(("above 0 for", f"{float((of_seen[i][0][:, j] > 0).mean()):.0%} of samples"))
            value = None if over is not None else float(means[i + 1][j])
            made.append(Node(_label(model, i, j), value, _image(model, i, j, over, weight), tuple(told)))
        nodes.append(tuple(made))
    edges = [
        Edge((i, a), (i + 1, b), float(layers[i][0][to, of]))
        for i in range(len(layers))
        for b, to in enumerate(chosen[i + 1].tolist())
        for a, of in enumerate(chosen[i].tolist())
    ]
    titles = ("input", *(ACTIVATIONS[name].title for name in d.activations), "output")
    if len(titles) > MOST_TITLES:
        titles = ("in", *(str(i + 1) for i in range(len(d.hidden))), "out")
    more = tuple(size - len(units) for size, units in zip(d.sizes, chosen, strict=True))
    extent = None if over is None else (*model.prepared.domain[0], *model.prepared.domain[-1])
    return Diagram(
        tuple(nodes), tuple(edges), titles, more, tuple(range(1, len(d.hidden) + 1)), extent, _told(state, spec)
    )  # fmt: skip


def _input(model: Model, j: int, over: list[Array] | None, mean: float) -> Node:
    name = model.prepared.train.inputs[j]
    if over is None:
        known = model.prepared.means[j] + model.prepared.scales[j] * mean
        return Node(name, None, told=(("mean", f"{float(known):.4g}"),))
    values = over[0][:, j]
    ramp = (values - values.min()) / (np.ptp(values) or 1.0) * 2.0 - 1.0
    return Node(name, None, ramp.reshape(GRID, GRID) if len(over[0]) == GRID * GRID else graph(ramp))


def _label(model: Model, i: int, j: int) -> str:
    """Outputs are named by their class or target."""
    if i < len(model.description.hidden):
        return ""
    train = model.prepared.train
    if train.kind == "regression":
        return train.target
    return train.classes[1] if model.description.outputs == 1 else train.classes[j]


def _image(model: Model, i: int, j: int, over: list[Array] | None, weight: Array) -> Array | None:
    if over is not None:
        values = on_scale(model, i, over[i + 1][:, j].astype(float))
        return values.reshape(GRID, GRID) if len(values) == GRID * GRID else graph(values)
    if i == 0 and model.prepared.inputs == DIGITS and model.prepared.train.name == "digits":
        top = float(np.abs(weight[j]).max())  # its incoming weights, as a picture of a digit
        return np.asarray(weight[j].reshape(8, 8).astype(float) / (top or 1.0))
    return None


def _told(state: State, spec: Any) -> str:
    """What computes, how much, from which batches, and what is dead."""
    model = state.model
    n = len(model.x)
    parts = [f"{model.network.parameters:,} parameters"]
    if spec.batch_size > n:
        parts.append(f"batch size {spec.batch_size:,} is more than the {n:,} training samples, so each step takes all")
    elif 0 < spec.batch_size < n:
        parts.append(f"batches of {spec.batch_size:,} of {n:,}")
    else:
        parts.append(f"each step takes all {n:,} samples")
    dead = model.dead(state)
    gone = [f"all of layer {i + 1}" for i, k in enumerate(dead) if k == model.description.hidden[i]]
    if gone:
        parts.append(f"dead for every sample: {', '.join(gone)}, so no gradient passes")
    elif np.nansum(dead) > 0:
        count = int(np.nansum(dead))
        parts.append(f"{count} dead unit{'s' * (count != 1)}")
    if not model.compiled:
        parts.append("computed by PyTorch")
    return "; ".join(parts)


def weights(state: State, spec: Any) -> Bars:
    """Histograms of every layer's weights."""
    model = state.model
    found = [histogram(layer_name(model, i), weight) for i, (weight, _) in enumerate(model.layers(state.params))]
    return Bars(tuple(found))


def activations(state: State, spec: Any) -> Bars:
    """Histograms of every layer's answers to the first training samples."""
    model = state.model
    answers = model.forward(state, model.x[:SEEN])
    return Bars(tuple(
        histogram(layer_name(model, i), a, note=_zeros(a)) for i, (_, a) in enumerate(answers)
    ))  # fmt: skip


def _zeros(values: Array) -> str:
    share = float((values == 0).mean())
    return f"{share:.0%} zeros" if share > 0 else ""


def gradients(state: State, spec: Any) -> Bars:
    """Histograms of the loss's gradient by every layer's weights, over the first 2,048 training samples."""
    model = state.model
    found = []
    for i, (weight, _) in enumerate(model.gradient(state)):
        with np.errstate(all="ignore"):
            size = float(np.abs(weight).mean())
        found.append(histogram(layer_name(model, i), weight, note=f"mean size {size:.1g}"))
    return Bars(tuple(found))


def confusion(state: State, spec: Any) -> Matrix:
    """How many samples of each class (rows) were sorted into which (columns); test samples where there are any."""
    model = state.model
    train = model.prepared.train
    if train.kind == "regression":
        return Matrix(np.zeros((0, 0)), (), (), note="A regression has no classes.")
    test = len(model.test_labels) > 0
    x, labels = (model.test_x, model.test_labels) if test else (model.x, model.labels)
    said = model.sorted_into(model.predict(state, x))
    k = len(train.classes)
    counts = np.bincount(labels * k + said, minlength=k * k).reshape(k, k)
    wrong = len(labels) - int(np.trace(counts))
    note = f"{wrong:,} of {len(labels):,} {'test' if test else 'training'} samples wrong"
    return Matrix(counts.astype(float), train.classes, train.classes, "is", "sorted into", note=note)


def inside(state: State, spec: Any, **asked: Any) -> Inside:
    """The loss, the activation and the optimizer's rule, and what was done to the data."""
    model = state.model
    d = model.description
    names = dict.fromkeys(d.activations)
    formulas = [*LOSSES[d.loss], *(ACTIVATIONS[name].latex for name in names), *RULES[spec.optimizer].formulas[
        spec.convention]]  # fmt: skip
    with np.errstate(all="ignore"):
        largest = float(np.abs(state.params).max())
    found = (
        Quantity("training loss", "J", (model.loss(state),), "gradient"),
        Quantity("largest parameter", r"\max |\theta|", (largest,), "scale"),
        Quantity("learning rate", r"\eta", (float(spec.learning_rate),), "step"),
    )
    notes = [*model.prepared.notes]
    if model.prepared.inputs > 2:
        notes.append(
            "The map is the plane of the training inputs' first two principal components, through their mean. Samples "
            "lie off that plane and are drawn at their foot, so their colours may differ from the ground's."
        )
    return Inside("network", tuple(formulas), found, note=" ".join(notes))
