"""Generated data sets in the plane and on a line, each drawn from (seed, purpose).

Every set draws its samples one after another and its noise apart: more samples keep the earlier ones, and more noise
moves the same samples further. Classes take turns, so they are balanced whatever the number. Coordinates lie about
-2 to 2: a spread near 1, which the usual initialisations are made for. `noise` is a standard deviation: of both
coordinates where there are classes (a label is what the sample was before it moved), of the target in regressions.
"""

from __future__ import annotations

import numpy as np

from engine.data.dataset import LARGEST, Array, DataError, Dataset, Source, check_draw
from engine.formula import parse
from engine.randomness import generator

_PLANE = ((-2.5, 2.5), (-2.5, 2.5))
_AXES = ("x1", "x2")
_EDGE = 0.08  # XOR keeps this far from its axes

# centre x1, centre x2, height
BUMPS = ((-1.2, 1.2, 1.0), (1.2, 1.2, -1.0), (-1.2, -1.2, -1.0), (1.2, -1.2, 1.0), (0.0, 0.0, 0.8), (0.0, 1.6, -0.6))
BUMP_WIDTH = 0.5


def circle(n: int = 200, noise: float = 0.0, seed: int = 0) -> Dataset:
    """A disc of radius 0.9 (1, inside) and the ring around it from 1.3 to 2 (0, outside)."""
    u, turn, label = _drawn("circle", n, noise, seed)
    radius = np.where(label == 1, 0.9 * np.sqrt(u), np.sqrt(1.3**2 + (2.0**2 - 1.3**2) * u))  # even over the area
    return _classified("circle", _polar(radius, 2.0 * np.pi * turn), label, ("outside", "inside"), noise, seed)


def xor(n: int = 200, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Four squares: 1 where the signs of x1 and x2 differ, as in the chapter's set, 0 where they agree."""
    u, v, label = _drawn("xor", n, noise, seed)
    x1 = (2.0 * u - 1.0) * (2.0 - _EDGE)
    x1 += np.copysign(_EDGE, x1)
    x2 = np.copysign(_EDGE + (2.0 - _EDGE) * v, np.where(label == 1, -x1, x1))
    return _classified("xor", np.stack([x1, x2], axis=1), label, ("signs agree", "signs differ"), noise, seed)


def gauss(n: int = 200, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Two round Gaussian clouds of standard deviation 0.4 around (-1, -1) (0) and (1, 1) (1)."""
    check_draw(n, noise, seed)
    label = np.arange(n) % 2
    cloud = 0.4 * generator(seed, "data.gauss").standard_normal((n, 2))
    x = cloud + (2.0 * label - 1.0)[:, None]
    return _classified("gauss", x, label, ("lower left", "upper right"), noise, seed)


def spiral(n: int = 200, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Two arms of 1.75 turns, r = 2 s and angle = 3.5 pi s for s in (0, 1); the second is turned by half a turn."""
    s, _, label = _drawn("spiral", n, noise, seed)
    x = _polar(2.0 * s, 3.5 * np.pi * s + np.pi * label)
    return _classified("spiral", x, label, ("first arm", "second arm"), noise, seed)


def moons(n: int = 200, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Two interlocking half circles of radius 1.2: (cos t, sin t) and (1 - cos t, 1/2 - sin t), centred, times 1.2."""
    u, _, label = _drawn("moons", n, noise, seed)
    t = np.pi * u
    lower = label == 1
    x1 = np.where(lower, 1.0 - np.cos(t), np.cos(t)) - 0.5
    x2 = np.where(lower, 0.5 - np.sin(t), np.sin(t)) - 0.25
    return _classified("moons", 1.2 * np.stack([x1, x2], axis=1), label, ("upper", "lower"), noise, seed)


def rings(n: int = 200, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Three rings around the origin of radius 0.5, 1.15 and 1.8, each 0.3 wide: three classes."""
    u, turn, label = _drawn("rings", n, noise, seed, classes=3)
    radius = np.array([0.5, 1.15, 1.8])[label] + 0.3 * (u - 0.5)
    return _classified("rings", _polar(radius, 2.0 * np.pi * turn), label, ("inner", "middle", "outer"), noise, seed)


def regression_plane(n: int = 200, noise: float = 0.0, seed: int = 0) -> Dataset:
    """y = (x1 + x2)/4 on the square from -2 to 2: what one linear unit can do."""
    x = _square("regression_plane", n, noise, seed)
    return _measured("regression_plane", x, x.sum(axis=1) / 4.0, noise, seed)


def regression_gauss(n: int = 200, noise: float = 0.0, seed: int = 0) -> Dataset:
    """y = a sum of six Gaussian bumps (BUMPS: centre and height), each of width 0.5, up and down."""
    x = _square("regression_gauss", n, noise, seed)
    y = np.zeros(n)
    for x1, x2, height in BUMPS:
        y += height * np.exp(-((x[:, 0] - x1) ** 2 + (x[:, 1] - x2) ** 2) / (2.0 * BUMP_WIDTH**2))
    return _measured("regression_gauss", x, y, noise, seed)


def function(
    n: int = 200, noise: float = 0.0, seed: int = 0, formula: str = "sin(3*x)",
    interval: tuple[float, float] = (-2.0, 2.0),
) -> Dataset:  # fmt: skip
    """y = f(x) for the formula of a text (engine.formula, in x alone), x drawn evenly from the interval.

    Raises DataError for an interval or a formula that cannot be used, FormulaError for a text that is no formula.
    """
    from engine.formula.compile import compile

    check_draw(n, noise, seed)
    low, high = (float(end) for end in interval)
    if not (-LARGEST <= low < high <= LARGEST):
        raise DataError(f"interval {low:g} to {high:g} is not allowed; give two numbers, the smaller one first")
    parsed = parse(formula)
    if "y" in parsed.variables:
        raise DataError(f"the formula {parsed.text!r:.60} has a y in it; a function of one input may have x alone")
    x = low + (high - low) * generator(seed, "data.function").random(n)
    y = np.asarray(compile(parsed).value(x, 0.0), np.float64)
    wrong = ~(np.abs(y) <= LARGEST)
    if wrong.any():
        at, value = float(x[wrong][0]), float(y[wrong][0])
        raise DataError(f"the formula {parsed.text!r:.60} is {value:g} at x = {at:.6g}; choose an interval where it is "
                        "finite and below 1e100")  # fmt: skip
    return _measured("function", x[:, None], y, noise, seed)


def _drawn(name: str, n: int, noise: float, seed: int, classes: int = 2) -> tuple[Array, Array, Array]:
    """Two uniform numbers in [0, 1) and a class for each sample: [n] each."""
    check_draw(n, noise, seed)
    u = generator(seed, f"data.{name}").random((n, 2))
    return u[:, 0], u[:, 1], np.arange(n) % classes


def _square(name: str, n: int, noise: float, seed: int) -> Array:
    check_draw(n, noise, seed)
    return 4.0 * generator(seed, f"data.{name}").random((n, 2)) - 2.0


def _polar(radius: Array, angle: Array) -> Array:
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)


def _classified(name: str, x: Array, label: Array, classes: tuple[str, ...], noise: float, seed: int) -> Dataset:
    if noise:
        x = x + noise * generator(seed, f"data.{name}.noise").standard_normal(x.shape)
    if len(classes) == 2:
        return Dataset(name, x, label[:, None].astype(np.float64), "binary", _AXES, classes, target="class")
    return Dataset(name, x, label, "classes", _AXES, classes, target="class")


def _measured(name: str, x: Array, y: Array, noise: float, seed: int) -> Dataset:
    if noise:
        y = y + noise * generator(seed, f"data.{name}.noise").standard_normal(len(y))
    return Dataset(name, x, y[:, None], "regression", _AXES if x.shape[1] == 2 else ("x",))


POINTS: dict[str, Source] = {
    "circle": Source(circle, "Circle", "binary", "A disc inside a ring: no straight line parts them.", _PLANE),
    "xor": Source(xor, "XOR", "binary", "Four squares, opposite ones alike: needs a hidden layer.", _PLANE),
    "gauss": Source(gauss, "Two Gaussians", "binary", "Two clouds that one straight line parts.", _PLANE),
    "spiral": Source(spiral, "Spiral", "binary", "Two arms wound around each other: the hardest one here.", _PLANE),
    "moons": Source(moons, "Moons", "binary", "Two half circles that reach into each other.", _PLANE),
    "rings": Source(rings, "Rings", "classes", "Three rings around one centre: three classes.", _PLANE),
    "regression_plane": Source(
        regression_plane, "Plane", "regression", "y = (x1 + x2)/4: linear, so no hidden layer is needed.", _PLANE
    ),
    "regression_gauss": Source(
        regression_gauss, "Gaussian bumps", "regression", "Six bumps, up and down: a curved target.", _PLANE
    ),
    "function": Source(
        function, "Function of x", "regression", "Your own formula in x: how well can a network follow it?",
        options=("n", "noise", "seed", "formula", "interval"),
    ),
}  # fmt: skip
