"""Every first-order rule, once, as an elementwise function, simplest first.

Each is `rule(p, g, s0, s1, s2, t, lr, h) -> (p, s0, s1, s2)`: parameter, gradient, up to three states, the
step counted from 1, learning rate and hyper-parameters in; parameter and states out. States a rule does not
need pass through. The functions are plain Python on numbers; `compiled` turns them into kernels, and there
a number written 1.0 takes the precision of the kernel. So write constants as floats and indices as ints.

Without a prefix: PyTorch's convention. With `book_`: the chapter's formula where it differs by more than L2.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Numbers = tuple[float, float, float, float]
H = Sequence[float]


def sgd(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Gradient descent. h = (weight_decay,)."""
    g = g + h[0] * p
    return p - lr * g, s0, s1, s2


def momentum(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Heavy ball; s0 = sum of past gradients. h = (momentum, weight_decay)."""
    g = g + h[1] * p
    v = h[0] * s0 + g
    return p - lr * v, v, s1, s2


def book_momentum(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Heavy ball; s0 = the last step, with the learning rate inside."""
    g = g + 2.0 * h[1] * p
    v = h[0] * s0 + lr * g
    return p - v, v, s1, s2


def nesterov(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Nesterov's gradient; p is the look-ahead point of the book. h = (momentum, weight_decay)."""
    g = g + h[1] * p
    v = h[0] * s0 + g
    return p - lr * (g + h[0] * v), v, s1, s2


def book_look_ahead(p: float, s0: float, lr: float, h: H) -> float:
    """Where book Nesterov wants its gradient: where the old velocity alone would lead."""
    return p - h[0] * s0


def book_nesterov(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Nesterov's gradient with g at p - gamma * s0; the gradient of L2 is taken there too."""
    g = g + 2.0 * h[1] * (p - h[0] * s0)
    v = h[0] * s0 + lr * g
    return p - v, v, s1, s2


def adagrad(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """A rate of its own for each parameter; s0 = sum of squares. h = (lr_decay, eps, weight_decay)."""
    g = g + h[2] * p
    total = s0 + g * g
    rate = lr / (1.0 + (t - 1.0) * h[0])
    return p - rate * g / (math.sqrt(total) + h[1]), total, s1, s2


def book_adagrad(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """AdaGrad with eps inside the root."""
    g = g + 2.0 * h[2] * p
    total = s0 + g * g
    rate = lr / (1.0 + (t - 1.0) * h[0])
    return p - rate * g / math.sqrt(total + h[1]), total, s1, s2


def adadelta(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Steps in the units of p; s0 = average of g^2, s1 = of steps^2. h = (rho, eps, weight_decay)."""
    g = g + h[2] * p
    square = h[0] * s0 + (1.0 - h[0]) * g * g
    delta = math.sqrt(s1 + h[1]) / math.sqrt(square + h[1]) * g
    return p - lr * delta, square, h[0] * s1 + (1.0 - h[0]) * delta * delta, s2


def rmsprop(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """AdaGrad that forgets; s0 = average of g^2. h = (alpha, eps, weight_decay)."""
    g = g + h[2] * p
    square = h[0] * s0 + (1.0 - h[0]) * g * g
    return p - lr * g / (math.sqrt(square) + h[1]), square, s1, s2


def book_rmsprop(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """RMSprop with eps inside the root."""
    g = g + 2.0 * h[2] * p
    square = h[0] * s0 + (1.0 - h[0]) * g * g
    return p - lr * g / math.sqrt(square + h[1]), square, s1, s2


def adam(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Momentum over RMSprop, both corrected for their start at 0. h = (beta1, beta2, eps, weight_decay)."""
    g = g + h[3] * p
    m = h[0] * s0 + (1.0 - h[0]) * g
    v = h[1] * s1 + (1.0 - h[1]) * g * g
    m_hat = m / (1.0 - h[0] ** t)
    v_hat = v / (1.0 - h[1] ** t)
    return p - lr * m_hat / (math.sqrt(v_hat) + h[2]), m, v, s2


def adamw(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Adam; the decay shrinks p and stays out of the averages. h = (beta1, beta2, eps, weight_decay)."""
    m = h[0] * s0 + (1.0 - h[0]) * g
    v = h[1] * s1 + (1.0 - h[1]) * g * g
    m_hat = m / (1.0 - h[0] ** t)
    v_hat = v / (1.0 - h[1] ** t)
    return p * (1.0 - lr * h[3]) - lr * m_hat / (math.sqrt(v_hat) + h[2]), m, v, s2


def nadam(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Adam with Nesterov's look ahead; s2 = product of the momenta so far, from 1.

    h = (beta1, beta2, eps, weight_decay, momentum_decay).
    """
    g = g + h[3] * p
    mu = h[0] * (1.0 - 0.5 * 0.96 ** (t * h[4]))
    mu_next = h[0] * (1.0 - 0.5 * 0.96 ** ((t + 1.0) * h[4]))
    product = s2 * mu
    m = h[0] * s0 + (1.0 - h[0]) * g
    v = h[1] * s1 + (1.0 - h[1]) * g * g
    m_hat = mu_next * m / (1.0 - product * mu_next) + (1.0 - mu) * g / (1.0 - product)
    v_hat = v / (1.0 - h[1] ** t)
    return p - lr * m_hat / (math.sqrt(v_hat) + h[2]), m, v, product


def amsgrad(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Adam whose squared average never falls; s2 = its maximum. h = (beta1, beta2, eps, weight_decay)."""
    g = g + h[3] * p
    m = h[0] * s0 + (1.0 - h[0]) * g
    v = h[1] * s1 + (1.0 - h[1]) * g * g
    largest = s2 if s2 > v else v
    m_hat = m / (1.0 - h[0] ** t)
    v_hat = largest / (1.0 - h[1] ** t)
    return p - lr * m_hat / (math.sqrt(v_hat) + h[2]), m, v, largest


def adamax(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Adam with the largest recent gradient for a scale; s1 = it. h = (beta1, beta2, eps, weight_decay)."""
    g = g + h[3] * p
    m = h[0] * s0 + (1.0 - h[0]) * g
    old = h[1] * s1
    new = abs(g) + h[2]
    u = old if old > new else new
    m_hat = m / (1.0 - h[0] ** t)
    return p - lr * m_hat / u, m, u, s2


def lion(p: float, g: float, s0: float, s1: float, s2: float, t: int, lr: float, h: H) -> Numbers:
    """Only the sign of a blend of momentum and gradient. h = (beta1, beta2, weight_decay)."""
    c = h[0] * s0 + (1.0 - h[0]) * g
    sign = 1.0 if c > 0.0 else (-1.0 if c < 0.0 else c)  # 0 stays 0, and nan shows itself
    return p - lr * (sign + h[2] * p), h[1] * s0 + (1.0 - h[1]) * g, s1, s2
