"""The PyTorch script of networks.depth: every network trained again, held to what the app measured."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.experiments.networks._depth.pictures import Told
from engine.experiments.networks._depth.settings import NETWORKS, DepthSpec
from engine.experiments.networks._depth.training import WEIGHTS, net_of, seeds_of
from engine.experiments.networks._shared.rehearsed import TOLERANCE, expected, same, shake
from engine.networks.initializations import weights
from engine.networks.masks import GOLDEN, epoch_order
from engine.randomness import generator
from engine.spec import changed
from engine.torch_code import header, section
from engine.torch_code.text import sources
from engine.torch_code.training_run import UNPACKED, numbers

_OPTIMIZERS = {
    "momentum": "torch.optim.SGD(weights, lr=RATES[1], momentum=0.9)",
    "sgd": "torch.optim.SGD(weights, lr=RATES[1])",
    "adam": "torch.optim.Adam(weights, lr=RATES[1])",
}

_NETWORK = '''
def layer(inputs, outputs):
    """Weights, and a bias where no normalisation follows."""
    return torch.nn.Linear(inputs, outputs, bias={bias})


class Network(torch.nn.Module):
    """`depth` layers with weights: the first, those in blocks of two, the last."""

    def __init__(self, kind, depth):
        super().__init__()
        self.kind = kind
        sizes = [X.shape[1]] + [WIDTH] * (depth - 1)
        self.layers = torch.nn.ModuleList(layer(a, b) for a, b in zip(sizes, sizes[1:]))
        self.norms = torch.nn.ModuleList({norm} for _ in range(depth - 1))
        self.last = torch.nn.Linear(WIDTH, CLASSES)
        between = list(range(1, depth - 1))
        self.blocks = [between[i : i + 2] for i in range(0, len(between), 2)]

    def forward(self, x):
        bend = torch.{bend}
        if self.kind == "preactivation":
            h = self.layers[0](x)
            for block in self.blocks:
                way = h
                for k in block:
                    way = self.layers[k](bend(self.norms[k - 1](way)))
                h = h + BRANCH * way
            return self.last(bend(self.norms[-1](h)))
        h = bend(self.norms[0](self.layers[0](x)))
        for block in self.blocks:
            way = h
            for k in block:
                way = self.norms[k](self.layers[k](way))
                if k != block[-1]:
                    way = bend(way)
            h = bend(h + BRANCH * way if self.kind == "residual" else way)
        return self.last(h)


def begin(model, seed):
    """The first weights, as the app draws them; biases and shifts 0, gains 1."""
    with torch.no_grad():
        for k, one in enumerate([*model.layers, model.last]):
            drawn = weights("{first}", one.in_features, one.out_features, generator(seed, "initial weights", k))
            one.weight.copy_(torch.tensor(drawn))
            if one.bias is not None:
                one.bias.zero_()
'''

_TRAIN = '''
def batch(step, seed):
    """The samples of an update: every epoch takes them in an order of its own."""
    size = SIZES[max(s for s in SIZES if s <= step + BEFORE)]
    if size >= len(X):
        return X, Y
    epoch, place = divmod(step - 1, -(-len(X) // size))
    rows = epoch_order(seed, epoch, len(X))[place * size : (place + 1) * size]
    return X[rows], Y[rows]


def train(kind, depth, seed, steps, told):
    """Train one network; hold its loss over all samples to `told`, step -> the app's. Returns the loss at the end."""
    model = Network(kind, depth)
    begin(model, seed)
    weights = list(model.parameters())
    assert sum(w.numel() for w in weights) == PARAMETERS[depth], "the networks are not equally large"
    optimizer = {optimizer}
    loss = float("nan")
    for step in range(steps + 1):
        if step:
            optimizer.param_groups[0]["lr"] = RATES[max(s for s in RATES if s <= step + BEFORE)]
            x, y = batch(step, seed)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        if step in told or step == steps:
            with torch.no_grad():
                loss = float(torch.nn.functional.cross_entropy(model(X), Y))
        if step in told:
            apart = abs(loss - told[step]) / max(1e-3, abs(told[step]))
            where = f"{{kind}}, {{depth}} layers, seed {{seed}}, update {{step}}"
            assert apart <= TOLERANCE, f"{{where}}: loss {{loss}}, in the app {{told[step]}}"
    return loss


compared = 0
for (depth, before), steps in STEPS.items():
    BEFORE = before
    for (kind, seed), (told, end) in APP[depth].items():
        loss = train(kind, depth, seed, steps, told)
        compared += len(told)
        last = f"equal up to update {{max(told)}}" if max(told) < steps else "equal to the end"
        ends = f"loss {{loss:.6g}} after {{steps}} updates, in the app {{end:.6g}}"
        print(f"{{depth:3}} layers, {{kind:14}} seed {{seed}}: {{ends}}; {{last}}")
print(f"{{compared}} losses are the app's.")
'''


def write(experiment: Any, spec: DepthSpec, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of `steps` steps under `spec` and its live `events`, which asserts what `end` was told."""
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    pieces = [(0, spec)]
    for event in live:
        pieces.append((event.step, changed(pieces[-1][1], event.key, event.value)))
    real = _every(spec, end)
    shaken = _rehearse(experiment, pieces, steps, real)
    rates = {step + 1: own.learning_rate for step, own in pieces}
    sizes = {step + 1: min(own.batch_size, own.samples) for step, own in pieces}
    counts, table, app = list[str](), dict[int, int](), list[str]()
    for place, (depth, told) in enumerate(real):
        done = min(spec.steps, steps - place * spec.steps)
        counts.append(f"    ({depth}, {place * spec.steps}): {done},")
        table[depth] = _parameters(spec, depth, end)
        app += [f"    {depth}: {{", *expected(spec.networks, seeds_of(spec), told, shaken[place][1]), "    },"]
    data = end.data
    drawing: dict[str, Callable[..., Any]] = {"generator": generator, "weights": weights, "epoch_order": epoch_order}
    text = sources(drawing, "engine.")
    norms = {"batch": "torch.nn.BatchNorm1d(WIDTH, track_running_stats=False)", "layer": "torch.nn.LayerNorm(WIDTH)",
             "none": "torch.nn.Identity()"}  # fmt: skip
    names = ", ".join(NETWORKS[name].lower() for name in spec.networks)
    words = [
        f"{names}; {' and '.join(str(depth) for depth, _ in real)} layers of {spec.width} on {spec.data}, {spec.steps} "
        f"updates at a depth, {spec.seeds} seeds from {spec.seed} on, float64.",
        "Every network is trained again and its loss over all samples held to the app's. In deep networks rounding "
        "grows until it decides what comes; where a rehearsal in the app showed that, nothing is compared any more, "
        "and both ends are printed. Written by Descent Lab; it needs torch and NumPy and nothing else.",
    ]
    if live:
        story = "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on" for e in live)
        words.insert(1, f"Changed during the run: {story}.")
    body = "\n".join([
        section("The data"),
        numbers("X", data.x.T), numbers("Y", data.y.astype(float)),
        "X, Y = torch.tensor(X), torch.tensor(Y, dtype=torch.long)",
        f"CLASSES, WIDTH, BRANCH = {data.classes}, {spec.width}, {spec.branch!r}", "",
        section("Chance, as the app draws it"),
        f"GOLDEN = np.uint64({hex(int(GOLDEN))})", "", "",
        text, "",
        section("The networks"),
        _NETWORK.format(bias=spec.normalization == "none", norm=norms[spec.normalization], bend=spec.activation,
                        first=WEIGHTS[spec.activation]),
        section("What the app measured"),
        f"RATES = {rates!r}  # from which update on",
        f"SIZES = {sizes!r}  # of a batch",
        f"TOLERANCE = {TOLERANCE!r}",
        "# (layers, updates of the depths before): updates",
        "STEPS = {", *counts, "}",
        f"PARAMETERS = {table!r}  # of every kind",
        "# (kind, seed): ({update: training loss, as long as rounding does not decide}, training loss at the end)",
        "APP = {", *app, "}", "",
        section("Training"),
        _TRAIN.format(optimizer=_OPTIMIZERS[spec.optimizer]),
    ])  # fmt: skip
    imports = ["import math", "import zlib", "", "import numpy as np", "import torch", "",
               "torch.set_default_dtype(torch.float64)", "torch.set_num_threads(1)"]  # fmt: skip
    if "unpacked(" in body:
        imports.insert(0, "import base64")
        body = f"{UNPACKED}\n\n{body}"
    return header("Plain and residual networks of equal depth.", words, imports) + f"\n\n{body}"


def _every(spec: DepthSpec, state: Any) -> list[tuple[int, Told]]:
    """What was measured at every depth so far, the one in hand last."""
    found = list(state.past)
    if len(found) == state.place:
        told, update = state.told, state.step - state.place * spec.steps
        if told[-1][0] != update:  # between two measurements: once more
            told = (*told, (update, np.stack([team.measured(state.data) for team in state.teams], axis=1)))
        found.append((state.teams[0].net.depth, told))
    return found


def _parameters(spec: DepthSpec, depth: int, end: Any) -> int:
    counts = {net_of(spec, kind, depth, end.data).parameters for kind in spec.networks}
    assert len(counts) == 1
    return counts.pop()


def _rehearse(
    experiment: Any, pieces: Sequence[tuple[int, DepthSpec]], steps: int, real: Sequence[tuple[int, Told]]
) -> list[tuple[int, Told]]:
    """The run again, shaken a little before every update; each depth as far as anything can be compared."""
    spec = pieces[0][1]
    random = np.random.default_rng(0)
    state = copy.deepcopy(experiment.start(spec))
    while state.step < steps:
        for team in state.teams:
            shake(team.params, random)
        now = next(own for first, own in reversed(pieces) if first <= state.step)
        if not experiment.advance(state, now, 1).rows:
            break
        if not state.step % spec.steps or _parted(real, state):
            skip = -state.step % spec.steps  # nothing more is compared at this depth
            if skip and state.place + 1 < len(real):
                state.step += skip
                state.past = (*state.past, (state.teams[0].net.depth, state.told))
            elif skip:
                break
    return _every(spec, state)


def _parted(real: Sequence[tuple[int, Told]], state: Any) -> bool:
    """Whether every loss of the newest measurement is another than in the run itself."""
    update, values = state.told[-1]
    mine = dict(real[state.place][1]).get(update)
    if mine is None:
        return True
    with np.errstate(all="ignore"):
        return not same(mine[0], values[0]).any()
