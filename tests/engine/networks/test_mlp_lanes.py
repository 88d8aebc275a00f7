"""Networks trained sixteen at a time against the same networks trained alone."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from engine.networks.description import Description
from engine.networks.initializations import initialize
from engine.networks.mlp import Mlp, Rule
from engine.networks.mlp_lanes import train_lanes

NETS = {
    "classes": Description(3, (5, 18), 4, ("tanh", "gelu"), loss="cross_entropy"),
    "slope": Description(3, (6,), 1, ("prelu",), loss="bce", dropout=(0.4,)),
    "regression": Description(3, (7, 3), 2, ("mish", "elu"), output="sigmoid", half_mse=True),
    "linear": Description(3, (), 1, (), bias=False),
    "wide": Description(3, (40,), 4, ("relu",), loss="cross_entropy", dropout=(0.2,)),
}


def start(mlp: Mlp, lanes: int, rules: list[Rule]) -> tuple[np.ndarray, np.ndarray]:
    params = np.stack([initialize(mlp.description, "xavier_normal", lane, mlp.dtype) for lane in range(lanes)])
    return params, np.stack([mlp.states(rule.name) for rule in rules])


@pytest.mark.parametrize("batch", [0, 7])
@pytest.mark.parametrize("net", NETS)
def test_lanes_equal_one_network_alone(twin: SimpleNamespace, net: str, batch: int) -> None:
    """Own rule, rate, penalty, clipping and seed for each; three more networks than fit one group."""
    d = NETS[net]
    _, x, y = twin.problem(d, 40)
    mlp, lanes = Mlp(d), 19
    kinds = [
        Rule.of("sgd", l1=0.01),
        Rule.of("nesterov", convention="book", l2=0.01),
        Rule.of("adam", {"beta1": 0.8}, clip=0.2),
        Rule.of("nesterov", convention="book", clip=0.3),
    ]
    rules = [kinds[lane % 4] for lane in range(lanes)]
    params, states = start(mlp, lanes, rules)
    rates = np.linspace(0.01, 0.05, lanes) * np.linspace(1.0, 0.5, 30)[:, None]
    seeds = [3 + lane // 2 for lane in range(lanes)]
    together, kept = params.copy(), states.copy()
    ended, rows = train_lanes(mlp, together, kept, x, y, rules, 1, rates, batch, seeds)
    assert not ended.any() and np.isfinite(rows).all()
    for lane in range(lanes):
        p, s = params[lane].copy(), states[lane].copy()
        _, _, out = mlp.train(p, s, x, y, rules[lane], 1, rates[:, lane], batch, seeds[lane])
        assert np.abs(p - params[lane]).max() > 1e-3
        np.testing.assert_allclose(together[lane], p, rtol=1e-11, atol=1e-12)
        np.testing.assert_allclose(kept[lane], s, rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(rows[:, lane], out, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("net", ["slope", "classes"])
def test_company_order_and_cuts_change_no_bit(twin: SimpleNamespace, net: str, dtype: str) -> None:
    d = NETS[net]
    _, x, y = twin.problem(d, 40)
    mlp, lanes, rule = Mlp(d, dtype), 20, Rule.of("adam", l2=0.001)
    params, states = start(mlp, lanes, [rule] * lanes)
    rates = np.linspace(0.01, 0.05, lanes) * np.ones((30, 1))
    whole, kept = params.copy(), states.copy()
    _, rows = train_lanes(mlp, whole, kept, x, y, rule, 1, rates, 7, range(lanes))
    for chosen in ([4], [17, 3, 4], list(range(lanes))[::-1]):
        p, s = params[chosen], states[chosen]
        parts = []
        for a, b in ((0, 1), (1, 13), (13, 30)):
            seeds = [int(lane) for lane in chosen]
            parts.append(train_lanes(mlp, p, s, x, y, rule, a + 1, rates[a:b, chosen], 7, seeds)[1])
        np.testing.assert_array_equal(p, whole[chosen])
        np.testing.assert_array_equal(s, kept[chosen])
        np.testing.assert_array_equal(np.concatenate(parts), rows[:, chosen])


def test_one_seed_or_many_alike_is_the_same(twin: SimpleNamespace) -> None:
    d = NETS["classes"]
    _, x, y = twin.problem(d, 40)
    mlp, rule = Mlp(d), Rule()
    params, states = start(mlp, 3, [rule] * 3)
    one, two = params.copy(), params.copy()
    train_lanes(mlp, one, states.copy(), x, y, rule, 1, np.full(20, 0.1), 7, 5)
    train_lanes(mlp, two, states.copy(), x, y, rule, 1, np.full(20, 0.1), 7, [5, 5, 6])
    np.testing.assert_array_equal(one[:2], two[:2])
    assert not np.array_equal(one[2], two[2])


@pytest.mark.parametrize("net", ["plain", "wide"])
def test_networks_that_are_not_finite_stop_alone(twin: SimpleNamespace, net: str) -> None:
    d = Description(3, (8 if net == "plain" else 40,), 1, ("relu",))
    _, x, y = twin.problem(d, 20)
    mlp, lanes = Mlp(d), 18
    params, states = start(mlp, lanes, [Rule()] * lanes)
    rates = np.where(np.arange(lanes) % 3 == 1, 1000.0, 0.01) * np.ones((400, 1))
    together = params.copy()
    ended, rows = train_lanes(mlp, together, states.copy(), x, y, Rule(), 1, rates, 5, range(lanes))
    np.testing.assert_array_equal(ended > 0, np.arange(lanes) % 3 == 1)
    for lane in range(lanes):
        p = params[lane].copy()
        done, code, out = mlp.train(p, states[lane].copy(), x, y, Rule(), 1, rates[:, lane], 5, lane)
        assert (ended[lane] == done) if code else (ended[lane] == 0)
        assert np.isnan(rows[done:, lane]).all()
        np.testing.assert_allclose(rows[: done - 1, lane, 0], out[:-1, 0], rtol=1e-6)
    pieces, first = params.copy(), None
    for a, b in ((0, 4), (4, 400)):
        first, _ = train_lanes(mlp, pieces, states.copy(), x, y, Rule(), a + 1, rates[a:b], 5, range(lanes), first)
    np.testing.assert_array_equal(first, ended)
    np.testing.assert_array_equal(pieces, together)


def test_wrong_shapes_say_so() -> None:
    d = Description(2, (3,), 1, ("tanh",))
    mlp = Mlp(d)
    x, y = np.zeros((4, 2)), np.zeros((4, 1))
    with pytest.raises(ValueError, match="parameters"):
        train_lanes(mlp, np.zeros((2, 12)), np.zeros((2, 3, 13)), x, y, Rule(), 1, [0.1])
    with pytest.raises(ValueError, match="states"):
        train_lanes(mlp, np.zeros((2, 13)), np.zeros((2, 13)), x, y, Rule(), 1, [0.1])
    with pytest.raises(ValueError, match="3 rules for 2"):
        train_lanes(mlp, np.zeros((2, 13)), np.zeros((2, 3, 13)), x, y, [Rule()] * 3, 1, [0.1])
