"""The network with its numbers, and the coming phase in equations beside it."""

from __future__ import annotations

from engine.experiment import Experiment
from engine.spec import Spec
from gui.pump import Probes
from gui.theme import Theme
from gui.views.view import View


class BackpropView(View):
    """The declared plots; the inside of the coming phase is always wanted."""

    def set_spec(self, spec: Spec) -> None:
        """New settings: another number of cycles."""
        super().set_spec(spec)
        self.curves["loss"].set_x_range(1, max(spec.cycles, 2))  # type: ignore[attr-defined]

    def wanted(self) -> Probes:
        """The pictures, and the phase that comes."""
        return {**super().wanted(), **({"inside": ("inside", {})} if self.chosen else {})}


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return BackpropView(experiment, theme)
