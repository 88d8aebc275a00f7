"""Exported training scripts run alone and end where the app's own kernels and networks end."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest

from engine.networks.conv_description import Conv, ConvDescription, Flatten, Linear, Pool
from engine.networks.description import Description
from engine.networks.initializations import initialize
from engine.networks.mlp import NOT_FINITE, Mlp, Rule
from engine.networks.torch_network import TorchNetwork
from engine.optimizers import RULES
from engine.torch_code.training import training_script
from engine.torch_code.training_run import UNPACKED, TrainingRun, numbers
from tests.alone import Alone

STEPS = 60


@dataclass(frozen=True)
class Case:
    """A run in the app; `live` as TrainingRun has it."""

    description: Description | ConvDescription
    rule: Rule
    rates: Any
    batch_size: int = 0
    compiled: bool = False
    samples: int = 24
    dtype: str = "float64"
    tolerance: float = 1e-9
    live: Sequence[tuple[int, Mapping[str, float]]] = ()


CASES = {
    "sgd, full batch, tanh": Case(Description(3, (5, 4), 2, ("tanh", "tanh")), Rule.of("sgd"), 0.1, compiled=True),
    "adam, minibatches, dropout": Case(
        Description(3, (8, 8), 1, ("relu", "relu"), "bce", dropout=(0.3, 0.2)),
        Rule.of("adam", l1=1e-3, l2=1e-2, clip=0.5), 0.01 * 0.98 ** np.arange(STEPS), 7, compiled=True,
    ),
    "momentum, batch norm, residual": Case(
        Description(4, (6, 6), 2, ("gelu", "elu"), normalization="batch", residual=True, half_mse=True),
        Rule.of("momentum", convention="book", l2=0.01, penalize_biases=True), 0.05, 8,
    ),
    "live changes": Case(
        Description(3, (6, 5), 4, ("prelu", "leaky_relu"), "cross_entropy", slopes=(0.1, 0.3)),
        Rule.of("nesterov", {"momentum": 0.5}, convention="book", l2=0.01), 0.05, 8, compiled=True,
        live=((20, {"learning_rate": 0.02, "l2": 0.1}), (31, {"momentum": 0.8, "batch_size": 5.0, "clip": 0.4})),
    ),
    "convolution": Case(
        ConvDescription(
            (1, 6, 6),
            (Conv(4, 3, padding=1, normalization="batch", dropout=0.2), Conv(4, normalization="group", residual=False),
             Pool("average"), Flatten(), Linear(6, "mish", dropout=0.5), Linear(3)),
        ),
        Rule.of("lion"), np.repeat([2e-3, 1e-3], 30), 8,
    ),
    "float32": Case(
        Description(3, (6,), 2, ("silu",)), Rule.of("rmsprop"), 0.003, 6, True, dtype="float32", tolerance=1e-4
    ),
}  # fmt: skip


def data(case: Case) -> tuple[Any, Any]:
    random = np.random.default_rng(5)
    d, n = case.description, case.samples
    x = random.normal(size=(n, *((d.inputs,) if isinstance(d, Description) else d.input)))
    if d.loss == "mse":
        return x, random.normal(size=(n, d.outputs))
    return x, random.integers(0, max(2, d.outputs), n).astype(float)


def app_run(case: Case) -> TrainingRun:
    """Train in the app, cut at live changes, and tell the run."""
    d, seed = case.description, 9
    network = Mlp(d, case.dtype) if case.compiled and isinstance(d, Description) else TorchNetwork(d, case.dtype)
    first = initialize(d, "he_normal", 2, case.dtype) if isinstance(network, Mlp) else network.initial("he_normal", 2)
    params, states, (x, y) = first.copy(), network.states(case.rule.name), data(case)
    buffers = np.zeros(0) if isinstance(network, Mlp) else network.initial_buffers()
    before = buffers.copy()
    rates = np.broadcast_to(np.asarray(case.rates, float), STEPS).copy()
    rule, batch, at = case.rule, case.batch_size, 0
    for until, new in [*case.live, (STEPS, {})]:
        if isinstance(network, Mlp):
            network.train(params, states, x, y, rule, at + 1, rates[at:until], batch, seed)
        else:
            network.train(params, buffers, states, x, y, rule, at + 1, rates[at:until], batch, seed)
        rates[until:] = new.get("learning_rate", rates[-1])
        batch, at = int(new.get("batch_size", batch)), until
        names = [hyper.name for hyper in RULES[rule.name].hypers]
        hypers = tuple(new.get(name, value) for name, value in zip(names, rule.values().tolist(), strict=True))
        rule = replace(rule, hypers=hypers, l2=new.get("l2", rule.l2), clip=new.get("clip", rule.clip))
    asked = case.rule
    own = {hyper.name: value for hyper, value in zip(RULES[asked.name].hypers, asked.values().tolist(), strict=True)}
    return TrainingRun(
        d, first, x, y, asked.name, asked.convention, case.rates, own, STEPS, params, asked.l1, asked.l2,
        asked.penalize_biases, asked.clip, case.batch_size, seed, case.tolerance, case.dtype, case.live,
        before, buffers,
    )  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_script_ends_where_the_app_ends(name: str, alone: Alone) -> None:
    run = app_run(CASES[name])
    assert np.isfinite(run.end).all() and np.abs(run.end - run.initial).max() > 0.01
    text = training_script("A run.", [f"Case: {name}."], run)
    assert f"{len(run.end)} parameters, the farthest" in alone.says(text)


def test_a_script_runs_in_a_new_process(alone: Alone) -> None:
    run = app_run(CASES["momentum, batch norm, residual"])
    assert f"{len(run.end)} parameters" in alone.says(training_script("A run.", [], run), fresh=True)


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("seed", {"seed": 10}),
        ("rate", {"rates": 0.0100001}),
        ("penalty", {"l2": 0.0101}),
        ("end", {}),
    ],
)
def test_a_script_of_another_run_fails(what: str, change: dict[str, Any], alone: Alone) -> None:
    run = app_run(CASES["adam, minibatches, dropout"])
    if what == "end":
        run = replace(run, end=run.end + np.eye(1, len(run.end), 3)[0] * 1e-8)
    other = training_script("A run.", [], replace(run, **change))
    assert re.search("AssertionError: .*a parameter ended", alone.fails(other))


def test_a_diverged_run_diverges_in_the_script_too(alone: Alone) -> None:
    case = Case(Description(3, (5,), 2, ("relu",)), Rule.of("sgd"), 1e30)
    network = Mlp(case.description)
    first = initialize(case.description, "he_normal", 2)
    params, (x, y) = first.copy(), data(case)
    done, code, _ = network.train(params, network.states("sgd"), x, y, case.rule, 1, np.full(50, case.rates))
    assert code == NOT_FINITE and done > 1
    run = TrainingRun(
        case.description, first, x, y, "sgd", "pytorch", case.rates, {"weight_decay": 0.0}, done, params, diverged=True
    )
    alone.says(training_script("A run.", [], run))
    other = training_script("A run.", [], replace(run, steps=done + 3))
    assert re.search("AssertionError: .*no longer finite at step", alone.fails(other))


@pytest.mark.parametrize("size", [0, 5, 2000])
def test_numbers_come_back_bit_for_bit(size: int) -> None:
    value = np.random.default_rng(0).normal(size=(size, 2)) * 1e-300
    code = numbers("A", value)
    names: dict[str, Any] = {"np": np}
    exec("import base64, zlib\n" + UNPACKED + code, names)
    assert names["A"].shape == value.shape and names["A"].tobytes() == value.tobytes()


def test_a_script_carries_only_what_it_needs() -> None:
    text = training_script("A run.", [], app_run(CASES["sgd, full batch, tanh"]))
    assert not any(word in text for word in ("epoch", "dropout", "l1", "l2", "clip", "SEED", "RATES", "masks"))
    assert max(len(line) for line in text.split("\n")) <= 120
    ast.parse(text)


def test_rates_must_be_enough() -> None:
    run = app_run(CASES["sgd, full batch, tanh"])
    with pytest.raises(ValueError, match="3 learning rates for 60 steps"):
        training_script("A run.", [], replace(run, rates=[0.1, 0.1, 0.1]))
