"""A window that slides over a picture: what it makes of every position, worked out in plain NumPy.

A convolution here is what libraries call so, the cross-correlation; `turned` turns the kernel by 180 degrees first,
which makes it the convolution of mathematics. Padding and the count of positions are PyTorch's (Dumoulin and Visin
2016, as in torch.nn.Conv2d). Positions go row by row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engine.experiment import Array

Size = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Sweep:
    """One operation on one picture.

    `padded` [H, W]: the picture [h, w] with `padding` cells at every edge, of zeros, or of minus infinity where the
    largest is taken. `weights` [k, l], or None where nothing is weighted; `how`: sum, max or mean of the window.
    `seen` [rows, columns, k, l]: what the window sees at each position; `out` [rows, columns].
    """

    padded: Array
    weights: Array | None
    how: str
    bias: float
    stride: int
    padding: int
    dilation: int
    seen: Array
    out: Array

    @property
    def positions(self) -> int:
        """How many there are."""
        return int(self.out.size)

    @property
    def size(self) -> Size:
        """Rows and columns of the window."""
        return int(self.seen.shape[2]), int(self.seen.shape[3])

    def place(self, position: int) -> Size:
        """Row and column of a position in the output."""
        row, column = divmod(position, int(self.out.shape[1]))
        return row, column

    def cells(self, position: int) -> tuple[Size, ...]:
        """The cells of `padded` that the window covers at a position, row by row."""
        row, column = self.place(position)
        return tuple(
            (row * self.stride + m * self.dilation, column * self.stride + n * self.dilation)
            for m in range(self.size[0])
            for n in range(self.size[1])
        )


def count(size: int, window: int, stride: int, padding: int, dilation: int) -> int:
    """Positions along one side; 0 where the window does not fit."""
    return max(0, (size + 2 * padding - dilation * (window - 1) - 1) // stride + 1)


def _seen(padded: Array, window: Size, stride: int, dilation: int) -> Array:
    counts = [count(size, k, stride, 0, dilation) for size, k in zip(padded.shape, window, strict=True)]
    rows, columns = (
        np.arange(n)[:, None] * stride + np.arange(k)[None, :] * dilation for n, k in zip(counts, window, strict=True)
    )
    return np.asarray(padded[rows[:, None, :, None], columns[None, :, None, :]])


def convolution(
    picture: Array, kernel: Array, stride: int = 1, padding: int = 0, dilation: int = 1, bias: float = 0.0,
    turned: bool = False,
) -> Sweep:  # fmt: skip
    """picture [h, w] under a kernel [k, l]; the products are added row by row of the window, then the bias."""
    weights = kernel[::-1, ::-1].copy() if turned else kernel
    padded = np.pad(np.asarray(picture, float), padding)
    seen = _seen(padded, (weights.shape[0], weights.shape[1]), stride, dilation)
    out = np.zeros(seen.shape[:2])
    for m, n in np.ndindex(weights.shape):
        out += weights[m, n] * seen[:, :, m, n]
    return Sweep(padded, weights, "sum", bias, stride, padding, dilation, seen, out + bias)


def pooling(
    picture: Array, how: str, window: int, stride: int = 1, padding: int = 0, dilation: int = 1
) -> Sweep:  # fmt: skip
    """The `max` or the `mean` of every window x window cells of a picture [h, w]. Padding is never the largest; in a
    mean it counts as zeros."""
    padded = np.pad(np.asarray(picture, float), padding, constant_values=-np.inf if how == "max" else 0.0)
    seen = _seen(padded, (window, window), stride, dilation)
    out = seen.max(axis=(2, 3)) if how == "max" else seen.sum(axis=(2, 3)) / window**2
    return Sweep(padded, None, how, 0.0, stride, padding, dilation, seen, out)


def over_all(picture: Array, how: str) -> Sweep:
    """Global pooling: one window as large as the picture [h, w]."""
    seen = np.asarray(picture, float)[None, None]
    out = seen.max(axis=(2, 3)) if how == "max" else seen.mean(axis=(2, 3))
    return Sweep(seen[0, 0], None, how, 0.0, 1, 0, 1, seen, out)
