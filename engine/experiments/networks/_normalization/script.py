"""The PyTorch script of networks.normalization: torch's own layers on the tensor, or every network trained again."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from engine.experiments.networks._normalization.settings import NORMS, NormalizationSpec, batch_sizes, updates
from engine.experiments.networks._normalization.training import describe, seeds_of
from engine.experiments.networks._shared.rehearsed import TOLERANCE, Told, expected, shake
from engine.networks.initializations import weights
from engine.networks.masks import GOLDEN, epoch_order
from engine.randomness import generator
from engine.spec import changed
from engine.torch_code import header, section
from engine.torch_code.networks import module_source
from engine.torch_code.text import sources
from engine.torch_code.training_run import UNPACKED, numbers

_OPTIMIZERS = {
    "momentum": "torch.optim.SGD(model.parameters(), lr=RATES[1], momentum=0.9)",
    "sgd": "torch.optim.SGD(model.parameters(), lr=RATES[1])",
    "adam": "torch.optim.Adam(model.parameters(), lr=RATES[1])",
}
_LAYERS = {
    "batch": "torch.nn.BatchNorm2d(C, eps=EPS)",
    "layer": "torch.nn.LayerNorm((C, SIDE, SIDE), eps=EPS)",
    "instance": "torch.nn.InstanceNorm2d(C, eps=EPS)",
    "group": "torch.nn.GroupNorm(C // GROUP_SIZE, C, eps=EPS)",
    "none": "torch.nn.Identity()",
}

_TENSOR = '''
def feature_maps():
    """Channel after channel from NumPy's legacy generator."""
    random = np.random.RandomState(SEED)
    found = np.empty((N, C, SIDE, SIDE))
    for c in range(C):
        found[:, c] = random.normal(*[(10, 5), (0, 1), (-5, 3)][c % 3], (N, SIDE, SIDE))
    return found


def places(norm):
    """Index of every group, in the order of their turn."""
    if norm == "batch":
        return [(slice(None), c) for c in range(C)]
    if norm == "layer":
        return [(n,) for n in range(N)]
    if norm == "instance":
        return [(n, c) for n in range(N) for c in range(C)]
    if norm == "group":
        return [(n, slice(c, c + GROUP_SIZE)) for n in range(N) for c in range(0, C, GROUP_SIZE)]
    return []


x = feature_maps()
for norm, (layer, steps, app) in APP.items():
    own = x.copy()
    for place in places(norm)[:steps]:
        values = x[place]
        variance = values.var(ddof=DDOF if values.size > 1 else 0)
        own[place] = (values - values.mean()) / (np.sqrt(variance) + EPS if BOOK else np.sqrt(variance + EPS))
    apart = float(np.abs(own - app).max())
    assert apart <= 1e-12 * max(1.0, float(np.abs(app).max())), f"{norm}: {apart} from the app's numbers"
    told = f"{norm:9} {min(steps, len(places(norm)))} groups, the app's numbers to {apart:.1e}"
    if steps >= len(places(norm)) and layer is not None:
        with torch.no_grad():
            theirs = layer(torch.tensor(x)).numpy()
        apart = float(np.abs(theirs - app).max())
        told += f"; torch's layer is {apart:.2e} away"
        if not BOOK and not DDOF:
            assert apart <= 1e-9, f"{norm}: torch's layer is {apart} away"
    print(told)
'''

_TRAIN = '''
NETWORKS = {{{networks}}}


def begin(model, seed):
    """The first weights, as the app draws them; biases and shifts 0, gains 1."""
    learning = [m for m in model.modules() if isinstance(m, (torch.nn.Conv2d, torch.nn.Linear))]
    with torch.no_grad():
        for k, one in zip((0, 1, 2, 4), learning):
            fan_in = one.weight[0].numel()
            drawn = weights("he_normal", fan_in, len(one.weight), generator(seed, "initial weights", k))
            one.weight.copy_(torch.tensor(drawn).reshape(one.weight.shape))
            if one.bias is not None:
                one.bias.zero_()


def train(norm, size, before, seed, steps, told):
    """Train one network; hold its loss over all samples to `told`, update -> the app's. Returns the loss at the end."""
    model = NETWORKS[norm]()
    begin(model, seed)
    optimizer = {optimizer}
    rounds, loss = -(-len(X) // size), float("nan")
    for step in range(steps + 1):
        if step:
            rate = RATES[max(s for s in RATES if s <= step + before)]
            optimizer.param_groups[0]["lr"] = rate{scaled}
            epoch, place = divmod(step - 1, rounds)
            rows = epoch_order(seed, epoch, len(X))[place * size : (place + 1) * size] if size < len(X) else slice(None)
            model.train()
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(X[rows]), Y[rows]).backward()
            optimizer.step()
        if step in told or step == steps:
            model.eval()  # the running statistics
            with torch.no_grad():
                loss = float(torch.nn.functional.cross_entropy(model(X), Y))
        if step in told:
            apart = abs(loss - told[step]) / max(1e-3, abs(told[step]))
            where = f"{{norm}}, batches of {{size}}, seed {{seed}}, update {{step}}"
            assert apart <= TOLERANCE, f"{{where}}: loss {{loss}}, in the app {{told[step]}}"
    return loss


compared = 0
for (size, before), steps in STEPS.items():
    for (norm, seed), (told, end) in APP[size].items():
        loss = train(norm, size, before, seed, steps, told)
        compared += len(told)
        last = f"equal up to update {{max(told)}}" if max(told, default=0) < steps else "equal to the end"
        ends = f"loss {{loss:.6g}} after {{steps}} updates, in the app {{end:.6g}}"
        print(f"batches of {{size:3}}, {{norm:9}} seed {{seed}}: {{ends}}; {{last}}")
print(f"{{compared}} losses are the app's.")
'''


def write(experiment: Any, spec: NormalizationSpec, events: Sequence[Any], steps: int, end: Any) -> str:
    """The script of `steps` steps under `spec` and its live `events`, which asserts what `end` holds."""
    if spec.study == "tensor":
        title, words, body = _tensor(spec, steps, end)
    else:
        title, words, body = _training(experiment, spec, events, steps, end)
    imports = [f"import {name}" for name in ("base64", "math", "zlib")
               if f"{name}." in body or (name != "math" and "unpacked(" in body)]  # fmt: skip
    imports += [*([""] if imports else []), "import numpy as np", "import torch", "",
                "torch.set_default_dtype(torch.float64)", "torch.set_num_threads(1)"]  # fmt: skip
    if "unpacked(" in body:
        body = f"{UNPACKED}\n\n{body}"
    words.append("Written by Descent Lab; it needs torch and NumPy and nothing else.")
    return header(title, words, imports) + f"\n\n{body}"


def _tensor(spec: NormalizationSpec, steps: int, end: Any) -> tuple[str, list[str], str]:
    lines = [section("What the app found"), "APP = {}  # torch's layer, groups normalised, the tensor then"]
    shape = (spec.batch, spec.channels, spec.side, spec.side)
    for one in end.tensors:
        lines.append(numbers("found", one.at(steps).ravel()))
        lone = one.count and one.before.size == one.count  # a single number has no variance: torch refuses
        layer = "None" if lone else _LAYERS[one.norm]
        lines.append(f'APP["{one.norm}"] = ({layer}, {min(steps, one.count)}, found.reshape{shape!r})')
    body = "\n".join([
        section("The settings"),
        f"N, C, SIDE, GROUP_SIZE, SEED = {spec.batch}, {spec.channels}, {spec.side}, {spec.group_size}, "
        f"{spec.tensor_seed}",
        f"EPS, BOOK, DDOF = {spec.eps!r}, {spec.convention == 'book'}, {int(spec.variance == 'unbiased')}",
        "", *lines, "", section("The tensor, group by group"), _TENSOR,
    ])  # fmt: skip
    names = ", ".join(NORMS[name].lower() for name in spec.norms)
    words = [f"{names} on feature maps of {spec.batch} x {spec.channels} x {spec.side} x {spec.side}: the groups by "
             "hand, and torch's own layers beside them."]  # fmt: skip
    return "Normalised feature maps.", words, body


def _training(
    experiment: Any, spec: NormalizationSpec, events: Sequence[Any], steps: int, end: Any
) -> tuple[str, list[str], str]:
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    pieces = [(0, spec)]
    for event in live:
        pieces.append((event.step, changed(pieces[-1][1], event.key, event.value)))
    real, shaken = _every(spec, end), _rehearse(experiment, pieces, steps)
    counts, app, before = list[str](), list[str](), 0
    for place, (size, told) in enumerate(real):
        done = min(updates(spec, size), steps - before)
        counts.append(f"    ({size}, {before}): {done},")
        app += [f"    {size}: {{", *expected(spec.norms, seeds_of(spec), told, shaken[place][1]), "    },"]
        before += done
    problem = end.problem
    drawing: dict[str, Callable[..., Any]] = {"generator": generator, "weights": weights, "epoch_order": epoch_order}
    classes = [module_source(describe(spec, norm), norm.capitalize() + "Network") for norm in spec.norms]
    networks = ", ".join(f'"{norm}": {norm.capitalize()}Network' for norm in spec.norms)
    rates = {step + 1: own.learning_rate for step, own in pieces}
    body = "\n".join([
        section("The data"),
        numbers("X", problem.x), numbers("Y", problem.y),
        "X, Y = torch.tensor(X), torch.tensor(Y, dtype=torch.long)", "",
        section("Chance, as the app draws it"),
        f"GOLDEN = np.uint64({hex(int(GOLDEN))})", "", "",
        sources(drawing, "engine."), "",
        section("The networks"), "", *(one + "\n" for one in classes),
        section("What the app measured"),
        f"RATES = {rates!r}  # from which update on",
        f"TOLERANCE = {TOLERANCE!r}",
        "# (batch size, updates of the batch sizes before): updates",
        "STEPS = {", *counts, "}",
        "# (normalisation, seed): ({update: training loss, as long as rounding does not decide}, loss at the end)",
        "APP = {", *app, "}", "",
        section("Training"),
        _TRAIN.format(networks=networks, optimizer=_OPTIMIZERS[spec.optimizer],
                      scaled=" * size / 32" if spec.scaling == "linear" else ""),
    ])  # fmt: skip
    names = ", ".join(NORMS[name].lower() for name in spec.norms)
    words = [
        f"{names}; batches of {', '.join(str(size) for size, _ in real)}, {spec.epochs} epochs of {spec.samples} "
        f"digits, {spec.seeds} seeds from {spec.seed} on, float64.",
        "Every network is trained again and its loss over all samples, with running statistics, held to the app's; "
        "where a rehearsal in the app showed that rounding decides, nothing is compared any more, and both ends are "
        "printed.",
    ]
    if live:
        story = "; ".join(f"{e.key} = {e.value!r} from step {e.step + 1} on" for e in live)
        words.insert(1, f"Changed during the run: {story}.")
    return "Normalisations in training.", words, body


def _every(spec: NormalizationSpec, state: Any) -> list[tuple[int, Told]]:
    """What was measured at every batch size so far, the one in hand last."""
    found = list(state.past)
    if len(found) == state.place:
        told = state.told
        if told[-1][0] != state.update:  # between two measurements: once more
            told = (*told, (state.update, np.stack([team.measured() for team in state.teams], axis=1)))
        found.append((batch_sizes(spec)[state.place], told))
    return found


def _rehearse(experiment: Any, pieces: Sequence[tuple[int, NormalizationSpec]], steps: int) -> list[tuple[int, Told]]:
    """The run again, shaken a little at every measurement and every sixteenth update."""
    random = np.random.default_rng(0)
    state = copy.deepcopy(experiment.start(pieces[0][1]))
    while state.step < steps:
        for team in state.teams:
            shake(team.params, random)
        now = next(own for first, own in reversed(pieces) if first <= state.step)
        changes = [first - state.step for first, _ in pieces if first > state.step]
        if not experiment.advance(state, now, min([16, steps - state.step, *changes])).rows:
            break
    return _every(pieces[0][1], state)
