"""The compiled network's loss, gradient and response against torch autograd, in both precisions."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.networks.activations import ACTIVATIONS
from engine.networks.description import Description
from engine.networks.mlp import Mlp, layers, parameter_count

DEPTHS = {0: (), 1: (5,), 2: (4, 20), 3: (17, 3, 6), 4: (3, 16, 18, 5)}
LOSSES = {"mse": 3, "bce": 1, "cross_entropy": 4}


def theirs(
    twin: SimpleNamespace, d: Description, params: np.ndarray, x: np.ndarray, y: np.ndarray
) -> tuple[float, np.ndarray]:
    network = twin.module(d)
    twin.fill(network, params)
    loss = twin.torch_loss(d, network(torch.tensor(x)), y)
    loss.backward()
    return loss.item(), torch.nn.utils.parameters_to_vector([p.grad for p in network.parameters()]).numpy()


def compare(twin: SimpleNamespace, d: Description, samples: int = 21) -> None:
    params, x, y = twin.problem(d, samples)
    wanted, slope = theirs(twin, d, params, x, y)
    loss, grad = Mlp(d).loss_gradient(params, x, y)
    assert len(grad) == len(slope) and np.abs(slope).max() > 1e-3
    assert loss == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_allclose(grad, slope, rtol=1e-10, atol=1e-10 * np.abs(slope).max())
    assert Mlp(d).loss(params, x, y) == loss
    single, single_grad = Mlp(d, np.float32).loss_gradient(params.astype(np.float32), x, y)
    assert single == pytest.approx(wanted, rel=2e-5)
    np.testing.assert_allclose(single_grad, slope, rtol=2e-4, atol=2e-5 * np.abs(slope).max())


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients_equal_autograd(twin: SimpleNamespace, name: str, loss: str, depth: int) -> None:
    hidden = DEPTHS[depth]
    compare(twin, Description(3, hidden, LOSSES[loss], (name,) * len(hidden), loss=loss))


@pytest.mark.parametrize(
    "d",
    [
        *(Description(3, (4,), 2, ("tanh",), output=name) for name in ACTIVATIONS),
        Description(3, (4, 5), 2, ("relu", "mish"), half_mse=True),
        Description(3, (4, 5), 2, ("relu", "gelu"), bias=False),
        Description(40, (33, 19), 10, ("prelu", "prelu"), loss="cross_entropy"),
        Description(3, (6, 7, 5), 1, ("leaky_relu", "elu", "prelu"), slopes=(0.3, 1.7, -0.1), loss="bce"),
    ],
)
def test_other_descriptions_equal_autograd(twin: SimpleNamespace, d: Description) -> None:
    compare(twin, d)


@pytest.mark.parametrize("samples", [1, 15, 16, 17, 128, 129, 700])
@pytest.mark.parametrize("width", [6, 40])
def test_any_number_of_samples(twin: SimpleNamespace, samples: int, width: int) -> None:
    compare(twin, Description(5, (width, width), 3, ("tanh", "silu"), loss="cross_entropy"), samples)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_large_pre_activations_stay_right(twin: SimpleNamespace, name: str) -> None:
    d = Description(1, (1,), 1, (name,))
    params = np.array([1.0, 0.0, *([0.25] if name == "prelu" else []), 1.0, 0.0])
    x = np.array([[-1e4], [-300.0], [-30.0], [-1e-9], [1e-9], [30.0], [300.0], [1e4]])
    for sample in x:
        wanted, slope = theirs(twin, d, params, sample[None], np.zeros((1, 1)))
        loss, grad = Mlp(d).loss_gradient(params, sample[None], np.zeros((1, 1)))
        assert loss == pytest.approx(wanted, rel=1e-9, abs=1e-30)
        np.testing.assert_allclose(grad, slope, rtol=1e-9, atol=1e-30)


def test_extreme_logits_are_safe(twin: SimpleNamespace) -> None:
    for d, y in (
        (Description(1, (), 1, (), loss="bce"), np.array([[0.0], [1.0]])),
        (Description(1, (), 3, (), loss="cross_entropy"), np.array([2, 0])),
    ):
        params = np.zeros(parameter_count(d))
        params[: d.outputs] = np.linspace(900.0, -900.0, d.outputs) if d.outputs > 1 else 900.0
        x = np.array([[1.0], [1.0]])
        wanted, slope = theirs(twin, d, params, x, y)
        loss, grad = Mlp(d).loss_gradient(params, x, y)
        assert math.isfinite(wanted) and loss == pytest.approx(wanted, rel=1e-12)
        np.testing.assert_allclose(grad, slope, atol=1e-12)


@pytest.mark.parametrize("loss", LOSSES)
def test_response_is_torchs(twin: SimpleNamespace, loss: str) -> None:
    d = Description(3, (5, 18), LOSSES[loss], ("gelu", "prelu"), loss=loss)
    params, x, y = twin.problem(d, 300)
    network = twin.module(d)
    twin.fill(network, params)
    value = torch.tensor(x)
    response = Mlp(d).forward(params, x)
    assert len(response) == 3
    for (pre, post), linear, bend in zip(response, network[::2], network[1::2], strict=True):
        value = linear(value)
        np.testing.assert_allclose(pre, value.detach().numpy(), atol=1e-13)
        value = bend(value)
        np.testing.assert_allclose(post, value.detach().numpy(), atol=1e-13)
    answer = value.detach()
    if loss == "bce":
        answer = torch.sigmoid(answer)
    elif loss == "cross_entropy":
        answer = torch.softmax(answer, 1)
    np.testing.assert_allclose(Mlp(d).predict(params, x), answer.numpy(), atol=1e-13)
    if loss == "mse":
        assert math.isnan(Mlp(d).accuracy(params, x, y))
    else:
        right = answer.argmax(1).numpy() == y if loss == "cross_entropy" else (answer > 0.5).numpy() == y
        assert Mlp(d).accuracy(params, x, y) == pytest.approx(right.mean())


def test_layers_are_views_in_torchs_order(twin: SimpleNamespace) -> None:
    d = Description(3, (4,), 2, ("prelu",))
    params = np.arange(float(parameter_count(d)))
    first, second = layers(d, params)
    network = twin.module(d)
    twin.fill(network, params)
    np.testing.assert_array_equal(first.weight, network[0].weight.detach())
    np.testing.assert_array_equal(first.slopes, network[1].weight.detach())
    np.testing.assert_array_equal(second.bias, network[2].bias.detach())
    first.weight[1, 2] = -7.0
    assert -7.0 in params
    lanes = layers(d, np.stack([params, params + 1]))
    np.testing.assert_array_equal(lanes[1].weight[1], second.weight + 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"normalization": "batch"}, "normalization batch"),
        ({"residual": True}, "residual"),
        ({"activations": ("swish",)}, "swish"),
        ({"dropout": (1.0,)}, "dropout 1"),
        ({"slopes": (0.1, 0.2)}, "2 slopes"),
        ({"hidden": (0,)}, "at least 1"),
    ],
)
def test_wrong_descriptions_say_so(change: dict[str, object], message: str) -> None:
    options: dict[str, object] = {"inputs": 2, "hidden": (3,), "outputs": 1, "activations": ("relu",)}
    with pytest.raises(ValueError, match=message) as caught:
        Mlp(Description(**{**options, **change}))  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)


def test_wrong_data_say_so() -> None:
    d = Description(2, (3,), 3, ("relu",), loss="cross_entropy")
    mlp, params = Mlp(d), np.zeros(parameter_count(d))
    for x, y, message in (
        (np.zeros((4, 3)), np.zeros(4), r"\(4, 3\)"),
        (np.zeros((4, 2)), np.zeros(5), "4 inputs and 5 targets"),
        (np.zeros((4, 2)), np.full(4, 3), "from 0 to 2"),
        (np.zeros((4, 2)), np.full(4, -1), "from 0 to 2"),
        (np.zeros((4, 2)), np.zeros((4, 2)), r"\[n, 1\]"),
        (np.zeros((0, 2)), np.zeros(0), r"\(0, 2\)"),
    ):
        with pytest.raises(ValueError, match=message):
            mlp.loss(params, x, y)
    with pytest.raises(ValueError, match="float32"):
        mlp.loss(params.astype(np.float32), np.zeros((4, 2)), np.zeros(4))
    with pytest.raises(ValueError, match="float16"):
        Mlp(d, np.float16)
