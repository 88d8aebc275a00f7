"""The compiled network's twin in torch: the oracle of the tests beside this file."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.networks.description import Description
from engine.networks.initializations import initialize
from engine.networks.plan import parameter_count


def module(d: Description) -> torch.nn.Sequential:
    """The same network in torch, in float64, its parameters in the flat buffer's order."""
    makers = {
        "identity": lambda a: torch.nn.Identity(),
        "sigmoid": lambda a: torch.nn.Sigmoid(),
        "tanh": lambda a: torch.nn.Tanh(),
        "relu": lambda a: torch.nn.ReLU(),
        "leaky_relu": lambda a: torch.nn.LeakyReLU(0.01 if math.isnan(a) else a),
        "prelu": lambda a: torch.nn.PReLU(1, 0.25 if math.isnan(a) else a),
        "elu": lambda a: torch.nn.ELU(1.0 if math.isnan(a) else a),
        "gelu": lambda a: torch.nn.GELU(),
        "silu": lambda a: torch.nn.SiLU(),
        "mish": lambda a: torch.nn.Mish(),
    }
    parts: list[torch.nn.Module] = []
    names = (*d.activations, d.output)
    for i, (fan_in, fan_out) in enumerate(itertools.pairwise(d.sizes)):
        slope = d.slopes[i] if i < len(d.slopes) else math.nan
        parts += [torch.nn.Linear(fan_in, fan_out, bias=d.bias), makers[names[i]](slope)]
    return torch.nn.Sequential(*parts).double()


def fill(network: torch.nn.Module, params: np.ndarray) -> None:
    torch.nn.utils.vector_to_parameters(torch.tensor(params.astype(np.float64)), network.parameters())


def torch_loss(d: Description, answer: torch.Tensor, y: np.ndarray) -> torch.Tensor:
    if d.loss == "cross_entropy":
        return torch.nn.functional.cross_entropy(answer, torch.tensor(y, dtype=torch.int64))
    wanted = torch.tensor(y, dtype=torch.float64)
    if d.loss == "bce":
        return torch.nn.functional.binary_cross_entropy_with_logits(answer, wanted)
    return torch.nn.functional.mse_loss(answer, wanted) * (0.5 if d.half_mse else 1.0)


def problem(d: Description, samples: int, seed: int = 5) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    x = random.normal(size=(samples, d.inputs))
    if d.loss == "cross_entropy":
        y = random.integers(0, d.outputs, samples)
    elif d.loss == "bce":
        y = random.integers(0, 2, (samples, 1)).astype(float)
    else:
        y = random.normal(size=(samples, d.outputs))
    params = initialize(d, "xavier_normal", seed) + 0.1 * random.normal(size=parameter_count(d))
    return params, x, y


@pytest.fixture
def twin() -> SimpleNamespace:
    """module(d), fill(network, params), torch_loss(d, answer, y) and problem(d, samples)."""
    return SimpleNamespace(module=module, fill=fill, torch_loss=torch_loss, problem=problem)
