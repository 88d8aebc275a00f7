"""Which experiment can train a network that was drawn here."""

from __future__ import annotations

from typing import Any

from engine.architectures.graph import Network
from engine.architectures.layers import Activation, Linear
from engine.architectures.measuring import Measured
from engine.experiments.networks._architectures.settings import CUSTOM, ArchitecturesSpec
from engine.spec import SpecError, build, declarations

PLAYGROUND, CONVOLUTION = "networks.playground", "networks.convolution"
MOST_LAYERS, MOST_UNITS = 8, 256  # of the playground


def training(spec: ArchitecturesSpec, found: Measured) -> tuple[str, dict[str, Any]] | str:
    """The experiment's id and its settings, or a sentence why there is none."""
    if found.broken:
        return "A network whose shapes cannot be is not trained"
    dense = playground(found.network)
    if not isinstance(dense, str):
        return PLAYGROUND, dense
    if spec.model == CUSTOM and (settings := _convolution(spec.layers)):
        return CONVOLUTION, settings
    return dense


def playground(network: Network) -> dict[str, Any] | str:
    """The settings under which networks.playground trains a network of dense layers; a sentence where it cannot.

    Its data have inputs and outputs of their own, so the hidden layers are what is handed over.
    """
    parts = network.parts
    layers, bends = parts[0::2], parts[1::2]
    if len(parts) % 2 == 0 or not all(isinstance(part, Linear) for part in layers):
        return "The playground trains dense layers with one activation between two of them"
    if not all(isinstance(part, Activation) for part in bends):
        return "The playground trains dense layers with one activation between two of them"
    names = {part.name for part in bends if isinstance(part, Activation)}
    units = [part.features for part in layers if isinstance(part, Linear)][:-1]
    if len(names) > 1:
        return "The playground has one activation for all hidden layers here"
    if len(units) > MOST_LAYERS or max(units, default=1) > MOST_UNITS:
        return f"The playground has at most {MOST_LAYERS} hidden layers of at most {MOST_UNITS} units"
    settings: dict[str, Any] = {"hidden": tuple(units), **({"activation": names.pop()} if names else {})}
    return settings if _takes(PLAYGROUND, settings) else "The playground does not know this activation"


def _convolution(layers: str) -> dict[str, Any]:
    """The settings under which the experiment of convolutions trains this text; empty where it does not."""
    from engine.experiments import ids, load

    if CONVOLUTION not in ids():
        return {}
    settings = {"study": "training", "layers": layers}
    fields = {declared.key for declared in declarations(load(CONVOLUTION).Spec)}
    return settings if set(settings) <= fields and _takes(CONVOLUTION, settings) else {}


def _takes(id: str, settings: dict[str, Any]) -> bool:
    from engine.experiments import load

    experiment = load(id)
    try:
        experiment.check(build(experiment.Spec, settings))
    except SpecError:
        return False
    return True
