"""First weights: the statistics of torch.nn.init, and what they depend on."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy import stats

from engine.networks.description import Description
from engine.networks.initializations import INITIALIZATIONS, initialize, weights
from engine.networks.plan import layers
from engine.randomness import generator

SHAPE = (150, 90)  # out, in


def torchs(name: str) -> np.ndarray:
    torch.manual_seed(1)
    w = torch.empty(SHAPE, dtype=torch.float64)
    init = torch.nn.init
    if name == "torch":
        return torch.nn.Linear(SHAPE[1], SHAPE[0], dtype=torch.float64).weight.detach().numpy()
    {
        "normal": lambda: init.normal_(w),
        "xavier_uniform": lambda: init.xavier_uniform_(w),
        "xavier_normal": lambda: init.xavier_normal_(w),
        "he_uniform": lambda: init.kaiming_uniform_(w, nonlinearity="relu"),
        "he_normal": lambda: init.kaiming_normal_(w, nonlinearity="relu"),
        "lecun_normal": lambda: init.kaiming_normal_(w, nonlinearity="linear"),
        "orthogonal": lambda: init.orthogonal_(w),
    }[name]()
    return w.numpy()


@pytest.mark.parametrize("name", INITIALIZATIONS)
def test_distribution_is_torchs(name: str) -> None:
    ours = weights(name, SHAPE[1], SHAPE[0], generator(0, "test"))
    theirs = torchs(name)
    assert ours.shape == theirs.shape
    assert ours.std() == pytest.approx(theirs.std(), rel=0.02)
    assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 1e-3


@pytest.mark.parametrize("shape", [(6, 4), (4, 6), (5, 5), (1, 3)])
def test_orthogonal_is(shape: tuple[int, int]) -> None:
    w = weights("orthogonal", shape[1], shape[0], generator(2, "test"))
    product = w @ w.T if shape[0] <= shape[1] else w.T @ w
    np.testing.assert_allclose(product, np.eye(min(shape)), atol=1e-14)


def test_a_layer_depends_on_seed_and_place_alone() -> None:
    one = Description(2, (3, 4), 1, ("tanh", "tanh"))
    two = Description(2, (3, 4, 5), 2, ("relu", "prelu", "relu"), slopes=(np.nan, 0.4, np.nan))
    a, b = layers(one, initialize(one, "he_normal", 7)), layers(two, initialize(two, "he_normal", 7))
    np.testing.assert_array_equal(a[0].weight, b[0].weight)
    np.testing.assert_array_equal(a[1].weight, b[1].weight)
    assert b[1].slopes == [0.4] and not b[0].bias.any()
    assert not np.array_equal(initialize(one, "he_normal", 7), initialize(one, "he_normal", 8))
    single = initialize(one, "he_normal", 7, np.float32)
    np.testing.assert_array_equal(single, initialize(one, "he_normal", 7).astype(np.float32))


def test_torchs_biases_and_given_deviation() -> None:
    d = Description(100, (2000,), 1, ("tanh",))
    bias = layers(d, initialize(d, "torch", 1))[0].bias
    assert np.abs(bias).max() <= 0.1 and bias.std() == pytest.approx(0.1 / np.sqrt(3), rel=0.05)
    assert layers(d, initialize(d, "normal", 1, std=0.1))[0].weight.std() == pytest.approx(0.1, rel=0.02)
    with pytest.raises(ValueError, match="zeros"):
        initialize(d, "zeros", 1)
