"""The surfaces optimizers walk on: formula, part of the plane shown, known minima, a good start.

Every surface is a text; value, gradient, Hessian, typesetting and machine code all come from it
(engine.formula). The user's own formula takes the same path.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from engine.formula import Formula, parse

Point = tuple[float, float]

CUSTOM = "custom"


@dataclass(frozen=True)
class Surface:
    """A function of x and y with what is known of it.

    Attributes: `text` the formula; `domain` (x0, x1, y0, y1) worth looking at; `minima` known local minima,
    lowest first (of Rastrigin and Ackley, which have many, only the lowest); `minimum` the lowest value, None
    if there is none or it is unknown; `saddles` known saddle points; `start` a start that shows something;
    `note` one sentence on what.
    """

    name: str
    title: str
    text: str
    domain: tuple[float, float, float, float]
    minima: tuple[Point, ...]
    minimum: float | None
    start: Point
    note: str
    saddles: tuple[Point, ...] = ()

    @property
    def formula(self) -> Formula:
        """The parsed formula. Raises FormulaError where the text is none."""
        return parse(self.text)


def surface(name: str, *, condition_number: float = 100.0, formula: str = "") -> Surface:
    """The surface of that name.

    `condition_number` (above 0) serves bowl alone, `formula` custom alone. Raises FormulaError for a text
    that is no formula, ValueError for an unknown name or a condition number that is not positive; each of one
    line.
    """
    if name == CUSTOM:
        written = parse(formula)
        return Surface(CUSTOM, "Own formula", written.text, (-4.0, 4.0, -4.0, 4.0), (), None, (1.0, 1.0),
                       "Your own formula in x and y.")  # fmt: skip
    if name not in SURFACES:
        raise ValueError(f"surface {name!r:.40} is not known; give one of {', '.join([*SURFACES, CUSTOM])}")
    chosen = SURFACES[name]
    if name == "bowl":
        return replace(chosen, text=_bowl(condition_number))
    return chosen


def _bowl(condition_number: float) -> str:
    curvature = float(condition_number)
    if not (math.isfinite(curvature) and curvature > 0):
        raise ValueError(f"condition number {curvature!r} is not allowed; give a number above 0")
    return f"(x^2 + {repr(curvature).removesuffix('.0')}*y^2)/2"


_TWO_MINIMA = "0.05*(x^2 + y^2) - exp(-((x + 1.5)^2 + y^2)/2) - exp(-15*((x - 1.5)^2 + y^2))"
_TABLE = (
    Surface(
        "chapter_quadratic",
        "The chapter's quadratic",
        "0.01*x^2 + 5*y^2",
        (-10.0, 10.0, -2.0, 2.0),
        ((0.0, 0.0),),
        0.0,
        (10.0, 2.0),
        "Steep across and nearly flat along: one rate cannot suit both directions.",
    ),
    Surface(
        "bowl",
        "Bowl by condition number",
        _bowl(100.0),
        (-1.5, 1.5, -1.5, 1.5),
        ((0.0, 0.0),),
        0.0,
        (1.0, 1.0),
        "The ratio of its two curvatures alone decides how fast gradient descent can be.",
    ),
    Surface(
        "rosenbrock",
        "Rosenbrock",
        "100*(y - x^2)^2 + (1 - x)^2",
        (-2.0, 2.0, -1.0, 3.0),
        ((1.0, 1.0),),
        0.0,
        (-1.2, 1.0),
        "A curved valley: finding it is quick, following it is slow.",
    ),
    Surface(
        "beale",
        "Beale",
        "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2",
        (-4.5, 4.5, -4.5, 4.5),
        ((3.0, 0.5),),
        0.0,
        (1.0, 1.5),
        "Flat in the middle and very steep in the corners, where large rates fly away.",
        ((0.0, 1.0),),
    ),
    Surface(
        "himmelblau",
        "Himmelblau",
        "(x^2 + y - 11)^2 + (x + y^2 - 7)^2",
        (-5.0, 5.0, -5.0, 5.0),
        (
            (3.0, 2.0),
            (-2.805118086952745, 3.131312518250573),
            (-3.779310253377747, -3.2831859912861696),
            (3.5844283403304917, -1.8481265269644036),
        ),
        0.0,
        (0.0, 0.0),
        "Four minima of equal depth: the start and the rate decide which one is reached.",
        (
            (0.08667750455539634, 2.884254701174776),
            (-3.0730257507643897, -0.08135304428796751),
            (3.385154183607021, 0.07385187983774928),
            (-0.12796134673068005, -1.9537149802445766),
        ),
    ),
    Surface(
        "rastrigin",
        "Rastrigin",
        "20 + x^2 - 10*cos(2*pi*x) + y^2 - 10*cos(2*pi*y)",
        (-5.12, 5.12, -5.12, 5.12),
        ((0.0, 0.0),),
        0.0,
        (3.3, -2.4),
        "A bowl covered with dimples: a local minimum in every unit square.",
    ),
    Surface(
        "ackley",
        "Ackley",
        "20*(1 - exp(-0.2*sqrt((x^2 + y^2)/2))) + e - exp((cos(2*pi*x) + cos(2*pi*y))/2)",
        (-5.0, 5.0, -5.0, 5.0),
        ((0.0, 0.0),),
        0.0,
        (3.4, -2.3),
        "Ripples around a funnel whose lowest point is a sharp tip, not a smooth dip.",
    ),
    Surface(
        "styblinski_tang",
        "Styblinski-Tang",
        "(x^4 - 16*x^2 + 5*x + y^4 - 16*y^2 + 5*y)/2",
        (-5.0, 5.0, -5.0, 5.0),
        (
            (-2.9035340277711774, -2.9035340277711774),
            (-2.9035340277711774, 2.746802770990837),
            (2.746802770990837, -2.9035340277711774),
            (2.746802770990837, 2.746802770990837),
        ),
        -78.33233140754282,
        (0.5, 4.0),
        "Four minima of three different depths.",
    ),
    Surface(
        "saddle",
        "Saddle",
        "x^2 - y^2",
        (-2.0, 2.0, -2.0, 2.0),
        (),
        None,
        (1.5, 0.001),
        "Down along y, up along x, with no bottom: how long does an optimizer linger before it falls?",
        ((0.0, 0.0),),
    ),
    Surface(
        "monkey_saddle",
        "Monkey saddle",
        "x^3 - 3*x*y^2",
        (-2.0, 2.0, -2.0, 2.0),
        (),
        None,
        (1.5, 0.01),
        "Three ways down and three up; at the centre even the curvature is zero.",
        ((0.0, 0.0),),
    ),
    Surface(
        "plateau",
        "Plateau",
        "1 - exp(-(x^2 + y^2)/2)",
        (-4.0, 4.0, -4.0, 4.0),
        ((0.0, 0.0),),
        0.0,
        (2.5, 2.0),
        "Almost no slope until the hole is near: rules that scale the gradient cross it, descent waits.",
    ),
    Surface(
        "two_minima",
        "Sharp beside wide",
        _TWO_MINIMA,
        (-4.0, 4.0, -3.0, 3.0),
        ((1.4938878184413684, 0.0), (-1.3624592478443456, 0.0)),
        -0.8991690996813609,
        (2.2, 0.5),
        "A sharp minimum beside a wide one: large rates and noise leave the sharp one.",
    ),
    Surface(
        "ravine",
        "Ravine",
        "10*(y - sin(x))^2 + 0.1*x^2",
        (-5.0, 5.0, -3.0, 3.0),
        ((0.0, 0.0),),
        0.0,
        (-4.0, 2.0),
        "A winding ravine with a gently falling floor: descent bounces between the walls.",
    ),
)

SURFACES: dict[str, Surface] = {entry.name: entry for entry in _TABLE}
