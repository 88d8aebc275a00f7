"""The declared plots of architectures, with a palette of blocks for the reader's own network and a way to train it."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QBoxLayout

from engine.experiment import Drawn, Experiment
from engine.spec import Spec
from gui.plots.architecture import ArchitecturePlot
from gui.pump import Probes
from gui.theme import Theme
from gui.views.networks._palette import Palette
from gui.views.view import View


class ArchitecturesView(View):
    """The palette stands above the plots while the network is the reader's own. A click on a layer goes to it."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._spec: Any = None
        self._doubtful = ""  # the setting that cannot be
        super().__init__(experiment, theme)
        drawing, inner = self.pictures["network"], self.pictures["inner"]
        assert isinstance(drawing, ArchitecturePlot) and isinstance(inner, ArchitecturePlot)
        self.drawing = drawing
        self.train = drawing.header.add_switch("train it", "Train this network")
        self.train.setCheckable(False)
        self.train.hide()
        self.train.clicked.connect(self._train)
        for plot in (drawing, inner):
            plot.layerPicked.connect(self._picked)
        self.palette_row = Palette(theme)
        self.palette_row.hide()
        self.palette_row.written.connect(self._written)
        layout = self.layout()
        assert isinstance(layout, QBoxLayout)
        layout.insertWidget(0, self.palette_row)

    def wanted(self) -> Probes:
        """The pictures, and the coming layer in equations."""
        return {**super().wanted(), "inside": ("inside", {})}

    def set_spec(self, spec: Spec) -> None:
        """A new network."""
        super().set_spec(spec)
        self._spec = spec
        own = self._spec.model == "custom"
        if own:
            self.palette_row.set_text(self._spec.layers)
        self.palette_row.setVisible(own)
        told = self.experiment.training(spec)  # type: ignore[attr-defined]
        self.train.setVisible(not isinstance(told, str))
        if not isinstance(told, str):
            self.train.setToolTip(f"Train a network with these layers, in {told[0]}")
        for curves in self.curves.values():
            curves.set_x_range(0, self.experiment.steps(spec))
        self.drawing.update_header()
        self._doubt()

    def _doubt(self) -> None:
        """Beneath its field, at once: which layer cannot be, and why."""
        if self._doubtful:
            self.doubted.emit(self._doubtful, "")
        self._doubtful, words = self.experiment.doubt(self._spec)  # type: ignore[attr-defined]
        if self._doubtful:
            self.doubted.emit(self._doubtful, words)

    def apply_theme(self, theme: Theme) -> None:
        """Take over colours and scale."""
        super().apply_theme(theme)
        self.palette_row.apply_theme(theme)

    def show_drawn(self, drawn: Drawn | None) -> None:
        """Lay the chapter's shapes over the memory they take, in a plot that is seen."""
        super().show_drawn(drawn)
        wanted = [self.curves[one.plot] for one in drawn.overlays] if drawn else []
        for curves in wanted:
            if not self.panel.shows(curves):
                self.panel.exchange(self.panel.seen[-1], curves)

    @Slot(int)
    def _picked(self, row: int) -> None:
        self.sought.emit(row + 1)

    @Slot()
    def _train(self) -> None:
        told = self.experiment.training(self._spec)  # type: ignore[attr-defined]
        if not isinstance(told, str):
            self.handed.emit(*told)

    @Slot(str)
    def _written(self, text: str) -> None:
        self.edited.emit("layers", text)


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return ArchitecturesView(experiment, theme)
