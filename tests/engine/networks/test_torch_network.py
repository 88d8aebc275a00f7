"""The torch networks: against torch's own modules, against the compiled network, and as part of a replayed run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from engine.networks import chance, masks
from engine.networks.activations import ACTIVATIONS
from engine.networks.conv_description import Conv, ConvDescription, Flatten, GlobalPool, Linear, Pool
from engine.networks.description import Description
from engine.networks.initializations import INITIALIZATIONS, initialize
from engine.networks.mlp import NOT_FINITE, RUNNING, Mlp, Rule
from engine.networks.torch_network import TorchNetwork
from engine.optimizers import RULES
from engine.torch_code.networks import LOAD_FLAT, dropped_layers, module_source

NAN = float("nan")
PLAIN = Description(3, (5, 4), 2, ("tanh", "relu"))
NETWORKS: dict[str, Description | ConvDescription] = {
    **{f"dense {name}": Description(3, (5, 4), 2, (name, name)) for name in ACTIVATIONS},
    "slopes": Description(3, (5, 4, 3), 2, ("leaky_relu", "elu", "prelu"), slopes=(0.3, 0.7, 0.1)),
    "output": replace(PLAIN, output="sigmoid", half_mse=True),
    "output prelu": replace(PLAIN, output="prelu"),
    "no hidden layer": Description(3, (), 1, (), "bce"),
    "no bias": replace(PLAIN, bias=False),
    "bce": Description(3, (6,), 1, ("gelu",), "bce"),
    "cross entropy": Description(3, (6,), 4, ("silu",), "cross_entropy"),
    "dropout": replace(PLAIN, dropout=(0.3, 0.0)),
    "batch": Description(3, (5, 4), 4, ("relu", "prelu"), "cross_entropy", normalization="batch"),
    "layer": Description(3, (5, 4), 2, ("elu", "mish"), normalization="layer", bias=False),
    "residual": Description(5, (5, 5, 3), 2, ("tanh",) * 3, residual=True),
    "all at once": Description(
        4, (4, 4, 6), 3, ("prelu", "tanh", "relu"), "cross_entropy", normalization="batch", residual=True,
        dropout=(0.2, 0.0, 0.5),
    ),
    "cnn": ConvDescription(
        (1, 8, 8),
        (Conv(4, 3, padding=1), Pool(), Conv(6, 3, stride=2, padding=1, activation="tanh", bias=False),
         Pool("average", 2, 1), Flatten(), Linear(8, "silu", dropout=0.25), Linear(3)),
    ),
    "cnn of maps": ConvDescription(
        (2, 6, 7),
        (Conv(4, 3, padding=2, dilation=2, normalization="batch", activation="prelu"),
         Conv(4, 1, normalization="group", residual=True), Conv(4, normalization="layer", dropout=0.5),
         Conv(4, 2, normalization="instance", slope=0.2, activation="leaky_relu"), GlobalPool("max"), Linear(2)),
    ),
    "cnn regression": ConvDescription(
        (2, 6, 7), (Conv(4), GlobalPool(), Linear(3, "tanh"), Linear(2, "sigmoid")), "mse", half_mse=True
    ),
}  # fmt: skip


def data(d: Description | ConvDescription, n: int = 20) -> tuple[Any, Any]:
    random = np.random.default_rng(7)
    shape = (d.inputs,) if isinstance(d, Description) else d.input
    x = random.normal(size=(n, *shape))
    if d.loss == "cross_entropy":
        return x, random.integers(0, d.outputs, n).astype(float)
    if d.loss == "bce":
        return x, random.integers(0, 2, (n, 1)).astype(float)
    return x, random.normal(size=(n, d.outputs))


def start(network: TorchNetwork) -> tuple[Any, Any]:
    """Parameters of which none is 0 or 1, and running statistics of their own."""
    random = np.random.default_rng(3)
    params = network.initial("he_normal", 1) + 0.1 * random.normal(size=network.parameters)
    buffers = network.initial_buffers() + random.uniform(0.1, 0.5, network.buffer_count)
    return params.astype(network.dtype), buffers.astype(network.dtype)


def module(d: Description | ConvDescription, params: Any, buffers: Any) -> Any:
    """torch's own Module, made from the exported source."""
    names: dict[str, Any] = {"torch": torch}
    exec(module_source(d) + LOAD_FLAT, names)
    made = names["Network"]().double()
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            names["load_flat"](made, params, buffers)
    finally:
        torch.set_default_dtype(before)
    return made


def module_loss(d: Description | ConvDescription, out: Any, y: Any) -> Any:
    target = torch.from_numpy(y)
    if d.loss == "cross_entropy":
        return torch.nn.CrossEntropyLoss()(out, target.long())
    if d.loss == "bce":
        return torch.nn.BCEWithLogitsLoss()(out, target)
    return torch.nn.MSELoss()(out, target) * (0.5 if d.half_mse else 1.0)


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("train", [False, True])
def test_loss_gradient_and_answers_equal_the_exported_module(name: str, train: bool) -> None:
    d = NETWORKS[name]
    network = TorchNetwork(d)
    params, buffers = start(network)
    x, y = data(d)
    made = module(d, params, buffers).train(train)
    assert torch.nn.utils.parameters_to_vector(made.parameters()).tolist() == params.tolist()
    drawn = []
    for layer, rate in dropped_layers(d):
        shape = network.forward(params, buffers, x)[layer][1].shape
        mask = masks.dropout_mask(5, 9, layer, rate, len(x), int(np.prod(shape[1:])))
        drawn.append(torch.from_numpy(mask.reshape(shape)))
    out = made(torch.from_numpy(x), drawn) if train and drawn else made(torch.from_numpy(x))
    expected = module_loss(d, out, y)
    expected.backward()
    frozen = buffers.copy()
    loss, grad = network.loss_gradient(params, buffers, x, y, train=train, mask_key=(5, 9))
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    theirs = torch.cat([p.grad.reshape(-1) for p in made.parameters()]).numpy()
    np.testing.assert_allclose(grad, theirs, rtol=1e-10, atol=1e-12)
    assert buffers.tobytes() == frozen.tobytes()
    if not train:
        answer = network.forward(params, buffers, x)[-1][1]
        np.testing.assert_allclose(answer, out.detach().numpy(), rtol=1e-10, atol=1e-12)
        assert network.loss(params, buffers, x, y) == pytest.approx(loss, rel=1e-12)


@pytest.mark.parametrize("name", [name for name, d in NETWORKS.items() if isinstance(d, Description)])
def test_a_network_the_compiled_one_can_be_is_the_same(name: str) -> None:
    d = NETWORKS[name]
    assert isinstance(d, Description)
    if d.normalization != "none" or d.residual:
        with pytest.raises(ValueError, match="torch networks"):
            Mlp(d)
        return
    network, compiled = TorchNetwork(d), Mlp(d)
    params, buffers = start(network)
    x, y = data(d)
    loss, grad = network.loss_gradient(params, buffers, x, y)
    other, theirs = compiled.loss_gradient(params, x, y)
    assert loss == pytest.approx(other, rel=1e-10)
    np.testing.assert_allclose(grad, theirs, rtol=1e-10, atol=1e-10)
    for ours, its in zip(network.forward(params, buffers, x), compiled.forward(params, x), strict=True):
        np.testing.assert_allclose(ours[0], its[0], rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(ours[1], its[1], rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(network.predict(params, buffers, x), compiled.predict(params, x), rtol=1e-10)
    np.testing.assert_equal(network.accuracy(params, buffers, x, y), compiled.accuracy(params, x, y))


@pytest.mark.parametrize(
    ("d", "rule", "batch"),
    [
        (NETWORKS["dense tanh"], Rule.of("sgd"), 0),
        (NETWORKS["dropout"], Rule.of("adam", {"weight_decay": 0.1}), 6),
        (NETWORKS["cross entropy"], Rule.of("nesterov", convention="book", l1=1e-3, l2=1e-2, clip=0.5), 7),
        (NETWORKS["slopes"], Rule.of("amsgrad", convention="book", l2=0.1, penalize_biases=True, clip=0.05), 20),
    ],
)
def test_it_trains_as_the_compiled_network_does(d: Description, rule: Rule, batch: int) -> None:
    network, compiled = TorchNetwork(d), Mlp(d)
    params, buffers = start(network)
    x, y = data(d)
    rates = np.linspace(0.05, 0.02, 60)
    other = params.copy()
    states, others = network.states(rule.name), compiled.states(rule.name)
    done, code, rows = network.train(params, buffers, states, x, y, rule, 1, rates, batch, 11)
    its_done, its_code, its_rows = compiled.train(other, others, x, y, rule, 1, rates, batch, 11)
    assert (done, code) == (its_done, its_code) == (60, RUNNING)
    np.testing.assert_allclose(rows, its_rows, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(params, other, rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(states, others, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("name", ["all at once", "cnn of maps", "cnn"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_run_has_the_same_bits_however_it_is_cut(name: str, dtype: str) -> None:
    network = TorchNetwork(NETWORKS[name], dtype)
    x, y = data(NETWORKS[name])
    rule = Rule.of("nesterov", convention="book", l2=1e-3)
    ends = []
    for cuts in ([30], [1, 2, 3, 24], [13, 17]):
        params, buffers = start(network)
        states, first = network.states(rule.name), 1
        rows = []
        for n in cuts:
            # memory that begins elsewhere each time, as a restored snapshot's does
            room = np.empty(network.parameters + n, network.dtype)[n:]
            room[:] = params
            rows.append(network.train(room, buffers, states, x, y, rule, first, np.full(n, 0.05), 6, 2)[2])
            params, first = room, first + n
        ends.append((params.tobytes(), buffers.tobytes(), states.tobytes(), np.concatenate(rows).tobytes()))
    assert ends[0] == ends[1] == ends[2]


@pytest.mark.parametrize("convention", ["pytorch", "book"])
def test_running_statistics_are_those_of_torch(convention: Any) -> None:
    d = NETWORKS["all at once"]
    network = TorchNetwork(d)
    params, buffers = start(network)
    x, y = data(d)
    made = module(d, params, buffers).train()
    # without a rate nothing moves but the statistics, whichever way the gradient is asked for
    rule = Rule.of("nesterov", convention=convention)
    before = params.copy()
    network.train(params, buffers, network.states("nesterov"), x, y, rule, 1, np.zeros(4), 0, 3)
    for step in range(1, 5):
        drawn = [masks.dropout_mask(3, step, i, rate, 20, d.sizes[i + 1]) for i, rate in dropped_layers(d)]
        made(torch.from_numpy(x), [torch.from_numpy(mask) for mask in drawn])
    assert params.tobytes() == before.tobytes()
    kept = torch.cat([buffer for buffer in made.buffers() if buffer.is_floating_point()])
    np.testing.assert_allclose(buffers, kept.numpy(), rtol=1e-12)


def test_masks_and_orders_are_those_of_the_compiled_network() -> None:
    for seed, epoch, n in ((0, 0, 1), (0, 0, 10), (42, 3, 1797), (2**40, 7, 2)):
        assert masks.epoch_order(seed, epoch, n).tolist() == chance.order(seed, epoch, n).tolist()
    # a rate of 0 leaves the gradient's norm of the first step to the masks; so many samples are taken in pieces
    d = Description(3, (40, 40), 2, ("tanh", "relu"), dropout=(0.3, 0.5))
    network, compiled = TorchNetwork(d), Mlp(d)
    params, buffers = start(network)
    x, y = data(d, 700)
    ours, its = (
        run(params, *own, network.states("sgd"), x, y, Rule.of("sgd"), 8, np.zeros(2), 600, 4)[2]
        for run, own in ((network.train, [buffers]), (compiled.train, []))
    )
    np.testing.assert_allclose(ours, its, rtol=1e-10)
    many = masks.dropout_mask(1, 1, 0, 0.3, 400, 250)
    assert set(np.unique(many)) == {0.0, 1 / 0.7}
    assert abs((many == 0).mean() - 0.3) < 4 * np.sqrt(0.21 / many.size)


@pytest.mark.parametrize("initialization", INITIALIZATIONS)
def test_first_weights(initialization: str) -> None:
    d = NETWORKS["slopes"]
    assert isinstance(d, Description)
    ours = TorchNetwork(d).initial(initialization, 5, 0.5)
    assert ours.tolist() == initialize(d, initialization, 5, std=0.5).tolist()
    conv = ConvDescription((8, 6, 6), (Conv(32, 3), Flatten(), Linear(2)))
    weight = TorchNetwork(conv).initial(initialization, 1)[: 32 * 8 * 9]
    module = torch.nn.Conv2d(8, 32, 3)
    init = torch.nn.init
    theirs = {
        "normal": init.normal_, "xavier_uniform": init.xavier_uniform_, "xavier_normal": init.xavier_normal_,
        "he_uniform": lambda w: init.kaiming_uniform_(w, nonlinearity="relu"),
        "he_normal": lambda w: init.kaiming_normal_(w, nonlinearity="relu"), "orthogonal": init.orthogonal_,
        "lecun_normal": lambda w: init.kaiming_normal_(w, nonlinearity="linear"), "torch": lambda w: None,
    }  # fmt: skip
    theirs[initialization](module.weight)
    assert weight.std() == pytest.approx(module.weight.std().item(), rel=0.08)
    if "uniform" in initialization or initialization == "torch":
        assert np.abs(weight).max() == pytest.approx(module.weight.abs().max().item(), rel=0.02)


def test_normalizations_begin_as_in_torch() -> None:
    network = TorchNetwork(NETWORKS["batch"])
    first = network.views(network.initial("he_normal", 0))[0]
    assert [view.shape for view in first] == [(5, 3), (5,), (5,), (5,)]
    assert first[2].tolist() == [1] * 5 and first[1].tolist() == first[3].tolist() == [0] * 5
    assert network.initial_buffers().tolist() == [0] * 5 + [1] * 5 + [0] * 4 + [1] * 4


def test_a_run_that_overflows_ends_with_its_step() -> None:
    d = NETWORKS["dense relu"]
    network = TorchNetwork(d, "float32")
    params, buffers = start(network)
    x, y = data(d)
    out = np.full((50, 2), NAN)
    done, code, rows = network.train(
        params, buffers, network.states("sgd"), x, y, Rule.of("sgd"), 1, np.full(50, 1e4), out=out
    )
    assert code == NOT_FINITE and 1 < done < 50 and len(rows) == done
    assert np.isfinite(rows[:-1, 0]).all() and np.isnan(out[done:]).all()


@pytest.mark.parametrize("name", RULES)
def test_every_rule_moves_a_convolution(name: str) -> None:
    d = NETWORKS["cnn"]
    network = TorchNetwork(d)
    params, buffers = start(network)
    x, y = data(d)
    before = network.loss(params, buffers, x, y)
    rule = Rule.of(name)
    network.train(params, buffers, network.states(name), x, y, rule, 1, np.full(30, RULES[name].learning_rate), 0, 1)
    assert network.loss(params, buffers, x, y) < before


BAD = [
    (lambda: TorchNetwork(PLAIN, "int64"), "dtype int64"),
    (lambda: TorchNetwork(replace(PLAIN, activations=("tanh", "swoosh"))), "activation 'swoosh' is unknown"),
    (lambda: TorchNetwork(replace(PLAIN, dropout=(0.5, 1.0))), "dropout 1"),
    (lambda: TorchNetwork(PLAIN).initial("zeros", 0), "initialization 'zeros' is unknown"),
    (lambda: TorchNetwork(PLAIN).data(np.zeros((4, 2)), np.zeros((4, 2))), r"\[n, 3\] is wanted"),
    (lambda: TorchNetwork(PLAIN).data(np.zeros((4, 3)), np.zeros((3, 2))), r"\[4, 2\] is wanted"),
    (lambda: TorchNetwork(NETWORKS["cnn"]).data(np.zeros((4, 63)), np.zeros(4)), r"\[n, 1, 8, 8\] is wanted"),
    (lambda: TorchNetwork(NETWORKS["cnn"]).data(np.zeros((4, 64)), np.full(4, 3.0)), "classes 3 to 3"),
    (lambda: TorchNetwork(PLAIN).loss(np.zeros(3), np.zeros(0), *data(PLAIN)), "parameters of float64"),
    (lambda: TorchNetwork(NETWORKS["batch"]).check(21, 5), "21 in batches of 5 leave 1"),
    (lambda: TorchNetwork(NETWORKS["batch"]).check(1), "at least 2 samples"),
    (lambda: ConvDescription((1, 8, 8), (Conv(4), Flatten())), "last layer must be Linear"),
    (lambda: ConvDescription((1, 8, 8), (Conv(4), Linear(2))), r"layer 2 \(Linear\): .* put Flatten"),
    (lambda: ConvDescription((1, 4, 4), (Conv(4), Conv(4), Flatten(), Linear(2))), r"layer 2 \(Conv\): .* 4 x 2 x 2"),
    (lambda: ConvDescription((1, 4, 4), (Conv(3, residual=True), Flatten(), Linear(2))), "cannot add 1 x 4 x 4"),
    (lambda: ConvDescription((1, 4, 4), (Conv(3, normalization="group"), Flatten(), Linear(2))), "equal groups"),
    (lambda: ConvDescription((1, 4, 4), (Pool(padding=2), Flatten(), Linear(2))), "more than half"),
    (lambda: ConvDescription((1, 4, 4), (Conv(3, kernel=0), Flatten(), Linear(2))), "kernel 0 is not allowed"),
    (lambda: ConvDescription((0, 4, 4), (Flatten(), Linear(2))), "input of 0 x 4 x 4"),
    (lambda: ConvDescription((1, 4, 4), (Flatten(), Linear(2)), "bce"), "bce wants 1 output"),
    (lambda: ConvDescription((1, 4, 4), (Flatten(), Linear(2, "relu"))), "logits"),
]  # fmt: skip


@pytest.mark.parametrize(("do", "told"), BAD)
def test_what_cannot_be_is_told_in_one_line(do: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told) as caught:
        do()
    assert "\n" not in str(caught.value)


def test_a_batch_normalization_of_feature_maps_takes_a_single_picture() -> None:
    network = TorchNetwork(NETWORKS["cnn of maps"])
    params, buffers = start(network)
    x, y = data(NETWORKS["cnn of maps"], 1)
    assert np.isfinite(network.loss_gradient(params, buffers, x, y, train=True)[1]).all()
