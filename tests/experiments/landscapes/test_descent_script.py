"""The exported script runs alone with torch and NumPy and ends where the app ended, to 1e-10; or fails."""

from __future__ import annotations

import ast
import functools
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.experiments.landscapes._descent import rehearsal as _rehearsal
from engine.experiments.landscapes._descent.settings import NAMES
from engine.experiments.landscapes.descent import Descent
from engine.optimizers import CONVENTIONS, RULES
from engine.second_order import METHODS
from engine.session.commands import script
from engine.session.session import Session
from engine.spec import build
from tests.alone import Alone

ROOT = Path(__file__).resolve().parents[3]
RATES = {
    "sgd": 1e-3, "momentum": 3e-4, "nesterov": 3e-4, "adagrad": 0.1, "adadelta": 1.0, "rmsprop": 0.01, "adam": 0.02,
    "adamw": 0.02, "nadam": 0.02, "amsgrad": 0.02, "adamax": 0.02, "lion": 0.003,
}  # fmt: skip
SUITED = {f"{name}.learning_rate": rate for name, rate in RATES.items()}
ODD = {
    f"{name}.{hyper.name}": {
        "eps": 1e-3, "weight_decay": 0.02, "momentum": 0.7, "beta1": 0.8, "beta2": 0.95, "alpha": 0.9, "rho": 0.8,
        "lr_decay": 0.01, "momentum_decay": 0.02,
    }[hyper.name]
    for name, rule in RULES.items() for hyper in rule.hypers
}  # fmt: skip
ODD |= {"newton.damping": 0.5, "newton.learning_rate": 0.7, "bfgs.c2": 0.5, "cg.max_evaluations": 7, "lbfgs.history": 2}


def session(values: dict[str, Any], live: tuple[tuple[int, str, Any], ...] = ()) -> Session:
    """A run to its end, with live changes at their steps."""
    experiment = Descent()
    run = Session(experiment, build(experiment.Spec, {"steps": 120, **values}))
    for step, key, value in live:
        run.advance(step - run.step)
        assert run.step == step
        run.set_live(key, value)
    while run.finish is None:
        run.advance(1000)
    return run


def exact(text: str) -> set[str]:
    """Who walks in the app's own arithmetic."""
    tables = [node for node in ast.parse(text).body if isinstance(node, ast.Assign)]
    found = [node.value for node in tables if ast.unparse(node.targets[0]) == "EXACTLY"]
    return {key.value for table in found for key in table.keys} if found else set()


LIVE = (
    (0, "noise", 0.3), (20, "learning_rate", 0.0005), (30, "adam.learning_rate", 0.05), (30, "adam.beta1", 0.5),
    (40, "momentum.momentum", 0.0), (40, "nesterov.momentum", 0.0), (60, "noise", 0.0), (70, "momentum.momentum", 0.9),
    (70, "nesterov.momentum", 0.8), (70, "nadam.momentum_decay", 0.1), (80, "rmsprop.eps", 1e-4), (80, "noise", 0.1),
    (90, "adagrad.weight_decay", 0.1), (90, "newton.damping", 2.0), (90, "bfgs.c2", 0.3), (90, "lbfgs.history", 1.0),
    (100, "lion.beta2", 0.5), (100, "steps", 130),
)  # fmt: skip
CASES: dict[str, tuple[dict[str, Any], tuple[tuple[int, str, Any], ...]]] = {
    f"{surface} {convention} {kind}": (
        {"surface": surface, "convention": convention, "optimizers": tuple(NAMES), **SUITED, **more}, live
    )
    for surface in ("rosenbrock", "himmelblau")
    for convention in CONVENTIONS
    for kind, more, live in (
        ("at defaults", {}, ()),
        ("odd", ODD, ()),
        ("noisy and live", {"adadelta.learning_rate": None, "sgd.learning_rate": None, "seed": 7}, LIVE),
    )
}  # fmt: skip


ENDINGS: dict[str, tuple[dict[str, Any], dict[str, str]]] = {
    "an overflow": (
        {"optimizers": ("sgd", "momentum", "adam", "bfgs", "newton"), "learning_rate": 1.0, "adam.learning_rate": 0.01},
        {"sgd": "diverged", "momentum": "diverged"},
    ),
    "a target": (
        {"optimizers": ("momentum", "adam", "lbfgs", "newton"), "target": 4.12, **SUITED},
        {"momentum": "target", "adam": "target", "lbfgs": "target", "newton": "target"},
    ),
    "no step possible": (
        {"surface": "custom", "formula": "x^3 + y", "optimizers": ("sgd", "newton"), "learning_rate": 0.01},
        {"newton": "diverged"},
    ),
    "falling off a saddle": (
        {"surface": "saddle", "optimizers": ("sgd", "bfgs", "cg"), "learning_rate": 4.0, "steps": 200},
        {"sgd": "diverged"},
    ),
    "a gradient that is not there": (
        {"surface": "custom", "formula": "log(x) + y^2", "start": (0.5, 1.0), "optimizers": ("sgd", "adam"),
         "learning_rate": 0.3},
        {"sgd": "diverged", "adam": "diverged"},
    ),
}  # fmt: skip
OTHERS: dict[str, tuple[dict[str, Any], set[str]]] = {
    "your own formula": (
        {"surface": "custom", "formula": "sin(3*x)*cos(2*y) + 0.1*(x^2+y^2)", "start": (2.2, 2.4),
         "optimizers": ("sgd", "adam", "newton"), **SUITED, "newton.damping": 20.0},
        set(),
    ),
    "a kink": (
        {"surface": "custom", "formula": "max(abs(x), 2) + min(y^2, x^2) + 1e-3*erf(x)*sigmoid(y)", "start": (3.0, 1.0),
         "optimizers": ("sgd", "momentum"), **SUITED},
        set(),
    ),
    "at a tip, where autograd finds no gradient": (
        {"surface": "ackley", "start": (0.0, 0.0), "optimizers": ("sgd", "adam", "cg"), "noise": 0.1, **SUITED},
        {"sgd", "adam", "cg"},
    ),
    "chaos": (
        {"surface": "ackley", "optimizers": ("sgd", "nesterov", "rmsprop", "bfgs"), "learning_rate": 1.0,
         "rmsprop.learning_rate": 1.0, "steps": 300, "convention": "book"},
        {"sgd", "nesterov", "rmsprop", "bfgs"},
    ),
    "not a single step": ({"optimizers": ("sgd", "cg"), "steps": 1}, {"cg"}),
}  # fmt: skip


ALL = {**CASES, **ENDINGS, **OTHERS}


@functools.cache
def text_of(name: str) -> str:
    """The script of a case."""
    values, more = ALL[name]
    run = session(values, more if isinstance(more, tuple) else ())
    told = {run.series[ending.series]: ending.finish for ending in run.branch.endings}
    assert told == (more if isinstance(more, dict) else {}), name
    if name == "not a single step":
        run.seek(0)
    return script(run)


@pytest.mark.parametrize("name", CASES)
def test_every_optimizer_ends_where_the_app_ends(name: str, alone: Alone) -> None:
    assert len(alone.says(text_of(name)).splitlines()) == len(NAMES)


@pytest.mark.parametrize("convention", CONVENTIONS)
def test_torch_walks_wherever_it_can(convention: str) -> None:
    text = text_of(f"rosenbrock {convention} at defaults")
    assert exact(text) == set(METHODS) - {"newton"}
    own = {"lion"} | ({n for n, rule in RULES.items() if rule.book_has_own_formula} if convention == "book" else set())
    for name in RULES:
        made = re.search(rf'"{name}": lambda p: (torch\.optim\.)?(\w+)\(', text)
        assert made and (made[1] is None) == (name in own), name


@pytest.mark.parametrize("name", [*ENDINGS, *OTHERS])
def test_other_surfaces_and_endings(name: str, alone: Alone) -> None:
    """Those that end before end at the very step; walks that rounding changes are told and still end there."""
    if name in OTHERS:
        assert exact(text_of(name)) == OTHERS[name][1]
    alone.says(text_of(name))


def test_a_step_back_and_a_branch(alone: Alone) -> None:
    run = session({"optimizers": ("adam", "bfgs", "sgd"), **SUITED, "noise": 0.2})
    run.seek(77)
    back = script(run)
    assert "STEPS = 77" in back and run.set_live("adam.learning_rate", 0.2)
    run.advance(30)
    branch = script(run)
    assert "STEPS = 107" in branch and '"adam": {77: {"lr": 0.2}}' in branch
    for text in (back, branch):
        alone.says(text)


def test_a_wrong_end_fails(alone: Alone) -> None:
    names = ("adam", "lion", "lbfgs")
    run = session({"optimizers": names, **SUITED})
    right = run.state.p.copy()
    for s, name in enumerate(names):
        run.state.p[:] = right
        run.state.p[s, 1] += 3e-10
        assert alone.fails(script(run)).startswith(f"AssertionError: {name} ended at")
    text = text_of("an overflow")
    steps = re.search(r"(?<=\"sgd\": \()(\d+)(?=, None)", text)
    assert steps
    wrong = text[: steps.start()] + str(int(steps[0]) - 1) + text[steps.end() :]
    assert alone.fails(wrong).startswith(f"AssertionError: sgd took {steps[0]} steps,")


def test_a_failure_is_a_failure_and_chaos_is_beyond_torch(monkeypatch: pytest.MonkeyPatch, alone: Alone) -> None:
    """A chaotic walk handed to torch.optim misses the app's end: the app's own arithmetic is needed."""
    run = session({"surface": "ackley", "optimizers": ("sgd",), "learning_rate": 1.0, "steps": 300})
    monkeypatch.setattr(_rehearsal, "GROWN", np.inf)
    text = script(run)
    assert not exact(text)
    assert alone.fails(text).startswith("AssertionError: sgd ended at")


@pytest.mark.parametrize("name", ALL)
def test_the_text(name: str) -> None:
    text = text_of(name)
    tree = ast.parse(text)
    assert ast.get_docstring(tree)
    assert not re.search(r"""(^|[\s"'(=])(/|[A-Za-z]:\\)\w""", text), "no absolute path"
    assert str(ROOT) not in text and sys.prefix not in text
    imported = {
        alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    } | {str(node.module).partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"dataclasses", "math", "zlib", "numpy", "torch"}


def test_the_same_run_gives_the_same_script() -> None:
    values = OTHERS["chaos"][0]
    assert script(session(values)) == script(session(values))
