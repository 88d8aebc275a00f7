"""The PyTorch script of a training run: data, first weights, order of samples and dropout masks are the app's own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from engine.networks import masks
from engine.networks.conv_description import ConvDescription
from engine.networks.description import Description

from .networks import LOAD_FLAT, dropped_layers, module_source
from .optimizers import NEARLY_ZERO, constructor, plain, written_out
from .text import header, section, sources, written_rules
from .training_run import UNPACKED, TrainingRun, numbers

OWN = ("batch_size", "l1", "l2", "clip")  # settings of the loop; the others are the optimizer's
_LOSSES = {
    "mse": "torch.nn.functional.mse_loss(out, y)",
    "bce": "torch.nn.functional.binary_cross_entropy_with_logits(out, y)",
    "cross_entropy": "torch.nn.functional.cross_entropy(out, y)",
}

_CHECK = """\
worst = np.max(np.abs(found - END) / np.maximum(1, np.abs(END)))
print(f"{len(found)} parameters, the farthest {worst:.1e} from the app's")
assert worst <= TOLERANCE, f"a parameter ended {worst:.1e} from the app's; at most {TOLERANCE} is allowed"
"""

_DIVERGED = """\
assert broken == STEPS, f"no longer finite at step {broken}, in the app at step {STEPS}"
"""


def training_script(title: str, paragraphs: Sequence[str], run: TrainingRun) -> str:
    """The whole script; it needs torch and NumPy, and asserts every parameter of `run.end` to within its tolerance."""
    told = [
        *paragraphs,
        "Written by Descent Lab. The script repeats a run and checks that every parameter ends where it ended in the "
        "app. It needs torch and NumPy and nothing else.",
    ]
    parts = [_run(run), _data(run), _network(run), _optimizer(run), _loop(run), _end(run)]
    parts.insert(1, _drawing(run, "\n".join(parts)))
    body = "\n\n".join(part.strip("\n") + "\n" for part in parts if part)
    imports = [f"import {name}" for name in ("base64", "zlib") if re.search(rf"\b{name}\.", body)]
    imports += ["", "import numpy as np", "import torch", "", f"torch.set_default_dtype(torch.{run.dtype})"]
    imports += ["torch.set_num_threads(1)  # small tensors: more threads only cost time"]
    return header(title, told, imports[1:] if imports[0] == "" else imports) + "\n" + body


def _run(run: TrainingRun) -> str:
    lines = [section("The run") + f"STEPS = {run.steps}"]
    if not run.diverged:
        lines.append(f"TOLERANCE = {run.tolerance!r}")
    if run.minibatches() or dropped_layers(run.description):
        lines.append(f"SEED = {run.seed}")
    values = {"batch_size": run.batch_size if run.minibatches() else 0, "l1": run.l1, "l2": run.l2, "clip": run.clip}
    lines += [f"{name} = {value!r}" for name, value in values.items() if value or run.changes(name)]
    return "\n".join(lines)


def _drawing(run: TrainingRun, rest: str) -> str:
    """The functions that draw the order of the samples and the masks, and the one that unpacks numbers."""
    functions: dict[str, Any] = {}
    if run.minibatches():
        functions["epoch_order"] = masks.epoch_order
    if dropped_layers(run.description):
        functions["dropout_mask"] = masks.dropout_mask
    lines = []
    if functions:
        comment = "Drawn from the seed, what for and where, as in the app: SplitMix64 over a counter."
        lines += [section("Chance", comment) + f"GOLDEN = np.uint64({hex(int(masks.GOLDEN))})", "", ""]
        lines.append(sources(functions, "engine.networks.masks"))
    if "unpacked(" in rest:
        lines += ["\n" + UNPACKED if lines else UNPACKED]
    return "\n".join(lines)


def _data(run: TrainingRun) -> str:
    classes = run.description.loss == "cross_entropy"
    shape = run.description.input if isinstance(run.description, ConvDescription) else (run.description.inputs,)
    y = run.y.reshape(len(run.x)) if classes else run.y.reshape(len(run.x), -1)
    parts = [section("The data") + numbers("X", run.x.reshape(len(run.x), *shape)), numbers("Y", y)]
    parts.append("X = torch.tensor(X, dtype=torch.get_default_dtype())")
    parts.append(f"Y = torch.tensor(Y, dtype={'torch.long' if classes else 'torch.get_default_dtype()'})")
    return "\n".join(parts)


def _network(run: TrainingRun) -> str:
    kept = "" if run.statistics is None or run.statistics.size == 0 else numbers("STATISTICS", run.statistics)
    lines = [section("The network"), "", module_source(run.description), "", LOAD_FLAT, ""]
    lines += [numbers("INITIAL", run.initial), *([kept] if kept else []), "model = Network()"]
    lines.append(f"load_flat(model, INITIAL{', STATISTICS' if kept else ''})")
    if any(getattr(run, name) or run.changes(name) for name in ("l1", "l2")):
        lines.append("layers = [m for m in model.modules() if isinstance(m, (torch.nn.Linear, torch.nn.Conv2d))]")
        lines.append("penalized = [layer.weight for layer in layers]")
        if run.penalize_biases:
            lines[-1] += " + [layer.bias for layer in layers if layer.bias is not None]"
    return "\n".join(lines)


def _optimizer(run: TrainingRun) -> str:
    groups, own = run.groups(), written_out(run.rule, run.convention)
    made = constructor(run.rule, run.convention, groups[0][1])
    lines = [section("The optimizer", "torch.optim does not have it: it is written out." if own else "")]
    if own:
        lines += ["", written_rules([own]), "", "# It works on all parameters as one vector, of which they are views."]
        lines += ["p = torch.nn.utils.parameters_to_vector(model.parameters()).detach().requires_grad_()"]
        lines += ["torch.nn.utils.vector_to_parameters(p.data, model.parameters())"]
    if any(group.get("momentum") == NEARLY_ZERO for _, group in groups):
        lines.append("# At momentum 0 torch.optim.SGD forgets its velocity; 1e-300 of it is lost in rounding just so.")
    lines.append(f"optimizer = {made if own else made.replace('[p]', 'model.parameters()', 1)}")
    table = run.pieces()[2]
    return "\n".join([*lines, *([numbers("RATES", table)] if table is not None else [])])


def _loop(run: TrainingRun) -> str:
    dropped, flat = dropped_layers(run.description), written_out(run.rule, run.convention)
    body = []
    for (_, before), (step, after) in pairwise(run.groups()):
        new = {key: value for key, value in after.items() if value != before[key]}
        if new:
            body += [f"if step == {step + 1}:", f"    optimizer.param_groups[0].update({plain(new)})"]
    for step, changed in run.live:
        own = {name: int(value) if name == "batch_size" else value for name, value in changed.items() if name in OWN}
        told = [f"    {name} = {value!r}" for name, value in own.items()]
        body += [f"if step == {step + 1}:", *told] if told else []
    if run.pieces()[2] is not None:
        body.append('optimizer.param_groups[0]["lr"] = RATES[step - 1]')
    if run.minibatches():
        body += [
            "size = batch_size if 0 < batch_size < len(X) else len(X)",
            "epoch, place = divmod(step - 1, -(-len(X) // size))",
            "rows = epoch_order(SEED, epoch, len(X)) if size < len(X) else np.arange(len(X))",
            "rows = rows[place * size : (place + 1) * size]",
            "x, y = X[rows], Y[rows]",
        ]
    else:
        body.append("x, y = X, Y")
    if dropped:
        body.append("masks = [")
        for (layer, rate), shape in zip(dropped, _shapes(run.description, dropped), strict=True):
            units = int(np.prod(shape))
            drawn = f"torch.tensor(dropout_mask(SEED, step, {layer}, {rate!r}, len(x), {units}))"
            drawn += f".reshape(len(x), {', '.join(map(str, shape))})" if len(shape) > 1 else ""
            body.append(f"    {drawn}.to(x.dtype),")
        body.append("]")
    half = "0.5 * " if run.description.loss == "mse" and run.description.half_mse else ""
    body += ["", "def closure():", "    model.zero_grad()", f"    out = model({'x, masks' if dropped else 'x'})"]
    body += [f"    loss = {half}{_LOSSES[run.description.loss]}", f"    {_penalized(run)}.backward()"]
    if run.clip or run.changes("clip"):
        clipping = "    torch.nn.utils.clip_grad_norm_(model.parameters(), clip)"
        body += ["    if clip > 0:", "    " + clipping] if run.changes("clip") else [clipping]
    if flat:
        body.append("    p.grad = torch.nn.utils.parameters_to_vector([w.grad for w in model.parameters()])")
    body += ["    losses.append(loss.item())", "    return loss", "", "optimizer.step(closure)"]
    if run.diverged:
        body += ["if not (np.isfinite(losses[-1]) and all(torch.isfinite(w).all() for w in model.parameters())):"]
        body += ["    broken = step", "    break"]
    body += [f"if step % {max(1, run.steps // 10)} == 0 or step == STEPS:"]
    body += ['    print(f"step {step:6}  loss before it {losses[-1]:.10g}")']
    head = ["losses = []", *(["broken = None"] if run.diverged else []), "model.train()"]
    lines = [*head, "for step in range(1, STEPS + 1):", *(f"    {line}" if line else "" for line in body)]
    return section("The training") + "\n".join(lines)


def _penalized(run: TrainingRun) -> str:
    """The expression that the gradient is taken of."""
    half = "" if run.convention == "book" else " / 2"
    terms = {"l1": "l1 * sum(w.abs().sum() for w in penalized)"}
    terms["l2"] = f"l2{half} * sum((w**2).sum() for w in penalized)"
    told = [term for name, term in terms.items() if getattr(run, name) or run.changes(name)]
    return f"({' + '.join(['loss', *told])})" if told else "loss"


def _shapes(d: Description | ConvDescription, dropped: Sequence[tuple[int, float]]) -> list[tuple[int, ...]]:
    """The shape of one sample's outputs of each thinned layer."""
    return [(d.sizes[i + 1],) if isinstance(d, Description) else d.shapes[i + 1] for i, _ in dropped]


def _end(run: TrainingRun) -> str:
    if run.diverged:
        return section("The end") + _DIVERGED
    comment = f"Every number may be {run.tolerance:g} from the app's, beyond 1 in size that share of itself."
    vector = "torch.nn.utils.parameters_to_vector(model.parameters()).detach().double().numpy()"
    parts = [section("The end", comment) + numbers("END", run.end), f"found = {vector}", _CHECK]
    if run.end_statistics is not None and run.end_statistics.size:
        parts.append(numbers("END_STATISTICS", run.end_statistics))
        parts += ["kept = [buffer for buffer in model.buffers() if buffer.is_floating_point()]"]
        parts += ["worst = np.max(np.abs(torch.cat(kept).double().numpy() - END_STATISTICS))"]
        parts += ['assert worst <= TOLERANCE, f"a running statistic ended {worst:.1e} from the app\'s"']
    return "\n".join(parts)
