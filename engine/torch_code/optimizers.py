"""Every optimizer in torch's words: its settings as `param_groups` name them, and the line that makes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from engine.optimizers import RULES, Convention

_TORCH = {
    "sgd": "SGD", "momentum": "SGD", "nesterov": "SGD", "adagrad": "Adagrad", "adadelta": "Adadelta",
    "rmsprop": "RMSprop", "adam": "Adam", "adamw": "AdamW", "nadam": "NAdam", "amsgrad": "Adam", "adamax": "Adamax",
}  # fmt: skip
_FIXED = {"nesterov": {"nesterov": True}, "amsgrad": {"amsgrad": True}}
_BOOK = {
    "momentum": "BookMomentum", "nesterov": "BookNesterov", "adagrad": "BookAdaGrad", "rmsprop": "BookRMSprop",
}  # fmt: skip
_OWN = {"lion": "Lion", "newton": "Newton"}

NEARLY_ZERO = 1e-300
"""Momentum 0 for torch.optim.SGD, which at 0 itself forgets its buffer and refuses Nesterov. So small a share of the
old velocity is lost in rounding: the sum is the gradient, bit for bit."""


def written_out(name: str, convention: Convention) -> str:
    """The class of `engine.torch_code.rules` that a script must carry for this optimizer; empty: torch has it."""
    return _OWN.get(name, "") or (_BOOK.get(name, "") if convention == "book" else "")


def settings(name: str, convention: Convention, lr: float, hypers: Mapping[str, float]) -> dict[str, Any]:
    """What the optimizer's entry in `param_groups` holds, under torch's names.

    The book's L2 has no one half: for torch's own classes the weight decay is doubled (ours double it themselves).
    """
    values: dict[str, Any] = {"lr": lr} | {key: value for key, value in hypers.items() if key != "learning_rate"}
    if "beta1" in values:
        betas = values.pop("beta1"), values.pop("beta2")
        values = {"lr": values.pop("lr"), "betas": betas, **values}
    if not written_out(name, convention):
        if convention == "book" and not RULES[name].decoupled:
            values["weight_decay"] *= 2
        if name in ("momentum", "nesterov"):
            values["momentum"] = values["momentum"] or NEARLY_ZERO
    return values


def constructor(name: str, convention: Convention, values: Mapping[str, Any]) -> str:
    """The expression that makes the optimizer of a parameter `p` (Newton's also of a function `surface`)."""
    own = written_out(name, convention)
    arguments = ["[p]", *(["surface"] if own == "Newton" else [])]
    fixed = {} if own else _FIXED.get(name, {})
    arguments += [f"{key}={value!r}" for key, value in {**values, **fixed}.items()]
    return f"{own or 'torch.optim.' + _TORCH[name]}({', '.join(arguments)})"


def changes(groups: Sequence[tuple[int, Mapping[str, Any]]]) -> dict[int, dict[str, Any]]:
    """What live changes do to one optimizer: step -> the settings that are new from the step after it.

    `groups` are (step, settings in force from the step after it), in order.
    """
    found: dict[int, dict[str, Any]] = {}
    for (_, before), (step, after) in pairwise(groups):
        new = {key: value for key, value in after.items() if value != before[key]}
        if new:
            found[step] = found.get(step, {}) | new
    return found


def plain(value: Any) -> str:
    """A dictionary of numbers as text, in double quotes."""
    return repr(value).replace("'", '"')


def listed(name: str, table: Mapping[str, Mapping[int, Any]], comment: str) -> list[str]:
    """The lines of `NAME = {optimizer: its changes}` below a comment; none where nothing changes."""
    told = [f'    "{key}": {plain(value)},' for key, value in table.items() if value]
    return [f"# {comment}", f"{name} = {{", *told, "}"] if told else []
