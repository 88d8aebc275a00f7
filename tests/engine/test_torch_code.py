"""The pieces exported scripts are made of: exact derivatives, rules in torch, our own source as text."""

from __future__ import annotations

import ast
import math
from typing import Any

import numpy as np
import pytest

from engine.formula import parse
from engine.formula.compile import compile as compile_formula
from engine.formula.derive import derive
from engine.optimizers import CONVENTIONS, RULES, Convention
from engine.second_order import METHODS
from engine.surfaces import SURFACES
from engine.torch_code import (
    array,
    changes,
    constructor,
    derivatives,
    math_library,
    settings,
    sources,
    where_autograd_fails,
    wrapped,
    written_out,
    written_rules,
)

FORMULAS = [
    *(surface.text for surface in SURFACES.values()),
    "tan(x) + tanh(y)*sinh(x) + cosh(y) + atan(x*y) + erf(x) + log(y^2 + 1) + sigmoid(x - y)",
    "max(x, y^2)*min(x, 2) + abs(x - 1)*sign(y) + floor(x)*y + sqrt(abs(x*y)) + (x^2)^1.3",
    "x^y", "1/(x*y)", "exp(x^4) - exp(y^4)", "log(x)", "-(x - (y - 3)) - (x/(y/2))", "3", "x",
]  # fmt: skip


@pytest.mark.parametrize("text", FORMULAS)
def test_derivatives_have_the_bits_of_the_kernel(text: str) -> None:
    formula = parse(text)
    kernel = compile_formula(formula)
    first, second = derive(formula.tree, 1), derive(formula.tree, 2)
    code = math_library(first, second) + derivatives(first, "one", "f.") + derivatives(second, "two", "f.")
    names: dict[str, Any] = {"np": np, "math": math}
    exec(code, names)
    random = np.random.default_rng(1)
    points = [*random.normal(size=(200, 2)) * 2, (0, 0), (0, 1), (1, 0), (-2, 3), (1e200, -1e200), (np.inf, 0)]
    with np.errstate(all="ignore"):
        for point in points:
            x, y = np.float64(point[0]), np.float64(point[1])
            np.testing.assert_array_equal(names["one"](x, y), [float(v) for v in kernel.gradient(x, y)])
            np.testing.assert_array_equal(names["two"](x, y), [float(v) for v in kernel.hessian(x, y)])


@pytest.mark.parametrize(
    ("text", "point", "fails"),
    [
        ("sqrt(x^2 + y^2)", (0.0, 0.0), True), ("sqrt(x^2 + y^2)", (0.0, 1.0), False), ("sqrt(x)", (0.0, 0.0), False),
        ("(x^2)^0.5", (0.0, 3.0), True), ("x^2 + y^2", (0.0, 0.0), False), (SURFACES["ackley"].text, (0.0, 0.0), True),
    ],
)  # fmt: skip
def test_where_autograd_has_no_gradient_but_the_app_has(text: str, point: tuple[float, float], fails: bool) -> None:
    torch = pytest.importorskip("torch")
    x, y = (np.array([value]) for value in point)
    formula = parse(text)
    assert where_autograd_fails(derive(formula.tree, 1), x, y).tolist() == [fails]
    p = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    eval(formula.python("torch."), {"torch": torch, "x": p[0], "y": p[1]}).backward()
    _, *ours = compile_formula(formula).gradient(*point)
    assert (np.isfinite(ours).all() and not torch.isfinite(p.grad).all()) == fails


@pytest.mark.parametrize("convention", CONVENTIONS)
@pytest.mark.parametrize("name", RULES)
def test_every_constructor_walks_like_its_rule(name: str, convention: Convention) -> None:
    torch = pytest.importorskip("torch")
    from engine.torch_code import rules

    rule = RULES[name]
    odd = {"weight_decay": 0.1, "eps": 1e-3, "momentum": 0.8, "lr_decay": 0.1}
    hypers = {hyper.name: odd.get(hyper.name, hyper.default) for hyper in rule.hypers}
    p = torch.tensor([1.5, -0.5], dtype=torch.float64, requires_grad=True)
    made = constructor(name, convention, settings(name, convention, 0.05, hypers))
    assert ("torch.optim" in made) == (not written_out(name, convention))
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # NAdam keeps its product in the default dtype
    try:
        optimizer = eval(made, {"torch": torch, "p": p, **vars(rules)})

        def closure() -> Any:
            optimizer.zero_grad()
            height = (p**4).sum() / 4 + p[0]
            height.backward()
            return height

        ours = [[1.5, *rule.initial], [-0.5, *rule.initial]]
        point = rule.point(convention)
        for t in range(1, 51):
            optimizer.step(closure)
            for i, one in enumerate(ours):
                at = point(one[0], one[1], 0.05, tuple(hypers.values())) if point else one[0]
                one[:] = rule.step_one(convention, one[0], at**3 + (i == 0), one[1:], t, 0.05, tuple(hypers.values()))
    finally:
        torch.set_default_dtype(before)
    np.testing.assert_allclose(p.tolist(), [one[0] for one in ours], rtol=1e-12, atol=1e-12)


def test_a_momentum_of_zero_keeps_the_velocity() -> None:
    group = settings("nesterov", "pytorch", 0.1, {"momentum": 0.0, "weight_decay": 0.0})
    assert group["momentum"] > 0 and 3.7 + group["momentum"] * 1e100 == 3.7


def test_changes_name_only_what_is_new() -> None:
    groups = [(0, {"lr": 1, "a": 2}), (5, {"lr": 3, "a": 2}), (5, {"lr": 3, "a": 4}), (9, {"lr": 3, "a": 4})]
    assert changes(groups) == {5: {"lr": 3, "a": 4}}


@pytest.mark.parametrize(
    "value", [np.zeros((0, 2)), np.array([0.1, -0.0, 1e-310]), np.array([np.inf, -np.inf, np.nan]), np.eye(2)]
)
def test_an_array_comes_back_bit_for_bit(value: np.ndarray[Any, Any]) -> None:
    back = eval(array(value), {"np": np})
    assert back.shape == value.shape and back.tobytes() == value.tobytes()


def test_our_own_source_is_complete_and_without_annotations() -> None:
    code = sources({f"{name}_step": method.step for name, method in METHODS.items()}, "engine.second_order")
    tree = ast.parse(code)
    defined = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    assert len(defined) == len(set(defined)) and {f"{name}_step" for name in METHODS} <= set(defined)
    assert {"search", "StepFailed", "evaluate", "first_trial"} <= set(defined)
    arguments = [argument for node in ast.walk(tree) if isinstance(node, ast.arguments) for argument in node.args]
    assert arguments and not any(argument.annotation for argument in arguments)
    rules = written_rules(["BookNesterov"])
    assert [node.name for node in ast.parse(rules).body if isinstance(node, ast.ClassDef)] == [
        "Written",
        "BookNesterov",
    ]
    assert "type: ignore" not in rules and "Any" not in rules


def test_a_long_expression_is_wrapped_and_unchanged() -> None:
    expression = " + ".join(f"torch.sin({i} * x - -{i})" for i in range(30))
    code = wrapped("value = ", expression)
    assert max(len(line) for line in code.split("\n")) <= 110
    assert ast.dump(ast.parse(code)) == ast.dump(ast.parse(f"value = {expression}"))
