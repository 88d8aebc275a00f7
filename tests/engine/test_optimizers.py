"""Every first-order rule against torch.optim, its paper or the chapter's formulas, and its kernels."""

from __future__ import annotations

import math
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.optimizers import (
    CONVENTIONS,
    RULES,
    apply,
    inside,
    look_ahead,
    look_ahead_address,
    new_states,
    numbers,
    update_address,
    warm,
)

EVERY = [(name, convention) for name in RULES for convention in CONVENTIONS]
ODD = {  # hyper-parameters nobody starts with
    "sgd": {"weight_decay": 0.1},
    "momentum": {"momentum": 0.37, "weight_decay": 0.1},
    "nesterov": {"momentum": 0.37, "weight_decay": 0.1},
    "adagrad": {"lr_decay": 0.03, "eps": 1e-3, "weight_decay": 0.1},
    "adadelta": {"rho": 0.71, "eps": 1e-3, "weight_decay": 0.1},
    "rmsprop": {"alpha": 0.83, "eps": 1e-3, "weight_decay": 0.1},
    "adam": {"beta1": 0.8, "beta2": 0.98, "eps": 1e-3, "weight_decay": 0.1},
    "adamw": {"beta1": 0.8, "beta2": 0.98, "eps": 1e-3, "weight_decay": 0.2},
    "nadam": {"beta1": 0.8, "beta2": 0.98, "eps": 1e-3, "weight_decay": 0.1, "momentum_decay": 0.05},
    "amsgrad": {"beta1": 0.8, "beta2": 0.98, "eps": 1e-3, "weight_decay": 0.1},
    "adamax": {"beta1": 0.8, "beta2": 0.98, "eps": 1e-3, "weight_decay": 0.1},
    "lion": {"beta1": 0.8, "beta2": 0.98, "weight_decay": 0.2},
}
SURFACES: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], tuple[float, float]]] = {
    "rosenbrock": (lambda p: (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2, (-1.2, 1.0)),
    "himmelblau": (lambda p: (p[0] ** 2 + p[1] - 11) ** 2 + (p[0] + p[1] ** 2 - 7) ** 2, (-1.0, 2.5)),
    "bowl": (lambda p: (p[0] ** 2 + 100 * p[1] ** 2) / 2, (1.0, 1.0)),
}
RATES = {"sgd": 5e-4, "momentum": 2e-4, "nesterov": 2e-4, "adagrad": 0.1, "rmsprop": 3e-3, "lion": 1e-2}
TORCH = {
    "sgd": (torch.optim.SGD, {}),
    "momentum": (torch.optim.SGD, {}),
    "nesterov": (torch.optim.SGD, {"nesterov": True}),
    "adagrad": (torch.optim.Adagrad, {}),
    "adadelta": (torch.optim.Adadelta, {}),
    "rmsprop": (torch.optim.RMSprop, {}),
    "adam": (torch.optim.Adam, {}),
    "adamw": (torch.optim.AdamW, {}),
    "nadam": (torch.optim.NAdam, {}),
    "amsgrad": (torch.optim.Adam, {"amsgrad": True}),
    "adamax": (torch.optim.Adamax, {}),
}


@pytest.fixture
def double() -> Iterator[None]:
    """torch keeps NAdam's product of momenta in the default type."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


def gradient(surface: str, p: np.ndarray) -> np.ndarray:
    point = torch.tensor(p, requires_grad=True)
    SURFACES[surface][0](point).backward()
    return point.grad.numpy()


def walk(name: str, convention: str, surface: str, lr: float, given: dict[str, float], steps: int) -> np.ndarray:
    """Our own path [steps, 2], by the kernels."""
    h = RULES[name].values(given)
    p = np.array(SURFACES[surface][1])
    states, where, path = new_states(name, 2), np.empty(2), np.empty((steps, 2))
    for t in range(1, steps + 1):
        look_ahead(name, convention, p, states, where, lr, h)
        apply(name, convention, p, gradient(surface, where), states, t, lr, h)
        path[t - 1] = p
    return path


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("odd", [False, True], ids=["default", "odd"])
@pytest.mark.parametrize("name", TORCH)
def test_pytorch_convention_equals_torch(name: str, odd: bool, surface: str, double: None) -> None:
    given = ODD[name] if odd else {}
    lr = RATES.get(name, 0.02 if name != "adadelta" else 1.0)
    maker, fixed = TORCH[name]
    options = dict(zip((h.name for h in RULES[name].hypers), RULES[name].values(given), strict=True))
    if "beta1" in options:
        options["betas"] = (options.pop("beta1"), options.pop("beta2"))
    p = torch.tensor(SURFACES[surface][1], requires_grad=True)
    optimizer = maker([p], lr=lr, **options, **fixed)
    theirs = np.empty((200, 2))
    for row in theirs:
        optimizer.zero_grad()
        SURFACES[surface][0](p).backward()
        optimizer.step()
        row[:] = p.detach().numpy()
    ours = walk(name, "pytorch", surface, lr, given, 200)
    assert np.isfinite(theirs).all() and np.abs(theirs[-1] - SURFACES[surface][1]).max() > 1e-3
    np.testing.assert_allclose(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", TORCH)
def test_defaults_are_torchs(name: str) -> None:
    rule = RULES[name]
    maker, fixed = TORCH[name]
    # torch's momentum is 0 by default, which is plain SGD (and refused with Nesterov).
    needed = {"momentum": 0.9} if name in ("momentum", "nesterov") else {}
    theirs = maker([torch.zeros(1)], **needed, **fixed).defaults
    assert rule.learning_rate == theirs["lr"]
    for hyper in rule.hypers:
        if hyper.name in ("beta1", "beta2"):
            assert hyper.default == theirs["betas"][int(hyper.name[-1]) - 1]
        else:
            assert hyper.default == theirs[hyper.name]


def chapter(name, theta, memory, t, eta, h, at):
    """One step by the chapter's formulas (10.2.2), the papers' where it has none, and Lion's Algorithm 2.

    `at(x)` is the gradient at x with the book's L2, lambda times the sum of squares: + 2 lambda x.
    """
    m, v = memory.get("m", 0.0), memory.get("v", 0.0)
    if name == "sgd":
        return theta - eta * at(theta)
    if name == "momentum":
        memory["v"] = h["momentum"] * v + eta * at(theta)
        return theta - memory["v"]
    if name == "nesterov":
        memory["v"] = h["momentum"] * v + eta * at(theta - h["momentum"] * v)
        return theta - memory["v"]
    g = at(theta)
    if name == "adagrad":
        memory["v"] = v + g**2
        return theta - eta / (1 + (t - 1) * h["lr_decay"]) / np.sqrt(memory["v"] + h["eps"]) * g
    if name == "rmsprop":
        memory["v"] = h["alpha"] * v + (1 - h["alpha"]) * g**2
        return theta - eta / np.sqrt(memory["v"] + h["eps"]) * g
    if name == "adadelta":
        memory["v"] = h["rho"] * v + (1 - h["rho"]) * g**2
        change = np.sqrt(m + h["eps"]) / np.sqrt(memory["v"] + h["eps"]) * g
        memory["m"] = h["rho"] * m + (1 - h["rho"]) * change**2
        return theta - eta * change
    memory["m"] = h["beta1"] * m + (1 - h["beta1"]) * g
    m_hat = memory["m"] / (1 - h["beta1"] ** t)
    if name == "adamax":
        memory["v"] = np.maximum(h["beta2"] * v, np.abs(g) + h["eps"])
        return theta - eta * m_hat / memory["v"]
    if name == "lion":
        c = memory["m"]
        memory["m"] = h["beta2"] * m + (1 - h["beta2"]) * g
        return theta - eta * (np.sign(c) + h["weight_decay"] * theta)
    memory["v"] = h["beta2"] * v + (1 - h["beta2"]) * g**2
    v_hat = memory["v"] / (1 - h["beta2"] ** t)
    if name == "amsgrad":
        memory["max"] = np.maximum(memory.get("max", 0.0), memory["v"])
        v_hat = memory["max"] / (1 - h["beta2"] ** t)
    if name == "nadam":
        mu = h["beta1"] * (1 - 0.96 ** (t * h["momentum_decay"]) / 2)
        after = h["beta1"] * (1 - 0.96 ** ((t + 1) * h["momentum_decay"]) / 2)
        product = memory["product"] = memory.get("product", 1.0) * mu
        m_hat = after * memory["m"] / (1 - product * after) + (1 - mu) * g / (1 - product)
    shrunk = theta * (1 - eta * h["weight_decay"]) if name == "adamw" else theta
    return shrunk - eta / (np.sqrt(v_hat) + h["eps"]) * m_hat


@pytest.mark.parametrize("surface", SURFACES)
@pytest.mark.parametrize("odd", [False, True], ids=["default", "odd"])
@pytest.mark.parametrize("name", RULES)
def test_book_convention_equals_the_formulas(name: str, odd: bool, surface: str) -> None:
    given = ODD[name] if odd else {}
    lr = RATES.get(name, 0.02 if name != "adadelta" else 1.0)
    h = dict(zip((hyper.name for hyper in RULES[name].hypers), RULES[name].values(given), strict=True))
    l2 = 0.0 if name in ("adamw", "lion") else 2 * h["weight_decay"]

    theta, memory, wanted = np.array(SURFACES[surface][1]), {}, []
    for t in range(1, 101):
        theta = chapter(name, theta, memory, t, lr, h, lambda x: gradient(surface, x) + l2 * x)
        wanted.append(theta)
    np.testing.assert_allclose(walk(name, "book", surface, lr, given, 100), wanted, rtol=1e-10, atol=1e-10)
    if name == "lion":  # decoupled and without eps: both conventions are the paper's
        np.testing.assert_array_equal(
            walk(name, "pytorch", surface, lr, given, 100), walk(name, "book", surface, lr, given, 100)
        )


def test_conventions_say_what_differs() -> None:
    for name, rule in RULES.items():
        h = rule.values(ODD[name])
        state = list(rule.initial)
        both = [rule.step_one(c, 0.7, -1.3, [0.4, 0.2, state[2]], 3, 0.1, h)[0] for c in CONVENTIONS]
        assert (both[0] != both[1]) == bool(rule.differs), name
        assert set(rule.formulas) == set(CONVENTIONS)
        assert rule.differs.count(". ") == 0, "one sentence"


@pytest.mark.parametrize(
    ("name", "convention", "lr", "momentum", "steps"),
    [
        ("sgd", "pytorch", 2 / 101, None, 709),
        ("sgd", "book", 2 / 101, None, 709),
        ("momentum", "pytorch", 4 / 121, (9 / 11) ** 2, 95),
        ("momentum", "book", 4 / 121, (9 / 11) ** 2, 95),
    ],
)
def test_steps_on_the_bowl_at_the_optimal_rates(name, convention, lr, momentum, steps) -> None:
    h = RULES[name].values({} if momentum is None else {"momentum": momentum})
    p, states, t = np.ones(2), new_states(name, 2), 0
    while np.linalg.norm(p) >= 1e-6:
        t += 1
        apply(name, convention, p, p * [1.0, 100.0], states, t, lr, h)
    assert t == steps


def test_torchs_nesterov_points_are_the_books_looked_ahead_points() -> None:
    lr, h = 2e-4, RULES["nesterov"].values()
    theirs = walk("nesterov", "pytorch", "rosenbrock", lr, {}, 50)
    p, states, where = np.array([-1.2, 1.0]), new_states("nesterov", 2), np.empty(2)
    for t in range(1, 51):
        look_ahead("nesterov", "book", p, states, where, lr, h)
        apply("nesterov", "book", p, gradient("rosenbrock", where), states, t, lr, h)
        look_ahead("nesterov", "book", p, states, where, lr, h)
        np.testing.assert_allclose(where, theirs[t - 1], rtol=1e-12)


def random_case(name: str, n: int, dtype: type) -> tuple[np.ndarray, np.ndarray, list[np.ndarray]]:
    rng = np.random.default_rng(7)
    p, g = rng.normal(size=(2, n)).astype(dtype)
    states = [rng.uniform(0.01, 0.9, n).astype(dtype) for _ in RULES[name].states]
    return p, g, states


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("name", "convention"), EVERY)
def test_kernels_do_not_depend_on_size_or_position(name: str, convention: str, dtype: type) -> None:
    h = RULES[name].values(ODD[name])
    p, g, states = random_case(name, 103, dtype)
    whole, kept = p.copy(), [state.copy() for state in states]
    apply(name, convention, whole, g, kept, 3, 0.013, h)
    for pieces in ([1] * 103, [2, 5, 8, 16, 31, 41], [102, 1]):
        begin = 0
        for size in pieces:
            part = slice(begin, begin + size)
            one, some = p[part].copy(), [state[part].copy() for state in states]
            apply(name, convention, one, g[part].copy(), some, 3, 0.013, h)
            for got, wanted in zip([one, *some], [whole, *kept], strict=True):
                assert got.tobytes() == wanted[part].tobytes()
            begin += size
    assert not np.array_equal(whole, p)


@pytest.mark.parametrize(("name", "convention"), EVERY)
def test_kernels_do_the_arithmetic_of_the_function_exactly(name: str, convention: str) -> None:
    """Plain Python rounds after each operation: equality means no fused multiply-add and no reordering."""
    h = RULES[name].values(ODD[name])
    p, g, states = random_case(name, 103, np.float64)
    padded = [*states, *[np.zeros(103)] * (3 - len(states))]
    wanted = [
        RULES[name].step_one(convention, float(p[i]), float(g[i]), [float(s[i]) for s in padded], 1, 0.013, h)
        for i in range(103)
    ]
    apply(name, convention, p, g, states, 1, 0.013, h)
    for got, column in zip([p, *states], np.array(wanted).T, strict=False):
        assert got.tobytes() == column.tobytes()


@pytest.mark.parametrize(("name", "convention"), EVERY)
def test_float32_kernels_compute_in_float32(name: str, convention: str) -> None:
    h = RULES[name].values()
    p, g, states = random_case(name, 1001, np.float32)
    p64, g64, states64 = p.astype(float), g.astype(float), [state.astype(float) for state in states]
    for t in range(20, 30):
        apply(name, convention, p, g, states, t, 0.01, h)
        apply(name, convention, p64, g64, states64, t, 0.01, h)
    assert p.dtype == np.float32
    np.testing.assert_allclose(p, p64, rtol=2e-4, atol=2e-5)
    assert not np.array_equal(p, p64.astype(np.float32)), "rounded only at the end, as float64 would be"


def test_adam_goes_its_first_step_whatever_the_scale_of_the_gradient() -> None:
    for scale in (1e-3, 1.0, 1e3):
        p, g, h = np.zeros(2), scale * np.array([3.0, -4.0]), RULES["adam"].values({"eps": 1e-16})
        apply("adam", "pytorch", p, g, new_states("adam", 2), 1, 0.1, h)
        np.testing.assert_allclose(p, [-0.1, 0.1], rtol=1e-12)


def test_nan_and_inf_are_passed_on_in_silence() -> None:
    for name, convention in EVERY:
        p, states = np.ones(3), new_states(name, 3)
        h = RULES[name].values()
        apply(name, convention, p, np.array([np.nan, 0.0, 1.0]), states, 1, 0.01, h)
        assert np.isnan(p[0]), name
        assert np.isfinite(p[1:]).all(), name
        old = np.zeros((len(states), 2))
        values = inside(name, convention, [1.0, 1.0], [np.nan, np.inf], old, 1, 0.01, h)
        assert numbers(name, convention, values, 0.01, h)


def test_any_shape_and_no_elements() -> None:
    p, g, states = np.ones((3, 4, 2)), np.ones((3, 4, 2)), new_states("momentum", (3, 4, 2))
    apply("momentum", "pytorch", p, g, states, 1, 0.5, RULES["momentum"].values())
    np.testing.assert_array_equal(p, np.full((3, 4, 2), 0.5))
    apply("adam", "book", np.empty(0), np.empty(0), new_states("adam", 0), 1, 0.5, RULES["adam"].values())


def test_bad_input_gets_one_clear_line() -> None:
    p, h = np.ones(4), RULES["momentum"].values()
    one, two = new_states("momentum", 4), new_states("momentum", 2)
    known = "it must be one of"

    def step(*arrays: object, given: tuple[float, ...] = h) -> Callable[[], object]:
        return lambda: apply("momentum", "book", *arrays, 1, 0.1, given)

    def values(name: str, **given: float) -> Callable[[], object]:
        return lambda: RULES[name].values(given)

    cases: list[tuple[str, Callable[[], object]]] = [
        (f"optimizer 'adagard' is unknown: {known} sgd, ", lambda: update_address("adagard", "book")),
        (f"convention 'torch' is unknown: {known} pytorch, book", lambda: update_address("sgd", "torch")),
        ("dtype int64 is not supported", lambda: look_ahead_address("sgd", "book", np.int64)),
        ("momentum.momentum = 1.5 is not allowed: it must be from 0 to 1", values("momentum", momentum=1.5)),
        ("adam.eps = nan is not allowed", values("adam", eps=math.nan)),
        ("lion.eps is unknown; lion has beta1, beta2, weight_decay", values("lion", eps=1.0)),
        ("momentum keeps 1 states, not 0", step(p, p, ())),
        ("momentum takes 2 hyper-parameters, not 1", step(p, p, one, given=(0.9,))),
        ("an array of float64 (2,) does not fit", step(p, p[:2], one)),
        ("does not fit", step(p[::2], p[::2], two)),
    ]
    for text, call in cases:
        with pytest.raises(ValueError, match=re.escape(text)) as caught:
            call()
        assert "\n" not in str(caught.value)
    assert (p == 1.0).all()


def test_addresses_are_stable_from_any_thread() -> None:
    found: list[int] = []

    def ask() -> None:
        found.append(update_address("nadam", "book"))

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1 and found[0] != 0
    ahead = [key for key in EVERY if look_ahead_address(*key) != 0]
    assert ahead == [("nesterov", "book")]


def test_warm_builds_everything_and_says_so() -> None:
    told: list[tuple[int, int]] = []
    warm(lambda done, total, what: told.append((done, total)))
    assert told == [(k, len(EVERY)) for k in range(1, len(EVERY) + 1)]


def test_rules_can_be_read_without_numba_and_torch() -> None:
    code = "import sys, engine.optimizers, engine.second_order; print({'numba', 'torch'} & set(sys.modules))"
    root = Path(__file__).resolve().parents[2]
    run = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize("odd", [False, True], ids=["default", "odd"])
@pytest.mark.parametrize(("name", "convention"), EVERY)
def test_inside_leads_to_the_kernels_step(name: str, convention: str, odd: bool) -> None:
    rule, lr = RULES[name], 0.013
    h = rule.values(ODD[name] if odd else {})
    p, states, where = np.array([0.7, -1.9]), new_states(name, 2), np.empty(2)
    for t in range(1, 12):
        look_ahead(name, convention, p, states, where, lr, h)
        g = np.array([2 * where[0] + where[1], 30 * where[1] + where[0]])
        before, old = p.copy(), [state.copy() for state in states]
        apply(name, convention, p, g, states, t, lr, h)
        quantities = inside(name, convention, before, g, old, t, lr, h)
        value = {quantity.name: np.array(quantity.value) for quantity in quantities}
        step = value["step"]
        np.testing.assert_allclose(before + step, p, rtol=1e-15, atol=0)
        for kept, state in zip(rule.states, states, strict=True):
            np.testing.assert_array_equal(value[kept.name], state)
        assert quantities[0].name == "gradient" and quantities[-1].kind == "step"
        assert ("decayed_gradient" in value) == (odd and not rule.decoupled)
        # The equation with its numbers must come out at the step.
        for axis, line in enumerate(numbers(name, convention, quantities, lr, h).split("\n")):
            left, right = line.split(" = ")
            assert left == rf"\Delta {'xy'[axis]}"
            assert evaluated(right) == pytest.approx(step[axis], rel=3e-3), line


def evaluated(latex: str) -> float:
    """The value of an equation's right side."""
    text = latex
    while (
        (shorter := re.sub(r"\\sqrt\{([^{}]*)\}", r"math.sqrt(\1)", text)) != text
        or (shorter := re.sub(r"\^\{([^{}]*)\}", r"**(\1)", text)) != text
        or (shorter := re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"((\1)/(\2))", text)) != text
    ):
        text = shorter
    text = text.replace(r"\cdot", "*").replace(r"\times", "*")
    return float(eval(text, {"math": math}))


def test_the_step_is_what_the_shown_quantities_make() -> None:
    """Adam's by hand, from the paper: m-hat over the root of v-hat plus epsilon."""
    h = RULES["adam"].values()
    values = inside("adam", "pytorch", [1.0, -2.0], [4.0, 0.5], [[0.2, 0.1], [0.3, 0.4]], 5, 0.01, h)
    v = {quantity.name: np.array(quantity.value) for quantity in values}
    np.testing.assert_allclose(v["m_hat"], np.array([0.58, 0.14]) / (1 - 0.9**5), rtol=1e-14)
    np.testing.assert_allclose(v["root"], np.sqrt(v["v"] / (1 - 0.999**5)) + 1e-8, rtol=1e-14)
    np.testing.assert_allclose(v["step"], -0.01 * v["m_hat"] / v["root"], atol=1e-15)
    assert [quantity.name for quantity in values] == ["gradient", "m", "v", "m_hat", "v_hat", "root", "step"]


def test_numbers_are_typeset_compactly() -> None:
    h = RULES["rmsprop"].values({"eps": 1e-8})
    values = inside("rmsprop", "pytorch", [0.0, 0.0], [-3.64, 2e-7], [[484.3, 0.0]], 1, 0.01, h)
    x, y = numbers("rmsprop", "pytorch", values, 0.01, h).split("\n")
    assert x == r"\Delta x = -0.01 \cdot \frac{-3.64}{\sqrt{479.6} + 10^{-8}}"
    assert y == r"\Delta y = -0.01 \cdot \frac{2 \times 10^{-7}}{\sqrt{4 \times 10^{-16}} + 10^{-8}}"
    book = numbers("rmsprop", "book", values, 0.01, h).split("\n")[0]
    assert book == r"\Delta x = -0.01 \cdot \frac{-3.64}{\sqrt{479.6 + 10^{-8}}}"
