"""Every schedule in torch's words: the lines that make its scheduler.

What torch.optim.lr_scheduler has is constructed; what it does not have is a LambdaLR with the formula written out.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from engine.schedules import SCHEDULES
from engine.schedules.cycles import FACTOR
from engine.schedules.drawn import check_knots
from engine.schedules.warmups import after_warmup, wsd_begin

from .text import WIDTH

_MODULE = "torch.optim.lr_scheduler"
IMPORTS = ("import math", "import torch")

_SMOOTH = '''\
def slopes(x, y):
    """Slopes at the knots that keep every piece monotone (Fritsch and Butland 1984)."""
    h = [b - a for a, b in zip(x, x[1:])]
    d = [(b - a) / w for a, b, w in zip(y, y[1:], h)]
    if len(d) == 1:
        return [d[0], d[0]]

    def end(near, far, slope, following):
        found = ((2 * near + far) * slope - near * following) / (near + far)
        if found * slope <= 0:
            return 0.0
        return 3 * slope if slope * following <= 0 and abs(found) > 3 * abs(slope) else found

    inner = [
        0.0 if a * b <= 0 else (3 * v + 3 * w) / ((2 * w + v) / a + (w + 2 * v) / b)
        for a, b, v, w in zip(d, d[1:], h, h[1:])
    ]
    return [end(h[0], h[1], d[0], d[1]), *inner, end(h[-1], h[-2], d[-1], d[-2])]

'''


def constructor(
    name: str, parameters: Mapping[str, Any], total: int, base_lr: float, optimizer: str = "optimizer", *,
    warmup: int = 0, warmup_factor: float = 0.0,
) -> list[str]:  # fmt: skip
    """The lines that make `scheduler` for an optimizer whose rate is base_lr, the peak; they use math and torch.

    `parameters` are those of SCHEDULES[name], as engine.schedules.rates takes them (with its `warmup`); what is left
    out has its default for a run of `total` steps. A scheduler that cycles the momentum asks for an optimizer that has
    one (SGD with momentum, or Adam). Raises ValueError for what `rates` refuses too, and for a one-cycle that is
    shorter than the run, since torch will not step beyond its end.
    """
    if name not in SCHEDULES:
        raise ValueError(f"no such schedule: {name!r}; known: {', '.join(SCHEDULES)}")
    own = SCHEDULES[name].values(after_warmup(total, warmup), parameters)
    if name in ("warmup_cosine", "warmup_linear"):
        return _warmed_up(name, own, total, base_lr, optimizer)
    if warmup:
        made, before = _expression(name, own, after_warmup(total, warmup), base_lr, optimizer)
        begin = _begin(name, own, base_lr)
        return before + _sequence(made, optimizer, warmup, warmup_factor, begin)
    made, before = _expression(name, own, total, base_lr, optimizer)
    return [*before, *_wrapped("scheduler", made)]


def _warmed_up(name: str, own: dict[str, Any], total: int, base_lr: float, optimizer: str) -> list[str]:
    warmup, left = own["warmup_steps"], after_warmup(total, own["warmup_steps"])
    if name == "warmup_cosine":
        after = {"T_max": own["T_max"] or left, "eta_min": own["eta_min"]}
        made = _torch("CosineAnnealingLR", optimizer, after)
    else:
        after = {"start_factor": 1.0, "end_factor": own["end_factor"], "total_iters": own["total_iters"] or left}
        made = _torch("LinearLR", optimizer, after)
    return _sequence(made, optimizer, warmup, own["warmup_factor"], 1.0) if warmup else _wrapped("scheduler", made)


def _sequence(made: str, optimizer: str, warmup: int, factor: float, begin: float) -> list[str]:
    """A warm-up, then what `made` makes, which begins at `begin` times the peak."""
    if factor > 0 and begin == 1.0:
        rising = {"start_factor": factor, "end_factor": 1.0, "total_iters": warmup}
        up = _torch("LinearLR", optimizer, rising)
    else:  # LinearLR cannot begin at 0
        share = f"step / {warmup}" if factor == 0 else f"({factor!r} + {1 - factor!r} * step / {warmup})"
        up = _lambda(share if begin == 1.0 else f"{begin!r} * {share}", optimizer)
    return [
        *_wrapped("rising", up),
        *_wrapped("falling", made),
        f"scheduler = {_MODULE}.SequentialLR({optimizer}, [rising, falling], milestones=[{warmup}])",
    ]


def _begin(name: str, own: Mapping[str, Any], base_lr: float) -> float:
    """Which share of the peak the schedule begins at."""
    match name:
        case "linear":
            return float(own["start_factor"])
        case "cyclic":
            return FACTOR if own["base_lr"] is None else float(own["base_lr"]) / base_lr
        case "one_cycle" | "plateau" | "drawn" | "inverse_sqrt" | "wsd":
            raise ValueError(f"a warm-up before {name} is not offered; it has its own or begins where it is drawn")
    return 1.0


def _expression(
    name: str, own: dict[str, Any], total: int, base_lr: float, optimizer: str
) -> tuple[str, list[str]]:  # fmt: skip
    """The expression that makes the scheduler, and the lines that have to stand before it."""
    match name:
        case "constant":
            return _torch("ConstantLR", optimizer, {"factor": 1.0, "total_iters": 0}), []
        case "multi_step":
            return _torch("MultiStepLR", optimizer, own | {"milestones": list(own["milestones"])}), []
        case "cyclic":
            low = FACTOR * base_lr if own["base_lr"] is None else own["base_lr"]
            return _torch("CyclicLR", optimizer, own | {"base_lr": low, "max_lr": base_lr}), []
        case "one_cycle":
            if own["total_steps"] < total:
                raise ValueError(
                    f"one_cycle.total_steps = {own['total_steps']} is not allowed: give at least {total}, the length "
                    f"of the run; PyTorch refuses to step beyond the cycle's end"
                )
            return _torch("OneCycleLR", optimizer, {"max_lr": base_lr} | own), []
        case "inverse_sqrt":
            return _lambda(_inverse_sqrt(own), optimizer), []
        case "wsd":
            return _lambda("factor(step)", optimizer), _wsd(own, total, base_lr)
        case "drawn":
            return _lambda("factor(step)", optimizer), _drawn(own, total)
    torchs = SCHEDULES[name].torch
    assert torchs is not None
    return _torch(torchs, optimizer, own), []


def _torch(name: str, optimizer: str, arguments: Mapping[str, Any]) -> str:
    told = [f"{key}={_quoted(value)}" for key, value in arguments.items()]
    return f"{_MODULE}.{name}({', '.join([optimizer, *told])})"


def _quoted(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


def _lambda(formula: str, optimizer: str) -> str:
    made = "factor" if formula == "factor(step)" else f"lambda step: {formula}"
    return f"{_MODULE}.LambdaLR({optimizer}, {made})"


def _wrapped(target: str, expression: str) -> list[str]:
    line = f"{target} = {expression}"
    if len(line) <= WIDTH:
        return [line]
    head, _, rest = expression.partition("(")
    return [f"{target} = {head}(", *_lines(rest[:-1]), ")"]


def _lines(words: str) -> list[str]:
    inner = "    "
    return textwrap.wrap(words, WIDTH, initial_indent=inner, subsequent_indent=inner, break_long_words=False)


def _inverse_sqrt(own: Mapping[str, Any]) -> str:
    warmup = own["warmup_steps"]
    scale = own["timescale"] if own["timescale"] is not None else max(warmup, 1)
    since = f"(step - {warmup})" if warmup else "step"
    after = f"1 / math.sqrt(1 + {since} / {scale!r})"
    return f"step / {warmup} if step < {warmup} else {after}" if warmup else after


def _wsd(own: Mapping[str, Any], total: int, base_lr: float) -> list[str]:
    begin, warmup = wsd_begin(total, own["decay_share"]), own["warmup_steps"]
    fall = {"linear": "share", "cosine": "(1 - math.cos(math.pi * share)) / 2", "sqrt": "math.sqrt(share)"}
    low = own["eta_min"] / base_lr
    left = f"1 - {fall[own['decay']]}" if low == 0 else f"1 - {1 - low!r} * {fall[own['decay']]}"
    lines = [
        "def factor(step):",
        f"    share = min(max((step - {begin}) / {max(total - begin, 1)}, 0), 1)  # of the decay",
        f"    stable = {left}",
    ]
    rest = f"min(stable, step / {warmup}) if step < {warmup} else stable" if warmup else "stable"
    return [*lines, f"    return {rest}", "", ""]


def _drawn(own: Mapping[str, Any], total: int) -> list[str]:
    knots = own["knots"]
    check_knots(knots)
    lines = ["KNOTS = [  # (share of the run, share of the peak)", *_lines(repr(list(knots))[1:-1]), "]", "", ""]
    smooth = own["smooth"] and len(knots) > 1
    if smooth:
        lines += [*_SMOOTH.splitlines(), ""]
    lines += [
        "def factor(step):",
        "    x, y = [x for x, _ in KNOTS], [y for _, y in KNOTS]",
        f"    at = min(max(step / {max(total - 1, 1)}, x[0]), x[-1])",
        "    i = max(k for k in range(len(x)) if x[k] <= at)",
        "    if i == len(x) - 1:",
        "        return y[i]",
        "    u = (at - x[i]) / (x[i + 1] - x[i])",
    ]
    if not smooth:
        return [*lines, "    return y[i] * (1 - u) + y[i + 1] * u", "", ""]
    return [
        *lines,
        "    m, w = slopes(x, y), x[i + 1] - x[i]",
        "    v = 1 - u",
        "    low, high = y[i] * (1 + 2 * u) + m[i] * w * u, y[i + 1] * (3 - 2 * u) - m[i + 1] * w * v",
        "    return low * v * v + high * u * u", "", "",
    ]  # fmt: skip
