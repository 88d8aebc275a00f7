"""The rules torch.optim does not have, written as its optimizers are. Scripts carry the text of these classes.

Only scripts and tests import this module: it loads torch.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch


class Written(torch.optim.Optimizer):
    """An optimizer that is written out: `update` changes p, remembers in `kept` and finds its settings in h."""

    def __init__(self, params: Any, **settings: float | tuple[float, float]) -> None:
        super().__init__(params, settings)

    @torch.no_grad()
    def step(self, closure: Callable[[], Any]) -> None:  # type: ignore[override]
        """One step; `closure` works out the gradient wherever p is when it is called."""
        for h in self.param_groups:
            for p in h["params"]:
                self.update(p, self.state[p], h, torch.enable_grad()(closure))

    def update(self, p: Any, kept: Any, h: Any, closure: Callable[[], Any]) -> None:
        """Each rule has its own."""
        raise NotImplementedError


class BookMomentum(Written):
    """Heavy ball with the learning rate inside the velocity; L2 without the one half."""

    def update(self, p: Any, kept: Any, h: Any, closure: Callable[[], Any]) -> None:
        closure()
        gradient = p.grad + 2 * h["weight_decay"] * p
        kept["velocity"] = h["momentum"] * kept.get("velocity", 0) + h["lr"] * gradient
        p -= kept["velocity"]


class BookNesterov(Written):
    """Nesterov's gradient, taken where the old velocity alone would lead."""

    def update(self, p: Any, kept: Any, h: Any, closure: Callable[[], Any]) -> None:
        here, velocity = p.clone(), kept.get("velocity", torch.zeros_like(p))
        p -= h["momentum"] * velocity
        closure()
        gradient = p.grad + 2 * h["weight_decay"] * p
        kept["velocity"] = h["momentum"] * velocity + h["lr"] * gradient
        p.copy_(here - kept["velocity"])


class BookAdaGrad(Written):
    """AdaGrad with epsilon inside the root."""

    def update(self, p: Any, kept: Any, h: Any, closure: Callable[[], Any]) -> None:
        closure()
        gradient = p.grad + 2 * h["weight_decay"] * p
        before = kept.get("steps", 0)
        kept["sum"] = kept.get("sum", 0) + gradient**2
        kept["steps"] = before + 1
        p -= h["lr"] / (1 + before * h["lr_decay"]) * gradient / torch.sqrt(kept["sum"] + h["eps"])


class BookRMSprop(Written):
    """RMSprop with epsilon inside the root."""

    def update(self, p: Any, kept: Any, h: Any, closure: Callable[[], Any]) -> None:
        closure()
        gradient = p.grad + 2 * h["weight_decay"] * p
        kept["square"] = h["alpha"] * kept.get("square", 0) + (1 - h["alpha"]) * gradient**2
        p -= h["lr"] * gradient / torch.sqrt(kept["square"] + h["eps"])


class Lion(Written):
    """Only the sign of a blend of momentum and gradient (Chen et al. 2023, Algorithm 2)."""

    def update(self, p: Any, kept: Any, h: Any, closure: Callable[[], Any]) -> None:
        closure()
        beta1, beta2 = h["betas"]
        m = kept.get("m", torch.zeros_like(p))
        kept["m"] = beta2 * m + (1 - beta2) * p.grad
        p -= h["lr"] * (torch.sign(beta1 * m + (1 - beta1) * p.grad) + h["weight_decay"] * p)


class Newton(Written):
    """Newton's method, damped: solve (H + damping I) d = -gradient and go lr along d; H by autograd."""

    def __init__(self, params: Any, surface: Callable[[Any], Any], **settings: float) -> None:
        super().__init__(params, **settings)
        self.surface = surface

    def update(self, p: Any, kept: Any, h: Any, closure: Callable[[], Any]) -> None:
        closure()
        if p.grad.any():
            with torch.enable_grad():
                hessian = torch.autograd.functional.hessian(self.surface, p)  # type: ignore[no-untyped-call]
            p += h["lr"] * torch.linalg.solve(hessian + h["damping"] * torch.eye(len(p)), -p.grad)
