"""Second derivatives of a network's loss: the Hessian, products with it, the Fisher matrix, Kronecker factors."""

from __future__ import annotations

import numpy as np

from .network import Array, Network, probabilities

ROOM = 2**17  # numbers in the largest array that products or scores are worked out in at a time


def hessian(net: Network, p: Array) -> Array:
    """The matrix of second derivatives [n, n]: in closed form without a hidden layer, else column by column."""
    with np.errstate(all="ignore"):
        found = _without_hidden(net, p) if len(net.sizes) == 2 else hessian_vectors(net, p, np.eye(net.parameters))
    if len(net.sizes) > 2:
        found = 0.5 * (found + found.T)  # rounding must not make it lopsided
    return found


def _without_hidden(net: Network, p: Array) -> Array:
    """(1/N) sum of x x' (x) (diag(q) - q q') of logistic regression, q the model's probabilities."""
    q = probabilities(net.forward(p)[1])
    inputs, outputs = net.shapes[0]
    found = np.empty((inputs, outputs, inputs, outputs))
    for k in range(outputs):
        for j in range(k, outputs):
            weight = q[:, k] * (float(k == j) - q[:, j])
            found[:, k, :, j] = (net.x * weight[:, None]).T @ net.x / len(net.x)
            found[:, j, :, k] = found[:, k, :, j].T
    flat = found.reshape(net.parameters, net.parameters)
    flat[np.diag_indices(net.parameters)] += net.l2
    return flat


def hessian_vectors(net: Network, p: Array, vectors: Array) -> Array:
    """Products of the Hessian with vectors [m, n], exactly, without the matrix (Pearlmutter 1994): [m, n]."""
    widest = max(rows for rows, _ in net.shapes)
    portion = max(1, ROOM // (len(net.x) * widest))
    parts = [_products(net, p, vectors[i : i + portion]) for i in range(0, len(vectors), portion)]
    return np.concatenate(parts) + net.l2 * vectors


def _products(net: Network, p: Array, vectors: Array) -> Array:
    """Pearlmutter's R-operator: every quantity of the two passes, differentiated along each vector."""
    inputs, logits = net.forward(p)
    matrices, turns = net.matrices(p), net.matrices(vectors)
    moved = _moved_inputs(net, p, inputs, vectors)
    moved_logits = _moved(inputs[-1], moved[-1], matrices[-1], turns[-1])
    q = probabilities(logits)
    delta = (q - net.y) / len(net.x)
    moved_delta = _by_output(q, moved_logits) / len(net.x)
    found: list[Array] = []
    for layer in range(len(matrices) - 1, -1, -1):
        a, moved_a = inputs[layer], moved[layer]
        product = a.T @ moved_delta
        if moved_a is not None:
            product += np.swapaxes(moved_a, 1, 2) @ delta
        found.append(product)
        if layer == 0:
            break
        assert moved_a is not None
        matrix, turn, y = matrices[layer][:-1], turns[layer][:, :-1], a[:, :-1]
        back, slope = delta @ matrix.T, 1.0 - y**2
        moved_back = moved_delta @ matrix.T + delta @ np.swapaxes(turn, 1, 2)
        moved_delta = moved_back * slope - 2.0 * back * y * moved_a[:, :, :-1]
        delta = back * slope
    return net.joined(found[::-1])


def _moved(a: Array, moved: Array | None, matrix: Array, turn: Array) -> Array:
    """What a layer's pre-activations change by along each vector: [m, N, outputs]."""
    found: Array = a @ turn
    return found if moved is None else found + moved @ matrix


def _moved_inputs(net: Network, p: Array, inputs: list[Array], vectors: Array) -> list[Array | None]:
    """What every layer's inputs change by along each vector, [m, N, inputs + 1]; None for the samples themselves."""
    matrices, turns = net.matrices(p), net.matrices(vectors)
    found: list[Array | None] = [None]
    for layer in range(len(matrices) - 1):
        change = _moved(inputs[layer], found[-1], matrices[layer], turns[layer])
        wide = np.zeros((*change.shape[:-1], change.shape[-1] + 1))
        wide[..., :-1] = change * (1.0 - inputs[layer + 1][:, :-1] ** 2)
        found.append(wide)
    return found


def _by_output(q: Array, turned: Array) -> Array:
    """The loss's own curvature in the logits, diag(q) - q q' of each sample, times turned [m, N, outputs]."""
    if q.shape[1] == 1:
        bent: Array = q * (1.0 - q) * turned
    else:
        bent = q * (turned - (q * turned).sum(axis=-1, keepdims=True))
    return bent


def scores(net: Network, p: Array, rows: slice) -> Array:
    """Gradients of -log q(class) of these samples, one for each class, times the root of q(class): [rows x classes, n].

    The sum of their outer products is the expectation over what the model itself predicts. Two classes behind one
    logit have one row: their two outer products are q (1 - q) times the same matrix.
    """
    some = net.on(np.arange(*rows.indices(len(net.x))))
    inputs, logits = some.forward(p)
    found = []
    for delta in _deltas_of_classes(probabilities(logits)):
        every = some.deltas(p, inputs, delta)
        found.append(some.joined([a[:, :, None] * d[:, None, :] for a, d in zip(inputs, every, strict=True)]))
    return np.concatenate(found)


def _deltas_of_classes(q: Array) -> list[Array]:
    """For each class sqrt(q(class)) times what -log q(class) changes by with the logits: [N, outputs] each."""
    if q.shape[1] == 1:
        return [np.sqrt(q * (1.0 - q))]
    return [np.sqrt(q[:, k : k + 1]) * (q - np.eye(q.shape[1])[k]) for k in range(q.shape[1])]


def fisher(net: Network, p: Array) -> Array:
    """The Fisher matrix [n, n]: mean over samples, expectation over the model's own predictions (Amari 1998).

    Not the empirical one, which takes the labels in the data. The penalty is no part of it.
    """
    n = net.parameters
    portion = max(1, ROOM // (n * net.sizes[-1]))
    found = np.zeros((n, n))
    for first in range(0, len(net.x), portion):
        rows = scores(net, p, slice(first, first + portion))
        found += rows.T @ rows
    return found / len(net.x)


def fisher_form(net: Network, p: Array, vectors: Array) -> Array:
    """v' F w for all pairs of vectors [m, n], without the matrix: [m, m] (Martens and Grosse 2015, appendix C)."""
    inputs, logits = net.forward(p)
    last = _moved_inputs(net, p, inputs, vectors)[-1]
    moved = _moved(inputs[-1], last, net.matrices(p)[-1], net.matrices(vectors)[-1])
    form: Array = np.einsum("ank,bnk->ab", moved, _by_output(probabilities(logits), moved)) / len(net.x)
    return form


def factors(net: Network, p: Array) -> list[tuple[Array, Array]]:
    """Of every layer A = E[a a'] [inputs + 1, inputs + 1] and G = E[g g'] [outputs, outputs].

    a: the layer's inputs; g: the gradient at its pre-activations, in expectation over the model's own predictions
    (Martens and Grosse 2015, eq. 1 and section 3; they draw the predictions, here the expectation is exact). The
    layer's block of the Fisher matrix is about A (x) G, in the order of our parameters.
    """
    inputs, logits = net.forward(p)
    outer = [np.zeros((columns, columns)) for _, columns in net.shapes]
    for delta in _deltas_of_classes(probabilities(logits)):
        for total, d in zip(outer, net.deltas(p, inputs, delta), strict=True):
            total += d.T @ d / len(net.x)
    return [(a.T @ a / len(net.x), total) for a, total in zip(inputs, outer, strict=True)]
