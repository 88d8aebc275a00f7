"""What is looked at while the network learns: maps and filters layer by layer, its answer, and what it confuses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiment import Array, Inside
from engine.experiments.networks._convolution.data import shown
from engine.experiments.networks._convolution.network import name_of
from engine.experiments.networks._convolution.settings import CLASSES, LEVELS, SIDE
from engine.experiments.networks._convolution.training import Trained
from engine.feature_maps import Maps, Sketch, Stack
from engine.networks.conv_description import Conv, Flatten, Linear
from engine.optimizers import RULES
from engine.picture import Images, Matrix
from engine.quantity import Quantity

MOST_MAPS, MOST_FILTERS, MOST_WRONG = 64, 256, 40
NAMES = tuple(str(k) for k in range(CLASSES))


def _one(spec: Any, asked: Any) -> tuple[Any, Array]:
    """The picture looked at, and as the network takes it: [1, 1, 8, 8]."""
    found = shown(spec, **{"drawing": asked.get("drawing")})
    return found, (found.values / LEVELS).reshape(1, 1, SIDE, SIDE)


def sketch(state: Trained | None, spec: Any, **asked: Any) -> Sketch:
    """The picture looked at, to be drawn anew; and what the network takes it for, where there is one."""
    found, x = _one(spec, asked)
    answers, told = list[tuple[str, float]](), ""
    note = "Mouse, or arrow keys and space"
    if state is not None:
        shares = state.model.answers(state, x)[0] if found.values.any() else np.full(CLASSES, np.nan)
        answers, told = list(zip(NAMES, (float(share) for share in shares), strict=True)), found.told
    return Sketch(found.values, LEVELS, tuple(answers), found.truth, found.drawn, told, note)


def maps(state: Trained, spec: Any, **asked: Any) -> Stack:
    """What every layer makes of the picture; of each at most MOST_MAPS maps."""
    found, x = _one(spec, asked)
    d, model = state.model.description, state.model
    rows = [Maps(f"{found.told}: {SIDE}×{SIDE}", x[0])]
    outs = model.forward(state, x)
    for layer, after, out in zip(d.layers, d.shapes[1:], outs, strict=True):
        if isinstance(layer, Flatten):
            continue
        values = out[0][:MOST_MAPS]
        images = values if values.ndim == 3 else values[:, None, None]
        scale: Any = "signed" if (values < 0).any() else "grey"
        rows.append(Maps(name_of(layer, after), images, NAMES if layer is d.layers[-1] else (), scale))
    return Stack(tuple(rows), "One scale for each row; blue is below 0, orange above")


def filters(state: Trained, spec: Any, **asked: Any) -> Stack:
    """The weights of every convolution, and of a last layer that looks at pictures."""
    d, rows = state.model.description, list[Maps]()
    views = state.model.network.views(state.params)
    for layer, before, own in zip(d.layers, d.shapes, views, strict=False):
        if isinstance(layer, Conv):
            out, into = own[0].shape[:2]
            words = f"Conv {layer.kernel}×{layer.kernel}: {out} filters" + (f" of {into} maps each" if into > 1 else "")
            rows.append(Maps(words, own[0].reshape(-1, layer.kernel, layer.kernel)[:MOST_FILTERS].copy(), (), "signed"))
        elif isinstance(layer, Linear) and len(rows) == 0 and before == (SIDE * SIDE,):
            rows.append(Maps("Dense: weights of each unit", own[0].reshape(-1, SIDE, SIDE).copy(), NAMES, "signed"))
    if not rows:
        rows.append(Maps("No convolution in this network", np.zeros((0, 1, 1)), (), "signed"))
    return Stack(tuple(rows), "Blue below 0, orange above")


def _sorted(state: Trained) -> tuple[Array, Array]:
    """The digits of all test pictures, and what the network takes them for (-1: it is lost)."""
    data = state.model.data
    shares = state.model.answers(state, data.test_x)
    said = np.where(np.isfinite(shares).all(axis=1), shares.argmax(axis=1), -1)
    return data.test_y.astype(int), said


def confusion(state: Trained, spec: Any, **asked: Any) -> Matrix:
    """Which digit was taken for which, over the test set."""
    truth, said = _sorted(state)
    good = said >= 0
    counts = np.bincount(truth[good] * CLASSES + said[good], minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    wrong = len(truth) - int(np.trace(counts))
    return Matrix(counts.astype(float), NAMES, NAMES, "is", "taken for",
                  note=f"{wrong:,} of {len(truth):,} test digits wrong")  # fmt: skip


@dataclass(frozen=True)
class Wrong(Images):
    """Test digits taken for another; `places`: their numbers in the test set."""

    places: tuple[int, ...] = ()


def wrong(state: Trained, spec: Any, **asked: Any) -> Wrong:
    """Test digits that are taken for another, in their order; the one looked at is framed."""
    truth, said = _sorted(state)
    places = tuple(int(i) for i in np.flatnonzero(truth != said)[:MOST_WRONG])
    picked = [k for k, i in enumerate(places) if spec.picture == "digit" and i == spec.digit]
    captions = tuple(f"{truth[i]}, not {said[i]}" if said[i] >= 0 else str(truth[i]) for i in places)
    count = int((truth != said).sum())
    more = f", the first {len(places)} shown" if count > len(places) else ""
    images = state.model.data.test_x[list(places), 0] if places else np.zeros((0, SIDE, SIDE))
    note = f"{count} of {len(truth)}{more}; click one to look at it" if count else "Not one is wrong"
    return Wrong(images, captions, "grey", tuple(picked), note, places)


def inside(state: Trained, spec: Any, **asked: Any) -> Inside:
    """The loss, a convolution, and the optimizer's rule; the numbers in hand."""
    formulas = (
        r"J = -\frac{1}{n} \sum_i \ln \hat{p}_i(y_i)",
        r"z_{o,i,j} = b_o + \sum_{c,m,n} w_{o,c,m,n} \, x_{c,r,s}",
        *RULES[spec.optimizer].formulas["pytorch"],
    )
    with np.errstate(all="ignore"):
        largest = float(np.abs(state.params).max())
    quantities = (
        Quantity("learning rate", r"\eta", (float(spec.learning_rate),), "step"),
        Quantity("weights and biases", "P", (len(state.params),), "scale"),
        Quantity("largest of them", r"\max |\theta|", (largest,), "scale"),
    )
    return Inside("network", formulas, quantities, note=f"{len(state.params):,} parameters learn from batches of "
                  f"{min(spec.batch_size, spec.samples)} digits.")  # fmt: skip
