"""The PyTorch script of weight decay on a polynomial fit."""

from __future__ import annotations

import math
import textwrap
from typing import Any

from engine.least_squares import polynomial
from engine.torch_code import array, header, section

_SOLVED = '''
def solve(alpha, l1, l2):
    """||y - X w||^2 + l1 |w|_1 + l2 ||w||^2 at its minimum.

    With an L1 part, coordinate descent finds out which weights are zero and the signs of the others; with these known
    the rest is a linear system. Where its solution has other signs, coordinate descent goes on.
    """
    eye = torch.eye(X.shape[1])
    if l1 == 0:
        extended, rest = torch.cat([X, math.sqrt(l2) * eye]), torch.cat([y, torch.zeros(X.shape[1])])
        return torch.linalg.lstsq(extended, rest, driver="gelsd", rcond=1e-15).solution
    gram, right = X.T @ X + l2 * eye, X.T @ y
    rows, w = gram.numpy(), np.zeros(X.shape[1])
    for sweeps in range(20, 2000, 20):
        for j in [j for j in range(len(w)) if rows[j, j] > 0] * sweeps:
            rest = float(right[j]) - rows[j] @ w + rows[j, j] * w[j]
            w[j] = np.sign(rest) * max(abs(rest) - l1 / 2, 0) / rows[j, j]
        some = torch.from_numpy(np.flatnonzero(w))
        signs = torch.sign(torch.from_numpy(w))[some]
        found = torch.zeros(len(w))
        if len(some):
            found[some] = torch.linalg.solve(gram[some][:, some], right[some] - l1 / 2 * signs)
        slopes = 2 * (right - gram @ found)
        if torch.equal(torch.sign(found)[some], signs) and (slopes.abs() <= l1 * (1 + 1e-9)).all():
            return found
    raise AssertionError(f"no minimum was found for L1 {l1}")
'''

_TRAINED = '''
def train(kind, weight_decay):
    """torch.optim's Adam or AdamW on ||y - X w||^2, from zero, its rate falling to 0 in a line."""
    w = torch.zeros(X.shape[1], requires_grad=True)
    optimizer = kind([w], lr=RATE, weight_decay=weight_decay)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        optimizer.zero_grad()
        ((y - X @ w) ** 2).sum().backward()
        optimizer.step()
    return w.detach()
'''

_CHECK = """
for name, rows in APP.items():
    for alpha, expected in zip(ALPHAS, rows):
        found = FITS[name](alpha)
        expected = torch.tensor(expected)
        apart = float(torch.linalg.norm(X @ (found - expected)) / torch.linalg.norm(y))
        print(f"{name:12} alpha {alpha:<10.4g} weights {float(torch.linalg.norm(found)):.8g}  apart {apart:.1e}")
        assert apart <= 1e-9, f"{name} at alpha {alpha}: {found.tolist()}, in the app {expected.tolist()}"
print("The fits are the app's.")
"""


def write(experiment: Any, spec: Any, steps: int, end: Any) -> str:
    """A script that fits again at the strengths 0..steps and asserts that its fits are those of `end`."""
    x, y = experiment.points(spec)
    half = 1.0 if spec.convention == "book" else 0.5
    decay = "2 * alpha" if spec.convention == "book" else "alpha"
    calls = {
        "ridge": f"lambda alpha: solve(alpha, 0, {half} * alpha)",
        "lasso": "lambda alpha: solve(alpha, alpha, 0)",
        "elastic_net": f"lambda alpha: solve(alpha, 0.5 * alpha, {0.5 * half} * alpha)",
        "adam_l2": f"lambda alpha: train(torch.optim.Adam, {decay})",
        "adamw": "lambda alpha: train(torch.optim.AdamW, alpha)",
    }
    trained = any(name in ("adam_l2", "adamw") for name in spec.fits)
    lines = [
        header(
            "Weight decay on a polynomial fit: the run from the app, made again with torch.",
            [experiment.summary, "The intercept is free: columns and targets are centred. The end compares what the "
             "fits say at the data, not single weights: nearly equal columns leave those undetermined in their last "
             "digits."],
            ["import math", "", "import numpy as np", "import torch", "", "torch.set_default_dtype(torch.float64)",
             "torch.set_num_threads(1)"],
        ),
        section("The data"),
        f"x = {array(x)}",
        f"y = {array(y)}",
        _columns(spec),
        "X = torch.from_numpy(columns - columns.mean(axis=0))",
        "y = torch.from_numpy(y - y.mean())",
        f"ALPHAS = {experiment.strengths(spec)[: steps + 1].tolist()!r}",
        *([f"RATE, STEPS = {spec.adam_rate!r}, {spec.adam_steps}"] if trained else []),
        "",
        section("The fits"),
        *([_SOLVED] if any(name in ("ridge", "lasso", "elastic_net") for name in spec.fits) else []),
        *([_TRAINED] if trained else []),
        "FITS = {",
        *(f'    "{name}": {calls[name]},' for name in spec.fits),
        "}",
        "",
        section("The app's weights at each strength, and what they may differ by"),
        "APP = {",
        *(line for s, name in enumerate(spec.fits) for line in _rows(name, end.weights[: steps + 1, s])),
        "}",
        _CHECK,
    ]  # fmt: skip
    assert end.weights.shape[2] == polynomial(x[:1], spec.degree, spec.basis).shape[1]
    return "\n".join(lines)


def _rows(name: str, weights: Any) -> list[str]:
    """The lines of one fit's entry; strengths at which it overflowed are left out."""
    good = [row for row in weights.tolist() if all(math.isfinite(value) for value in row)]
    lines = [textwrap.wrap(repr(row), 100, initial_indent=" " * 8, subsequent_indent=" " * 9) for row in good]
    return [f'    "{name}": [', *(line for row in lines for line in [*row[:-1], row[-1] + ","]), "    ],"]


def _columns(spec: Any) -> str:
    if spec.basis == "powers":
        return f"columns = np.power(x[:, None], np.arange({spec.degree + 1}), dtype=float)"
    return f"columns = np.polynomial.legendre.legvander(x / 3, {spec.degree})[:, 1:]"
