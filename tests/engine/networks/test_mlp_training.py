"""Training steps of the compiled network against torch.optim and the chapter; cutting a run changes nothing."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.networks.chance import drop, order
from engine.networks.description import Description
from engine.networks.mlp import NOT_FINITE, RUNNING, Mlp, Rule

NETS = {
    "classes": Description(3, (5, 18), 4, ("tanh", "gelu"), loss="cross_entropy"),
    "slope": Description(3, (6,), 1, ("prelu",), loss="bce"),
}
OPTIMIZERS = {
    "sgd": (torch.optim.SGD, {}, 0.1),
    "momentum": (torch.optim.SGD, {"momentum": 0.9}, 0.05),
    "nesterov": (torch.optim.SGD, {"momentum": 0.8, "nesterov": True}, 0.05),
    "adagrad": (torch.optim.Adagrad, {}, 0.05),
    "rmsprop": (torch.optim.RMSprop, {}, 0.003),
    "adam": (torch.optim.Adam, {}, 0.01),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.1}, 0.01),
}


def epochs(samples: int, batch: int, seed: int, steps: int) -> list[np.ndarray]:
    """The samples of each step, from the order of each epoch."""
    rounds = -(-samples // batch)
    found = []
    for step in range(steps):
        rows = order(seed, step // rounds, samples)
        begin = step % rounds * batch
        found.append(rows[begin : begin + batch] if batch < samples else np.arange(samples))
    return found


def torch_training(
    twin: SimpleNamespace,
    d: Description,
    start: tuple[np.ndarray, np.ndarray, np.ndarray],
    batches: list[np.ndarray],
    optimizer: str,
    penalty: tuple[float, float, float] = (0.0, 0.0, 0.0),
) -> tuple[np.ndarray, np.ndarray]:
    """Parameters at the end and [steps, 2] losses and gradient norms."""
    (params, x, y), (l1, l2, clip) = start, penalty
    network = twin.module(d)
    twin.fill(network, params)
    maker, options, rate = OPTIMIZERS[optimizer]
    trained = maker(network.parameters(), lr=rate, **options)
    out = np.empty((len(batches), 2))
    for row, chosen in zip(out, batches, strict=True):
        trained.zero_grad()
        loss = twin.torch_loss(d, network(torch.tensor(x[chosen])), y[chosen])
        matrices = [p for p in network.parameters() if p.ndim == 2]
        penalty = sum(l1 * p.abs().sum() + l2 / 2 * (p * p).sum() for p in matrices)
        (loss + penalty).backward()
        size = torch.nn.utils.clip_grad_norm_(network.parameters(), clip or 1e300)
        trained.step()
        row[:] = loss.item(), size.item()
    return torch.nn.utils.parameters_to_vector(network.parameters()).detach().numpy(), out


@pytest.mark.parametrize("batch", [0, 7, 16])
@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_equals_torch(twin: SimpleNamespace, name: str, net: str, batch: int) -> None:
    d = NETS[net]
    params, x, y = twin.problem(d, 40)
    _, options, rate = OPTIMIZERS[name]
    given = {key: value for key, value in options.items() if key != "nesterov"}
    wanted, curve = torch_training(twin, d, (params, x, y), epochs(40, batch or 40, 3, 100), name)
    mlp, ours = Mlp(d), params.copy()
    done, code, out = mlp.train(ours, mlp.states(name), x, y, Rule.of(name, given), 1, np.full(100, rate), batch, 3)
    assert (done, code) == (100, RUNNING)
    np.testing.assert_allclose(ours, wanted, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(out, curve, rtol=1e-9, atol=1e-9)
    assert np.abs(ours - params).max() > 0.05


@pytest.mark.parametrize(("l1", "l2", "clip"), [(0.01, 0.0, 0.0), (0.0, 0.1, 0.0), (0.003, 0.02, 0.3), (0, 0, 0.1)])
def test_penalties_and_clipping_equal_torch(twin: SimpleNamespace, l1: float, l2: float, clip: float) -> None:
    d = NETS["classes"]
    params, x, y = twin.problem(d, 40)
    wanted, curve = torch_training(twin, d, (params, x, y), epochs(40, 7, 3, 60), "momentum", (l1, l2, clip))
    for convention, factor in (("pytorch", 1.0), ("book", 0.5)):
        mlp, ours = Mlp(d), params.copy()
        rule = Rule.of("momentum", None, convention=convention, l1=l1, l2=l2 * factor, clip=clip)
        _, _, out = mlp.train(ours, mlp.states("momentum"), x, y, rule, 1, np.full(60, 0.05), 7, 3)
        # momentum in the book keeps the rate inside the velocity: the same walk at a constant rate
        np.testing.assert_allclose(ours, wanted, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(out, curve, rtol=1e-9, atol=1e-9)


def test_penalty_reaches_biases_when_told(twin: SimpleNamespace) -> None:
    d = Description(2, (3,), 1, ("tanh",))
    mlp = Mlp(d)
    params, x, y = twin.problem(d, 9)
    _, grad = mlp.loss_gradient(params, x, y)
    for biases in (False, True):
        ours = params.copy()
        rule = Rule(l2=0.5, penalize_biases=biases)
        mlp.train(ours, mlp.states("sgd"), x, y, rule, 1, [1.0])
        counted = np.ones(13) if biases else np.repeat([1.0, 0.0, 1.0, 0.0], [6, 3, 3, 1])
        np.testing.assert_allclose(ours, params - grad - 0.5 * params * counted, atol=1e-14)


def test_book_nesterov_looks_ahead(twin: SimpleNamespace) -> None:
    """PyTorch's parameters are the book's look-ahead points (constant rate)."""
    d = NETS["classes"]
    params, x, y = twin.problem(d, 40)
    book, torchs, mlp = params.copy(), params.copy(), Mlp(d)
    states = mlp.states("nesterov")
    _, _, out = mlp.train(book, states, x, y, Rule.of("nesterov", convention="book"), 1, np.full(50, 0.05), 7)
    mlp.train(torchs, mlp.states("nesterov"), x, y, Rule.of("nesterov"), 1, np.full(50, 0.05), 7)
    np.testing.assert_allclose(book - 0.9 * states[0], torchs, atol=1e-10)
    first = order(0, 0, 40)[:7]
    # what is recorded belongs to the parameters, not to where the rule looked
    assert out[0, 0] == pytest.approx(mlp.loss(params, x[first], y[first]), rel=1e-12)
    again = params.copy()
    states = mlp.states("nesterov")
    mlp.train(again, states, x, y, Rule.of("nesterov", convention="book"), 1, np.full(3, 0.05), 7)
    fourth = order(0, 0, 40)[21:28]
    assert out[3, 0] == pytest.approx(mlp.loss(again, x[fourth], y[fourth]), rel=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("batch", [0, 1, 7])
def test_a_run_may_be_cut_anywhere(twin: SimpleNamespace, batch: int, dtype: str) -> None:
    d = Description(3, (5, 18), 4, ("tanh", "prelu"), loss="cross_entropy", dropout=(0.3, 0.5))
    params, x, y = twin.problem(d, 23)
    mlp, rule, rates = Mlp(d, dtype), Rule.of("adam", l2=0.01), np.linspace(0.05, 0.01, 60)
    whole, states = params.astype(dtype), mlp.states("adam")
    _, _, out = mlp.train(whole, states, x, y, rule, 1, rates, batch, 9)
    pieces, kept, rows = params.astype(dtype), mlp.states("adam"), []
    for begin, end in ((0, 1), (1, 2), (2, 19), (19, 60)):
        rows.append(mlp.train(pieces, kept, x, y, rule, begin + 1, rates[begin:end], batch, 9)[2])
    np.testing.assert_array_equal(pieces, whole)
    np.testing.assert_array_equal(kept, states)
    np.testing.assert_array_equal(np.concatenate(rows), out)
    other = params.astype(dtype)
    mlp.train(other, mlp.states("adam"), x, y, rule, 1, rates, batch, 10)
    assert not np.array_equal(other, whole)


def test_dropout_is_inverted_and_its_gradient_right(twin: SimpleNamespace) -> None:
    """One step against torch with the very mask the kernel drew; the mask's share and independence."""
    d = Description(3, (40,), 2, ("prelu",), dropout=(0.3,))
    params, x, y = twin.problem(d, 25)
    mask = np.empty(40 * 32)
    drop(7, 5, 0, 0.3, mask, 0, 40, 32, 0, 25, 1)
    kept = torch.tensor(mask.reshape(40, 32)[:, :25].T.copy())
    assert set(np.unique(kept)) == {0.0, 1 / 0.7}
    network = twin.module(d)
    twin.fill(network, params)
    loss = twin.torch_loss(d, network[2](network[1](network[0](torch.tensor(x))) * kept), y)
    loss.backward()
    grad = torch.nn.utils.parameters_to_vector([p.grad for p in network.parameters()]).numpy()
    mlp, ours = Mlp(d), params.copy()
    _, _, out = mlp.train(ours, mlp.states("sgd"), x, y, Rule(), 5, [1.0], 0, 7)
    assert out[0, 0] == pytest.approx(loss.item(), rel=1e-12)
    np.testing.assert_allclose(params - ours, grad, atol=1e-12)


def test_dropout_masks_are_even_and_independent() -> None:
    masks = np.empty((60, 64 * 64))
    for step in range(20):
        for layer in range(3):
            drop(1, step + 1, layer, 0.25, masks[step * 3 + layer], 0, 64, 64, 0, 64, 1)
    dropped = masks == 0.0
    assert abs(dropped.mean() - 0.25) < 4 * np.sqrt(0.25 * 0.75 / dropped.size)
    correlation = np.corrcoef(dropped)
    assert np.abs(correlation - np.eye(60)).max() < 5.5 / 64
    units = dropped.reshape(60, 64, 64)
    for axis in (1, 2):  # neighbouring units and samples
        one, two = np.take(units, range(63), axis).ravel(), np.take(units, range(1, 64), axis).ravel()
        assert abs(np.corrcoef(one, two)[0, 1]) < 5 / np.sqrt(one.size)


def test_orders_are_permutations_each_equally_likely() -> None:
    assert sorted(order(3, 0, 100)) == list(range(100))
    assert not np.array_equal(order(3, 0, 100), order(3, 1, 100))
    assert not np.array_equal(order(3, 0, 100), order(4, 0, 100))
    np.testing.assert_array_equal(order(3, 5, 100), order(3, 5, 100))
    seen = np.zeros((6, 6))
    for epoch in range(6000):
        seen[order(0, epoch, 6), range(6)] += 1
    assert ((seen - 1000) ** 2 / 1000).sum() < 60  # chi-squared with 25 degrees of freedom: 1e-4


def test_the_chapters_lab() -> None:
    d = Description(2, (3,), 1, ("sigmoid",), loss="bce")
    random = np.random.RandomState(42)
    x = random.randn(100, 2)
    y = ((x[:, 0] > 0) != (x[:, 1] > 0)).astype(float)
    random = np.random.RandomState(42)
    first, second = 0.1 * random.randn(2, 3), 0.1 * random.randn(3, 1)
    params = np.concatenate([first.T.ravel(), np.zeros(3), second.ravel(), np.zeros(1)])
    mlp = Mlp(d)
    _, code, out = mlp.train(params, mlp.states("sgd"), x, y, Rule(), 1, np.full(5000, 0.5))
    assert code == RUNNING
    # the chapter adds 1e-8 inside its logarithms
    np.testing.assert_allclose(
        out[[0, 1000, 2000, 3000, 4000, 4999], 0],
        [0.692645, 0.635353, 0.498618, 0.450670, 0.430302, 0.419708],
        atol=2e-6,
    )
    assert mlp.loss(params, x, y) == pytest.approx(0.419699, abs=2e-6)
    assert mlp.accuracy(params, x, y) == pytest.approx(0.83)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_that_is_not_finite_stops(twin: SimpleNamespace, dtype: str) -> None:
    d = Description(2, (8,), 1, ("relu",))
    params, x, y = twin.problem(d, 20)
    mlp, ours = Mlp(d, dtype), params.astype(dtype)
    done, code, out = mlp.train(ours, mlp.states("sgd"), x, y, Rule(), 1, np.full(1000, 100.0), 5)
    assert code == NOT_FINITE and done < 1000 and len(out) == done
    assert np.isfinite(out[:-1, 0]).all()
    assert not (np.isfinite(out[-1]).all() and np.isfinite(ours).all())
    again = params.astype(dtype)
    assert mlp.train(again, mlp.states("sgd"), x, y, Rule(), 1, np.full(done, 100.0), 5)[:2] == (done, code)


def test_memory_does_not_grow_with_the_batch(twin: SimpleNamespace) -> None:
    """Full batches are worked off in pieces, which add up to the same gradient."""
    d = Description(3, (40,), 1, ("tanh",), loss="bce")
    params, x, y = twin.problem(d, 1000)
    mlp, ours = Mlp(d), params.copy()
    _, grad = mlp.loss_gradient(params, x, y)
    mlp.train(ours, mlp.states("sgd"), x, y, Rule(), 1, [1.0])
    np.testing.assert_allclose(params - ours, grad, atol=1e-13)
    halves = [mlp.loss_gradient(params, x[part], y[part])[1] for part in (slice(0, 500), slice(500, 1000))]
    np.testing.assert_allclose(grad, np.mean(halves, axis=0), atol=1e-13)


def test_states_of_another_shape_are_refused(twin: SimpleNamespace) -> None:
    d = Description(2, (3,), 1, ("tanh",))
    params, x, y = twin.problem(d, 9)
    mlp = Mlp(d)
    with pytest.raises(ValueError, match="states"):
        mlp.train(params, np.zeros((2, 13)), x, y, Rule(), 1, [0.1])
    with pytest.raises(ValueError, match="swarm"):
        Rule.of("swarm")
