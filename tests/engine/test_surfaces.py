"""Surfaces: minima, saddles and derivatives, held to closed forms and to torch autograd."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from engine.formula import FormulaError
from engine.formula.compile import compile
from engine.surfaces import SURFACES, Surface, surface

torch = pytest.importorskip("torch")

ALL = list(SURFACES.values())
PINNED = [
    "chapter_quadratic",
    "bowl",
    "rosenbrock",
    "beale",
    "himmelblau",
    "rastrigin",
    "ackley",
    "styblinski_tang",
    "saddle",
    "monkey_saddle",
    "plateau",
    "two_minima",
    "ravine",
]

# The published definitions, written once more in NumPy.
DEFINITIONS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "chapter_quadratic": lambda x, y: 0.01 * x**2 + 5 * y**2,
    "bowl": lambda x, y: (x**2 + 100 * y**2) / 2,
    "rosenbrock": lambda x, y: 100 * (y - x**2) ** 2 + (1 - x) ** 2,
    "beale": lambda x, y: sum((c - x * (1 - y**k)) ** 2 for k, c in ((1, 1.5), (2, 2.25), (3, 2.625))),
    "himmelblau": lambda x, y: (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2,
    "rastrigin": lambda x, y: 20 + sum(v**2 - 10 * np.cos(2 * np.pi * v) for v in (x, y)),
    "ackley": lambda x, y: (
        -20 * np.exp(-0.2 * np.sqrt(0.5 * (x**2 + y**2)))
        - np.exp(0.5 * (np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y))) + np.e + 20
    ),
    "styblinski_tang": lambda x, y: 0.5 * sum(v**4 - 16 * v**2 + 5 * v for v in (x, y)),
    "saddle": lambda x, y: x**2 - y**2,
    "monkey_saddle": lambda x, y: x**3 - 3 * x * y**2,
}  # fmt: skip


def _points(entry: Surface, n: int) -> tuple[np.ndarray, np.ndarray]:
    x0, x1, y0, y1 = entry.domain
    draws = np.random.default_rng(3)
    return draws.uniform(x0, x1, n), draws.uniform(y0, y1, n)


def test_every_surface_is_there() -> None:
    assert list(SURFACES) == PINNED
    assert all(
        name == entry.name and entry.title and entry.note.endswith((".", "?")) for name, entry in SURFACES.items()
    )


@pytest.mark.parametrize("name", DEFINITIONS)
def test_value_is_the_published_definition(name: str) -> None:
    x, y = _points(SURFACES[name], 500)
    np.testing.assert_allclose(
        compile(SURFACES[name].formula).value(x, y), DEFINITIONS[name](x, y), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_derivatives_are_those_of_autograd_and_finite_differences(entry: Surface) -> None:
    x, y = _points(entry, 200)
    kernel, h = compile(entry.formula), 1e-5
    f, fx, fy, fxx, fxy, fyy = kernel.hessian(x, y)

    def by_torch(p: object) -> object:
        return eval(entry.formula.python("torch."), {"torch": torch, "x": p[0], "y": p[1]})  # type: ignore[index]

    for i in range(20):
        p = torch.tensor([x[i], y[i]], dtype=torch.float64)
        gradient = torch.autograd.functional.jacobian(by_torch, p).numpy()
        hessian = torch.autograd.functional.hessian(by_torch, p).numpy()
        size = 1 + np.abs(hessian).max() + np.abs(gradient).max()
        np.testing.assert_allclose([fx[i], fy[i]], gradient, rtol=1e-12, atol=1e-13 * size)
        np.testing.assert_allclose([[fxx[i], fxy[i]], [fxy[i], fyy[i]]], hessian, rtol=1e-12, atol=1e-13 * size)

    scale = 1 + sum(np.abs(part) for part in (f, fx, fy, fxx, fxy, fyy))
    right, left, up, down = (kernel.gradient(x + a, y + b) for a, b in ((h, 0), (-h, 0), (0, h), (0, -h)))
    first = [(fx, right[0] - left[0]), (fy, up[0] - down[0])]
    second = [(fxx, right[1] - left[1]), (fxy, up[1] - down[1]), (fyy, up[2] - down[2])]
    for got, difference in first + second:
        # Ackley and Rastrigin are rough enough for the third derivative to show in the difference.
        assert np.all(np.abs(got - difference / (2 * h)) < 1e-5 * scale)


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_minima_are_minima(entry: Surface) -> None:
    kernel = compile(entry.formula)
    values = []
    for x, y in entry.minima:
        f, fx, fy, fxx, fxy, fyy = map(float, kernel.hessian(x, y))
        values.append(f)
        assert math.hypot(fx, fy) < 1e-13
        angles = np.linspace(0, 2 * np.pi, 64)
        assert np.all(kernel.value(x + 1e-3 * np.cos(angles), y + 1e-3 * np.sin(angles)) > f)
        if entry.name != "ackley":  # whose minimum is the tip of a cone
            assert np.linalg.eigvalsh([[fxx, fxy], [fxy, fyy]])[0] > 0.01
    assert values == sorted(values) or np.ptp(values) < 1e-12
    if entry.minimum is None:
        assert not values
    else:
        assert values[0] == pytest.approx(entry.minimum, abs=1e-13)
        x0, x1, y0, y1 = entry.domain
        grid = kernel.value(np.linspace(x0, x1, 801), np.linspace(y0, y1, 801)[:, None])
        assert grid.min() >= entry.minimum - 1e-12  # nothing lower in the part shown


@pytest.mark.parametrize("entry", [e for e in ALL if e.saddles], ids=lambda entry: entry.name)
def test_saddles_are_saddles(entry: Surface) -> None:
    kernel = compile(entry.formula)
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False) + 0.001
    for x, y in entry.saddles:
        f, fx, fy = map(float, kernel.gradient(x, y))
        assert math.hypot(fx, fy) < 1e-12
        around = kernel.value(x + 1e-3 * np.cos(angles), y + 1e-3 * np.sin(angles)) - f
        assert around.min() < 0 < around.max()
        ways_down = np.sum((around < 0) & (np.roll(around, 1) >= 0))
        assert ways_down == (3 if entry.name == "monkey_saddle" else 2)


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.name)
def test_start_and_minima_lie_in_the_part_shown(entry: Surface) -> None:
    x0, x1, y0, y1 = entry.domain
    assert all(x0 <= x <= x1 and y0 <= y <= y1 for x, y in (entry.start, *entry.minima, *entry.saddles))
    f, fx, fy = map(float, compile(entry.formula).gradient(*entry.start))
    assert math.isfinite(f) and math.hypot(fx, fy) > 1e-3  # a start from which something happens


def test_sharp_minimum_is_sharper_than_the_wide_one() -> None:
    kernel = compile(SURFACES["two_minima"].formula)
    curvatures = [float(kernel.hessian(x, y)[5]) for x, y in SURFACES["two_minima"].minima]
    assert curvatures[0] > 20 * curvatures[1]


@pytest.mark.parametrize("condition", [1, 2.5, 100, 1e6, 0.1, np.float64(7), 1 / 3])
def test_bowl_has_the_condition_number_asked_for(condition: float) -> None:
    parts = compile(surface("bowl", condition_number=condition).formula).hessian(1.0, 1.0)
    assert float(parts[3]) == 1.0 and float(parts[4]) == 0.0 and float(parts[5]) == float(condition)


@pytest.mark.parametrize("condition", [0, -1, math.inf, math.nan])
def test_bowl_refuses_what_is_no_condition_number(condition: float) -> None:
    with pytest.raises(ValueError, match=r"condition number .* a number above 0"):
        surface("bowl", condition_number=condition)


def test_own_formula_takes_the_same_path() -> None:
    own = surface("custom", formula=" x^4 + y^2 ")
    assert (own.name, own.text, own.domain, own.minima, own.minimum) == (
        "custom",
        "x^4 + y^2",
        (-4, 4, -4, 4),
        (),
        None,
    )
    assert float(compile(own.formula).value(2.0, 1.0)) == 17.0
    for text in ("", "x +", "__import__('os')"):
        with pytest.raises(FormulaError):
            surface("custom", formula=text)


def test_an_unknown_surface_is_told_in_one_line() -> None:
    with pytest.raises(ValueError, match="'rosenbrok' is not known; give one of chapter_quadratic, bowl") as caught:
        surface("rosenbrok")
    assert "\n" not in str(caught.value)
