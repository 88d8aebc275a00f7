"""Data, network and first weights of a race, as text of its PyTorch scripts."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

from engine import randomness
from engine.experiments._shared.trained.script import data_part
from engine.experiments.landscapes._race.problem import INPUTS
from engine.experiments.landscapes._race.settings import CHAPTER_NOISE
from engine.networks import initializations, plan
from engine.networks.activations import activation
from engine.torch_code import section, sources
from engine.torch_code.networks import LOAD_FLAT, module_source

_FIRST = '''\
def first_weights(seed):
    """The weights before the first step, in the order of model.parameters()."""
    parts = []
    for layer, (fan_out, fan_in, slope) in enumerate(SHAPES):
        random = generator(seed, "initial weights", layer)
        parts.append(weights("{init}", fan_in, fan_out, random).ravel())
        bound = 1.0 / math.sqrt(fan_in)
        parts.append({bias})
        parts.append(np.array(slope, float))
    return np.concatenate(parts)
'''

_NOISE = """\
random = generator({seed}, "race noise")
X, Y = random.standard_normal(({n}, {inputs})), random.standard_normal(({n}, 1))
X, Y = (torch.tensor(part[:{samples}], dtype=torch.get_default_dtype()) for part in (X, Y))
"""


def problem_parts(model: Any, spec: Any) -> tuple[str, str]:
    """The network with its first weights by seed, and the training samples X, Y."""
    d = model.description
    bent = [*d.activations, d.output]
    shapes = [(out, fan_in, [plan.slope(d, i)] if activation(bent[i]).learns else [])
              for i, (fan_in, out) in enumerate(pairwise(d.sizes))]  # fmt: skip
    bias = "random.uniform(-bound, bound, fan_out)" if spec.initialization == "torch" else "np.zeros(fan_out)"
    first = _FIRST.format(init=spec.initialization, bias=bias)
    if spec.initialization != "torch":
        first = first.replace("        bound = 1.0 / math.sqrt(fan_in)\n", "")
    drawn = sources({"generator": randomness.generator, "weights": initializations.weights}, "engine")
    network = "\n".join([section("The network"), "", module_source(d), "", LOAD_FLAT, "", drawn, "",
                         f"SHAPES = {shapes}  # of every layer: outputs, inputs, first slope of its activation", "", "",
                         first])  # fmt: skip
    if spec.data != CHAPTER_NOISE:
        return network, data_part(replace(model, parts=model.parts[:1]), ())
    n = spec.samples + spec.test_samples
    return network, section("The data") + "\n" + _NOISE.format(seed=spec.seed, n=n, inputs=INPUTS, samples=spec.samples)
