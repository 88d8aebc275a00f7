"""The settings of weight decay on a polynomial fit."""

from __future__ import annotations

from engine.spec import Spec, choice, number

FITS = {
    "ridge": "L2 (ridge), solved",
    "lasso": "L1 (lasso), solved",
    "elastic_net": "Half L1, half L2",
    "adam_l2": "Adam, L2 in the gradient",
    "adamw": "AdamW, decoupled",
}
CHAPTER_ALPHAS = (0.0, 0.001, 0.01, 0.1, 1.0)
_OWN = {"data": ("sine",)}
_GRID = {"alphas": ("log",)}


class WeightDecaySpec(Spec):
    """One field for each setting; see the fields' own help."""

    data: str = choice(
        "chapter", {"chapter": "The chapter's 100 points", "sine": "A sine of your own"}, "Data",
        "Points of a sine on [-3, 3] with noise", group="Data",
    )  # fmt: skip
    points: int = number(30, 2, 2000, "Points", "How many", log=True, group="Data", shown_when=_OWN)
    noise: float = number(
        0.3, 0.0, 10.0, "Noise", "Standard deviation of the targets", group="Data", shown_when=_OWN,
    )  # fmt: skip
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of points and noise", group="Data", shown_when=_OWN)
    degree: int = number(10, 1, 20, "Degree", "Of the polynomial", group="Model")
    basis: str = choice(
        "legendre", {"powers": "Powers, as the chapter", "legendre": "Legendre polynomials"}, "Columns",
        "What the weights stand before: powers of x are nearly the same columns, Legendre polynomials are not",
        group="Model",
    )  # fmt: skip
    fits: tuple[str, ...] = choice(("ridge", "lasso", "adamw"), FITS, "Penalties", "Who fits", group="Penalties")
    convention: str = choice(
        "book", {"book": "Book", "pytorch": "PyTorch"}, "Convention", "With or without one half before the squares",
        group="Penalties",
    )  # fmt: skip
    alphas: str = choice(
        "log", {"chapter": "The chapter's five", "log": "Evenly over decades"}, "Strengths", "The values of α tried",
        group="Strength",
    )  # fmt: skip
    lowest: float = number(0.001, 1e-9, 1e9, "From", "The weakest", log=True, group="Strength", shown_when=_GRID)
    highest: float = number(1000.0, 1e-9, 1e9, "To", "The strongest", log=True, group="Strength", shown_when=_GRID)
    count: int = number(49, 2, 400, "How many", "Strengths tried", group="Strength", shown_when=_GRID)
    adam_steps: int = number(
        3000, 10, 100_000, "Adam's steps", "For each strength, from zero; its rate falls to 0 in a line", log=True,
        group="Adam",
    )  # fmt: skip
    adam_rate: float = number(0.05, 1e-6, 10.0, "Adam's rate", "Of its first step", log=True, group="Adam")
