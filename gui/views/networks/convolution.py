"""The plots of `networks.convolution`: those of the study stand in front, pictures are clicked, and a digit is drawn
and answered at once."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from engine.experiment import Experiment
from engine.session.branches import SessionView
from engine.spec import Spec
from gui.plots.drawing import SketchPlot
from gui.plots.images import ImagesPlot
from gui.pump import Probes
from gui.runs import Pinned
from gui.theme import Theme
from gui.views.view import View

ORDERS = {
    "by_hand": ("input", "output", "products", "gallery", "sketch", "value"),
    "training": ("maps", "sketch", "test_accuracy", "filters", "wrong", "confusion", "test_loss"),
}
PACES = {"by_hand": 6.0, "training": 120.0}  # steps a second
PEN = 0.04  # seconds between two answers while the pen moves
FOLLOWS = ("sketch", "maps", "wrong")  # what is another once another picture is looked at


class ConvolutionView(View):
    """The declared plots. Another study brings its own ones to the front; what the reader put there stays till then."""

    def __init__(self, experiment: Experiment, theme: Theme) -> None:
        self._study = "by_hand"
        self._spec: Any = None
        self._in_hand: tuple[int, ...] = ()
        self._asked_at = 0.0
        super().__init__(experiment, theme)
        sketch, gallery, wrong = (self.pictures[name] for name in ("sketch", "gallery", "wrong"))
        assert isinstance(sketch, SketchPlot) and isinstance(gallery, ImagesPlot) and isinstance(wrong, ImagesPlot)
        self.sketch, self.gallery, self.wrong = sketch, gallery, wrong
        for plot in (self.curves["test_accuracy"], self.curves["test_loss"], self.curves["batch_loss"],
                     self.curves["gradient_norm"]):  # fmt: skip
            plot.empty = "Nothing is trained in this study"
        self.curves["value"].empty = "Comes position by position, by hand"
        sketch.changed.connect(self._pen_moved)
        sketch.drawn.connect(self._drawn)
        gallery.picked.connect(self._kernel_picked)
        wrong.picked.connect(self._digit_picked)

    # -- what the page asks --------------------------------------------------------------------------------------------

    def set_spec(self, spec: Spec) -> None:
        """A new run, perhaps of another study."""
        super().set_spec(spec)
        self._spec = spec
        if self._spec.study != self._study:
            self._study = self._spec.study
            self.paced.emit(PACES[self._study])
            widgets: dict[str, QWidget] = {**self.pictures, **self.curves}
            for place, name in enumerate(ORDERS[self._study]):
                there = self.panel.plots[place]
                if there is not widgets[name]:
                    self.panel.exchange(there, widgets[name])

    def asks(self, name: str) -> Mapping[str, Any]:
        """While the pen moves, what it has drawn so far goes before the settings."""
        return {"drawing": self._in_hand} if self._in_hand and name in ("sketch", "maps") else {}

    def wanted(self) -> Probes:
        """The pictures, and the coming position or the formulas in force."""
        return {**super().wanted(), "inside": ("inside", {})}

    def show_run(self, view: SessionView, probes: Mapping[str, Any], pinned: Sequence[Pinned]) -> None:
        """Draw what was measured so far."""
        self._spec = view.live
        super().show_run(view, probes, pinned)

    # -- hands ---------------------------------------------------------------------------------------------------------

    def _edit(self, **values: Any) -> None:
        """Change what is not so already, all at once."""
        new = {key: value for key, value in values.items() if getattr(self._spec, key, value) != value}
        if new:
            self._look_again()
            self.together.emit(new)

    def _look_again(self, names: Sequence[str] = FOLLOWS) -> None:
        for name in names:
            self._due.pop(name, None)

    @Slot(object)
    def _pen_moved(self, values: tuple[int, ...]) -> None:
        if self._study != "training":
            return
        self._in_hand = values
        now = time.monotonic()
        if now - self._asked_at >= PEN:
            self._asked_at = now
            self._look_again(("sketch", "maps"))
            self.asked.emit()

    @Slot(object)
    def _drawn(self, values: tuple[int, ...]) -> None:
        """The pen was lifted: the drawing becomes a setting."""
        self._in_hand = ()
        self._edit(picture="drawn", drawing=values)

    @Slot(int)
    def _kernel_picked(self, index: int) -> None:
        picture = self.gallery.picture
        kernel = next((name for name, title in _titles(self.experiment).items()
                       if picture is not None and index < len(picture.captions) and picture.captions[index] == title),
                      None)  # fmt: skip
        if kernel is not None and self._study == "by_hand":
            self._edit(operation="convolution", kernel=kernel)

    @Slot(int)
    def _digit_picked(self, index: int) -> None:
        places = getattr(self.wrong.picture, "places", ())
        if index < len(places):
            self._edit(digit=places[index], picture="digit")


def _titles(experiment: Experiment) -> Mapping[str, str]:
    """The kernels' titles by name, as the settings declare them."""
    from engine.spec import declarations

    return next(dict(d.labels or {}) for d in declarations(experiment.Spec) if d.key == "kernel")


def view(experiment: Experiment, theme: Theme) -> View:
    """The view of this experiment."""
    return ConvolutionView(experiment, theme)
