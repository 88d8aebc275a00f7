"""The activations' values and derivatives against torch, 40-digit arithmetic and published extremes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy import optimize

from engine.networks.activations import ACTIVATIONS, activation

TORCH = {
    "identity": lambda x: x * 1.0,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": torch.relu,
    "leaky_relu": torch.nn.functional.leaky_relu,
    "prelu": lambda x: torch.nn.functional.prelu(x, torch.tensor([0.25], dtype=torch.float64)),
    "elu": torch.nn.functional.elu,
    "gelu": torch.nn.functional.gelu,
    "silu": torch.nn.functional.silu,
    "mish": torch.nn.functional.mish,
}
X = np.concatenate([np.linspace(-12, 12, 1001), [-1e-9, 1e-9, -700.0, 700.0]])
X = X[X != 0.0]


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_value_and_derivatives_equal_torch(name: str) -> None:
    x = torch.tensor(X, requires_grad=True)
    value = TORCH[name](x)
    (first,) = torch.autograd.grad(value.sum(), x, create_graph=True)
    one = ACTIVATIONS[name]
    np.testing.assert_allclose(one.value(X), value.detach().numpy(), rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(one.first(X), first.detach().numpy(), rtol=1e-12, atol=2e-15)
    if first.requires_grad:
        (second,) = torch.autograd.grad(first.sum(), x)
        np.testing.assert_allclose(one.second(X), second.numpy(), rtol=1e-10, atol=1e-14)
    else:
        np.testing.assert_array_equal(one.second(X), 0.0)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_tails_keep_their_digits(name: str) -> None:
    """Against 40-digit arithmetic, relative: nothing cancels."""
    mp = pytest.importorskip("mpmath")
    mp.mp.dps = 40
    exact = {
        "sigmoid": lambda x: 1 / (1 + mp.exp(-x)),
        "tanh": mp.tanh,
        "elu": lambda x: x if x > 0 else mp.expm1(x),
        "gelu": lambda x: x * mp.erfc(-x / mp.sqrt(2)) / 2,
        "silu": lambda x: x / (1 + mp.exp(-x)),
        "mish": lambda x: x * mp.tanh(mp.log1p(mp.exp(x))),
    }
    if name not in exact:
        pytest.skip("piecewise linear: exact")
    for x in (-30.0, -8.0, -1.5, -1e-3, 1e-3, 0.7, 9.0, 25.0):
        values = [float(v) for v in mp.taylor(exact[name], mp.mpf(x), 2)]
        one = ACTIVATIONS[name]
        assert float(one.value(x)) == pytest.approx(values[0], rel=4e-15)
        assert float(one.first(x)) == pytest.approx(values[1], rel=3e-14)
        assert float(one.second(x)) == pytest.approx(2 * values[2], rel=1e-12)


@pytest.mark.parametrize(
    ("name", "order", "sign", "where", "extreme"),
    [
        ("sigmoid", "first", -1, 0.0, 0.25),
        ("gelu", "first", -1, math.sqrt(2.0), 1.1289),
        ("gelu", "value", 1, -0.7518, -0.16997),
        ("silu", "value", 1, -1.2785, -0.27846),
        ("mish", "value", 1, -1.1925, -0.30884),
    ],
)
def test_published_extremes(name: str, order: str, sign: int, where: float, extreme: float) -> None:
    function = getattr(ACTIVATIONS[name], order)
    found = optimize.minimize_scalar(lambda x: sign * float(function(x)), bounds=(-3, 3), options={"xatol": 1e-9})
    assert found.x == pytest.approx(where, abs=1e-4)
    assert sign * found.fun == pytest.approx(extreme, abs=6e-6 if extreme < 0 else 6e-5)


def test_slopes() -> None:
    assert (activation("leaky_relu").slope, activation("elu").slope, activation("prelu").slope) == (0.01, 1.0, 0.25)
    assert activation("leaky_relu").value(-2.0, 0.1) == -0.2
    assert activation("elu").value(-1.0, 3.0) == pytest.approx(3 * math.expm1(-1.0))
    assert [name for name, one in ACTIVATIONS.items() if one.learns] == ["prelu"]
    assert [one.code for one in ACTIVATIONS.values()] == list(range(10))
    with pytest.raises(ValueError, match="swish"):
        activation("swish")


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_infinities_and_nan(name: str) -> None:
    for order in ("value", "first", "second"):
        found = getattr(ACTIVATIONS[name], order)(np.array([-np.inf, np.inf, np.nan]))
        assert not np.isnan(found[:2]).any() and np.isnan(found[2])
