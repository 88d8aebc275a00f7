"""The experiments, found by their place: `landscapes.descent` is landscapes/descent.py below this folder."""

from __future__ import annotations

import importlib
import pkgutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # the window asks for the ids before anything else is loaded
    from engine.experiment import Experiment

OPENING = "landscapes.descent"  # what a window shows that was never opened before
TABS = ("networks", "landscapes", "schedules", "regularization", "dynamics")  # in the chapter's order


def ids() -> tuple[str, ...]:
    """Every experiment's id, tab by tab in the chapter's order. Imports nothing."""
    here = Path(__file__).parent
    return tuple(
        f"{tab}.{module.name}"
        for tab in TABS
        for module in pkgutil.iter_modules([str(here / tab)])
        if not module.name.startswith("_")
    )


def load(id: str) -> Experiment:
    """The experiment of this id. Raises SpecError for an unknown one."""
    from engine.spec import unknown

    if id not in ids():
        raise unknown(id, ids(), "experiment", 2000)
    module = importlib.import_module(f"engine.experiments.{id}")
    found = [v for v in vars(module).values() if isinstance(v, type) and getattr(v, "id", None) == id]
    experiment: Experiment = found[0]()
    return experiment


def everything() -> tuple[Experiment, ...]:
    """Every experiment, tab by tab, in the order of the chapter's sections."""

    def place(experiment: Experiment) -> tuple[int, list[int], str]:
        tab = TABS.index(experiment.id.partition(".")[0])
        return tab, [int(part) for part in experiment.section.split(".")], experiment.id

    return tuple(sorted((load(id) for id in ids()), key=place))
