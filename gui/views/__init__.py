"""What an experiment looks like. A view file exists only where people click, drag or look at something special."""

from __future__ import annotations

import importlib
import importlib.util

from engine.experiment import Experiment
from gui.theme import Theme
from gui.views.view import View


def view_for(experiment: Experiment, theme: Theme) -> View:
    """The view of an experiment: gui/views/<tab>/<name>.py where it exists, else one made of its declared plots."""
    name = f"gui.views.{experiment.id}"
    tab = name.rpartition(".")[0]
    if importlib.util.find_spec(tab) is not None and importlib.util.find_spec(name) is not None:
        found = importlib.import_module(name).view(experiment, theme)
        assert isinstance(found, View)
        return found
    return View(experiment, theme)
