"""The chapter's own data sets: NumPy's legacy RandomState(42), drawn in the chapter's order.

They are fixed: neither number nor noise nor seed changes them. Each call has a generator of its own.
"""

from __future__ import annotations

import numpy as np

from engine.data.dataset import Array, Dataset, Source

SEED = 42
_FIXED = "The chapter's own data: its number of samples, noise and seed are fixed."


def chapter_xor() -> Dataset:
    """Section 10.6: 100 points of two standard normals; 1 where exactly one of them is above 0 (52 of them)."""
    x = np.random.RandomState(SEED).randn(100, 2)
    y = (x[:, 0] > 0) != (x[:, 1] > 0)
    return Dataset("chapter_xor", x, y[:, None].astype(np.float64), "binary", ("x1", "x2"), ("0", "1"), _FIXED, "class")


def chapter_regression() -> Dataset:
    """Section 10.2.1: y = x w + noise, 1,000 samples of ten standard normals, noise of standard deviation 0.1."""
    return chapter_regression_parts()[0]


def chapter_regression_parts() -> tuple[Dataset, Array, np.random.RandomState]:
    """The data of 10.2.1, the weights that made it [10, 1], and the stream as it then stands.

    The chapter shuffles with this stream: one permutation of 1,000 for each epoch.
    """
    stream = np.random.RandomState(SEED)
    x = stream.randn(1000, 10)
    weights: Array = stream.randn(10, 1)
    y = x @ weights + 0.1 * stream.randn(1000, 1)
    names = tuple(f"x{column}" for column in range(1, 11))
    return Dataset("chapter_regression", x, y, "regression", names, (), _FIXED), weights, stream


def chapter_polynomial() -> Dataset:
    """Section 10.3.2: y = sin x + noise of standard deviation 0.1 at 100 sorted points, drawn evenly from -3 to 3."""
    stream = np.random.RandomState(SEED)
    x = np.sort(6.0 * stream.rand(100, 1) - 3.0, axis=0)
    y = np.sin(x) + stream.normal(0.0, 0.1, 100)[:, None]
    return Dataset("chapter_polynomial", x, y, "regression", ("x",), (), _FIXED)


CHAPTER: dict[str, Source] = {
    "chapter_xor": Source(
        chapter_xor, "The chapter's XOR", "binary", "The 100 points of the chapter's lab, 52 of them in class 1.",
        ((-3.0, 3.0), (-3.0, 3.0)), (),
    ),
    "chapter_regression": Source(
        chapter_regression, "The chapter's regression", "regression", "A noisy linear target of ten inputs.", (), ()
    ),
    "chapter_polynomial": Source(
        chapter_polynomial, "The chapter's sine", "regression", "100 noisy points of a sine, for polynomials.",
        ((-3.0, 3.0),), (),
    ),
}  # fmt: skip
