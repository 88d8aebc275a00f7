"""Double descent: the axes say what grows."""

from __future__ import annotations

from typing import Any

from engine.experiment import Experiment
from engine.spec import Spec
from gui.theme import Theme
from gui.views.view import View


class DoubleDescentView(View):
    """As declared; the abscissa of every plot is named by what the settings make grow."""

    def set_spec(self, spec: Spec) -> None:
        """New settings: other sizes, maybe."""
        super().set_spec(spec)
        words = self.experiment.grows(spec)  # type: ignore[attr-defined]
        plots: list[Any] = [*self.curves.values(), *self.pictures.values()]
        for plot in plots:
            if plot.x_label != words:
                plot.x_label = plot.canvas.bottom.name = words
                plot.canvas.bottom.update()


def view(experiment: Experiment, theme: Theme) -> DoubleDescentView:
    """The view of this experiment."""
    return DoubleDescentView(experiment, theme)
