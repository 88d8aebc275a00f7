"""The playground on screen: the network is edited where it is drawn, and a unit that is picked fills the map."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PySide6.QtCore import Slot

from engine.experiment import Experiment
from engine.picture import Diagram
from engine.session.branches import SessionView
from engine.spec import Spec, declarations
from gui.plots.decision import DecisionMap
from gui.plots.diagram import DiagramPlot
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.view import View

FIRST_WIDTH = 4  # of a layer where there was none


class PlaygroundView(View):
    """The declared plots; the diagram asks for layers and units, and one input is shown as a fit."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._spec: Any = None
        self._unit: tuple[int, int] | None = None
        self._placed = False
        self._limits = next(d for d in declarations(experiment.Spec) if d.key == "hidden")
        super().__init__(experiment, theme)
        diagram = self.pictures["network"]
        assert isinstance(diagram, DiagramPlot)
        plane = self.pictures["boundary"]
        assert isinstance(plane, DecisionMap)
        self.diagram, self.plane = diagram, plane
        self.curves["train_accuracy"].empty = "A regression has no accuracy"
        diagram.unitsAsked.connect(self._units_asked)
        diagram.layersAsked.connect(self._layers_asked)
        diagram.nodePicked.connect(self._node_picked)
        diagram.more_layers.clicked.connect(self._first_layer)

    # -- what the page asks --------------------------------------------------------------------------------------------

    def asks(self, name: str) -> Mapping[str, Any]:
        """The map is asked for a unit where one was picked."""
        return {"unit": self._unit} if name == "boundary" and self._unit is not None else {}

    def wanted(self) -> Probes:
        """The pictures, and the formulas in force with what was done to the data."""
        return {**super().wanted(), "inside": ("inside", {})}

    def set_spec(self, spec: Spec) -> None:
        """Other settings: another network, perhaps over one input."""
        before, self._spec, self._placed = self._spec, spec, False
        if before is None or before.hidden != self._spec.hidden or before.data != self._spec.data:
            self._unit = None
        if before is None or before.data != self._spec.data:
            one = self._spec.data == "function"  # its fit stands in the place of the map
            self._place_large("fit" if one else "boundary", "boundary" if one else "fit")
        super().set_spec(spec)

    def _place_large(self, wanted: str, other: str) -> None:
        """Put one picture among the large plots in the place of another."""
        plots, large = self.pictures, self.panel.plots[: self.panel.large]
        if plots[other] in large and plots[wanted] not in large:
            self.panel.exchange(plots[other], plots[wanted])

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """Draw; axes are named as the inputs are, and without a hidden layer the diagram still offers one."""
        if "network" in probes:
            self._name_axes(probes["network"])
        if not self._placed:  # once for each run: afterwards the reader says what stands where
            self._placed = True
            sorts = bool(np.isfinite(view.branches[0].history.values["train_accuracy"][:1]).any())
            self._place("train_accuracy" if sorts else "activations", "activations" if sorts else "train_accuracy")
        super().show_run(view, probes, pinned)
        if self._spec is not None and not self._spec.hidden and not self.diagram.for_picture:
            self.diagram.more_layers.show()

    def _place(self, wanted: str, other: str) -> None:
        """Put one plot in the place of another where that one stands and it does not."""
        plots = {**self.curves, **self.pictures}
        if plots[other] in self.panel.seen and plots[wanted] not in self.panel.seen:
            self.panel.exchange(plots[other], plots[wanted])

    def _name_axes(self, network: Diagram) -> None:
        """The map's axes: two inputs by their names, one over its target, more as components."""
        names = [node.label for node in network.layers[0]]
        if len(names) + sum(network.more[:1]) > 2:
            names = ["component 1", "component 2"]
        elif len(names) == 1:
            names.append(network.layers[-1][0].label if len(network.layers[-1]) == 1 else "class")
        if names != [self.plane.x_label, self.plane.y_label]:
            self.plane.x_label, self.plane.y_label = names
            axis = self.plane.canvas.left_axis
            axis.name = names[1]
            axis.apply_theme(self.theme)

    # -- hands ---------------------------------------------------------------------------------------------------------

    def _edit(self, hidden: Sequence[int]) -> None:
        low, high = int(self._limits.low or 1), int(self._limits.high or 1)
        found = tuple(min(max(width, low), high) for width in hidden)
        if found != self._spec.hidden and len(found) <= self._limits.most:
            self.edited.emit("hidden", found)

    @Slot(int, int)
    def _units_asked(self, layer: int, delta: int) -> None:
        hidden = list(self._spec.hidden)
        if 1 <= layer <= len(hidden):
            hidden[layer - 1] += delta
            self._edit(hidden)

    @Slot(int, int)
    def _layers_asked(self, at: int, delta: int) -> None:
        hidden = list(self._spec.hidden)
        if delta < 0 and 1 <= at <= len(hidden):
            del hidden[at - 1]
        elif delta > 0 and 1 <= at <= len(hidden) + 1:
            hidden.insert(at - 1, hidden[max(at - 2, 0)] if hidden else FIRST_WIDTH)
        self._edit(hidden)

    @Slot()
    def _first_layer(self) -> None:
        if self._spec is not None and not self._spec.hidden:
            self._edit([FIRST_WIDTH])

    @Slot(int, int)
    def _node_picked(self, layer: int, unit: int) -> None:
        """Show this unit's answer on the map; once more, or an input or the only output: the network's."""
        picked = (layer, unit)
        outputs = layer == len(self._spec.hidden) + 1
        whole = layer == 0 or (outputs and len(self.diagram.picture.layers[-1]) == 1 if self.diagram.picture else True)
        self._unit = None if whole or picked == self._unit else picked
        self._due.pop("boundary", None)
        self.asked.emit()


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return PlaygroundView(experiment, theme)
