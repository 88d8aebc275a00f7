"""Pieces of a PyTorch script that trains one small network several times from the same first weights.

Shared by experiments whose contestants differ in what happens around a step: the script has one function `train` that
is told before and after each step. How far it may be trusted is rehearsed in the app: see `horizon`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.experiments._shared.trained.model import Model, first_weights
from engine.experiments._shared.trained.settings import hypers
from engine.networks import masks
from engine.optimizers import RULES
from engine.spec import changed
from engine.torch_code import header, section, sources, written_out, written_rules
from engine.torch_code.networks import LOAD_FLAT, module_source
from engine.torch_code.optimizers import NEARLY_ZERO, changes, constructor, plain, settings
from engine.torch_code.training_run import UNPACKED, numbers

Array = NDArray[Any]
HEARTBEAT = 24  # places along a run at which a rehearsal is compared
# (relative change of the first weights in a rehearsal, how far apart it may end, what the script then allows)
_TRUST = {"float64": (1e-13, 1e-9, 1e-6), "float32": (1e-7, 1e-4, 1e-2)}
_LOSSES = {
    "mse": "torch.nn.functional.mse_loss(out, y)",
    "bce": "torch.nn.functional.binary_cross_entropy_with_logits(out, y)",
    "cross_entropy": "torch.nn.functional.cross_entropy(out, y)",
}

_TRAIN = '''\
def train(steps, before, after):
    """Train from the first weights and return those at the end.

    `before(step, group)` may set the optimizer's group; `after(step, model, optimizer, loss)` is called after each
    step, from 1 on, with the loss before it, and ends the training by returning True.
    """
    model = Network()
    load_flat(model, INITIAL)
    {make}
    losses = []
    for step in range(1, steps + 1):
        optimizer.param_groups[0].update(CHANGES.get(step, {{}}))
        before(step, optimizer.param_groups[0])
        x, y = batch(step)

        def closure():
            model.zero_grad()
            out = model(x)
            loss = {loss}
            loss.backward(){flat}
            losses.append(loss.item())
            return loss

        optimizer.step(closure)
        if after(step, model, optimizer, losses[-1]):
            break
    return flat(model)


def flat(model):
    """All weights in one array."""
    return torch.nn.utils.parameters_to_vector(model.parameters()).detach().double().numpy().copy()


def loss_of(model, x, y):
    """The loss over all these samples."""
    with torch.no_grad():
        out = model(x)
        return float({loss})
'''

_ACCURACY = '''\
def accuracy_of(model, x, y):
    """The share of these samples that are sorted into their class."""
    with torch.no_grad():
        out = model(x)
        return float(({right}).double().mean())
'''

_BATCH = '''\
def batch(step):
    """The samples of a step: every epoch takes them in an order of its own."""
    size = min(SIZES[max(s for s in SIZES if s <= step)] or len(X), len(X))
    if size == len(X):
        return X, Y
    epoch, place = divmod(step - 1, -(-len(X) // size))
    rows = epoch_order(SEED, epoch, len(X))[place * size : (place + 1) * size]
    return X[rows], Y[rows]
'''

_COMPARE = '''\
def compare(name, found, app):
    """Weights found here against those of the app."""
    worst = np.max(np.abs(found - app) / np.maximum(1, np.abs(app)))
    print(f"{name:16} {len(found)} weights, the farthest {worst:.1e} from the app's")
    assert worst <= TOLERANCE, f"{name}: a weight ended {worst:.1e} from the app's; at most {TOLERANCE} is allowed"
'''


@dataclass(frozen=True)
class Pieces:
    """A run in pieces of constant settings: (step before the first that they hold for, settings), in order."""

    pieces: tuple[tuple[int, Any], ...]

    @classmethod
    def of(cls, spec: Any, events: Sequence[Any], steps: int) -> Pieces:
        """The settings and their live changes up to a step."""
        found = [(0, spec)]
        for event in sorted(events, key=lambda e: e.step):
            if event.step < steps:
                found.append((event.step, changed(found[-1][1], event.key, event.value)))
        return cls(tuple(found))

    def at(self, step: int) -> Any:
        """The settings in force for the step after `step`."""
        return next(spec for first, spec in reversed(self.pieces) if first <= step)


def repeat(experiment: Any, pieces: Pieces, steps: int, shake: float = 0.0) -> list[tuple[int, Any]]:
    """The run again, in the app: (step, state) at some places up to `steps`, the last one included.

    With `shake` each weight is moved by about that share of itself, at the start and at each of these places.
    """
    import copy

    spec = pieces.pieces[0][1]
    state = experiment.start(spec)
    random = np.random.default_rng(0)
    early = [2**k for k in range(steps.bit_length()) if 2**k < steps]
    even = np.linspace(0, steps, HEARTBEAT + 1).round().astype(int).tolist()
    cuts = sorted({*early, *even, *(first for first, _ in pieces.pieces)})
    found = [(0, copy.deepcopy(state))]
    for until in cuts[1:]:
        if shake:
            moved = 1.0 + shake * random.standard_normal(state.params.shape[-1])
            state.params *= moved.astype(state.params.dtype)
        while state.step < until and experiment.advance(state, pieces.at(state.step), until - state.step).rows:
            pass
        found.append((state.step, copy.deepcopy(state)))
    return found


def horizon(
    experiment: Any, pieces: Pieces, steps: int, weights: Callable[[Any], Array]
) -> tuple[list[int], list[tuple[int, Any]]]:
    """Up to which step each contestant's weights can be compared, and the run's states by step.

    The run is rehearsed with weights that differ in their last digits. Where both part, rounding decides what becomes
    of the run, and torch rounds in another order. `weights(state)`: [S, P].
    """
    shake, most, _ = _TRUST[pieces.pieces[0][1].dtype]
    told, shaken = repeat(experiment, pieces, steps), repeat(experiment, pieces, steps, shake)
    good = [0] * len(experiment.series(pieces.pieces[0][1]))
    lost = [False] * len(good)
    for (step, one), (_, other) in zip(told, shaken, strict=True):
        a, b = weights(one).astype(float), weights(other).astype(float)
        with np.errstate(all="ignore"):
            apart = np.max(np.abs(a - b) / np.maximum(1.0, np.abs(a)), axis=1)
        for s in range(len(good)):
            lost[s] = lost[s] or not apart[s] <= most
            good[s] = good[s] if lost[s] else step
    return good, told


def tolerance(dtype: str) -> float:
    """How far a weight may end from the app's, beyond 1 in size as a share of itself."""
    return _TRUST[dtype][2]


def program(title: str, paragraphs: Sequence[str], spec: Any, parts: Sequence[str]) -> str:
    """The whole script out of its parts; imports and helpers are those that the parts use."""
    told = [*paragraphs, "Written by Descent Lab. It needs torch and NumPy and nothing else."]
    body = "\n\n".join(part.strip("\n") + "\n" for part in parts if part)
    if "unpacked(" in body:
        body = UNPACKED + "\n\n" + body
    names = ("base64", "math", "zlib")
    imports = [f"import {name}" for name in names if re.search(rf"\b{name}\.", body)]
    imports += [*([""] if imports else []), "import numpy as np", "import torch", ""]
    imports += [f"torch.set_default_dtype(torch.{spec.dtype})"]
    imports += ["torch.set_num_threads(1)  # small tensors: more threads only cost time"]
    return header(title, told, imports) + "\n\n" + body


def data_part(model: Model, names: Sequence[str]) -> str:
    """The samples: X, Y of the first part, then those of `names` as NAME_X, NAME_Y."""
    lines = [section("The data")]
    classes = model.description.loss == "cross_entropy"
    for prefix, part in zip(("", *(f"{name}_" for name in names)), model.parts, strict=True):
        if len(part.x):
            x, y = part.x.astype(float), part.y.astype(float)
            lines += [numbers(f"{prefix}X", x), numbers(f"{prefix}Y", y.reshape(-1) if classes else y)]
            kind = "torch.long" if classes else "torch.get_default_dtype()"
            lines.append(f"{prefix}X = torch.tensor({prefix}X, dtype=torch.get_default_dtype())")
            lines.append(f"{prefix}Y = torch.tensor({prefix}Y, dtype={kind})")
    return "\n".join(lines)


def network_part(model: Model, spec: Any) -> str:
    """The network and its first weights."""
    first = numbers("INITIAL", first_weights(model, spec))
    return "\n".join([section("The network"), "", module_source(model.description), "", LOAD_FLAT, "", first])


def training_part(model: Model, pieces: Pieces, rates: Mapping[int, float]) -> str:
    """The optimizer, the batches and `train`. `rates`: the learning rate from each step on, the first at step 1."""
    spec = pieces.pieces[0][1]
    rule, convention = spec.optimizer, spec.convention
    own = written_out(rule, convention)
    groups = [(first, settings(rule, convention, rates[1], hypers(now))) for first, now in pieces.pieces]
    table: dict[int, dict[str, Any]] = {step + 1: new for step, new in changes(groups).items()}
    for step, rate in rates.items():
        if step > 1:
            table.setdefault(step, {})["lr"] = rate
    made = constructor(rule, convention, groups[0][1])
    lines = [section("The training", "torch.optim does not have this optimizer: it is written out." if own else "")]
    if own:
        lines += ["", written_rules([own]), ""]
        make = ("p = torch.nn.utils.parameters_to_vector(model.parameters()).detach().requires_grad_()\n    "
                "torch.nn.utils.vector_to_parameters(p.data, model.parameters())  # views of one vector\n    "
                f"optimizer = {made}")  # fmt: skip
        flat = "\n            p.grad = torch.nn.utils.parameters_to_vector([w.grad for w in model.parameters()])"
    else:
        make, flat = f"optimizer = {made.replace('[p]', 'model.parameters()', 1)}", ""
    sizes = {first + 1: now.batch_size for first, now in pieces.pieces}
    for (_, before), (step, after) in pairwise(list(sizes.items())):
        if before == after:
            sizes.pop(step)
    lines += [f"CHANGES = {plain(table)}  # of the optimizer's group, from which step on"]
    if any(group.get("momentum") == NEARLY_ZERO for _, group in groups):
        lines.append("# At momentum 0 torch.optim.SGD forgets its velocity; 1e-300 of it is lost in rounding just so.")
    small = any(0 < size < len(model.parts[0].x) for size in sizes.values())
    if small:
        lines += [f"SEED = {spec.seed}", f"GOLDEN = np.uint64({hex(int(masks.GOLDEN))})"]
        lines += [f"SIZES = {plain(sizes)}  # of a batch, from which step on; 0: all samples", "", ""]
        lines += [sources({"epoch_order": masks.epoch_order}, "engine.networks.masks"), "", _BATCH, ""]
    else:
        lines += ["", "", 'def batch(step):\n    """All samples, at every step."""\n    return X, Y\n', ""]
    loss = _LOSSES[model.description.loss]
    lines.append(_TRAIN.format(make=make, loss=loss, flat=flat))
    return "\n".join(lines)


def accuracy_part(model: Model) -> str:
    """The function `accuracy_of`, for classes."""
    right = "out.argmax(dim=1) == y" if model.description.loss == "cross_entropy" else "(out > 0) == (y > 0.5)"
    return _ACCURACY.format(right=right)


def compare_part(spec: Any, comment: str) -> str:
    """The function that holds weights to the app's."""
    return "\n".join([section("The end", comment), f"TOLERANCE = {tolerance(spec.dtype)!r}", "", "", _COMPARE])


def optimizer_words(spec: Any) -> str:
    """The optimizer in words."""
    return f"{RULES[spec.optimizer].title} ({spec.convention} convention)"


def live_words(events: Sequence[Any], unit: str) -> list[str]:
    """A sentence on what was changed during the run; none where nothing was."""
    story = "; ".join(f"{e.key} = {e.value!r} from {unit} {e.step + 1} on" for e in events)
    return [f"Changed during the run: {story}."] if story else []
