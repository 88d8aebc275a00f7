"""Pictures of a run that no window shows: the command line's figures, and the frames of a GIF."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from engine.atomic import FileError, reason
from engine.experiment import Drawn, Experiment
from engine.session.branches import SessionView
from engine.session.history import HistoryView
from engine.session.session import Session
from gui.plots.export import export_picture
from gui.plots.hiding import Hiding
from gui.theme import PRINT, Theme, load_fonts
from gui.views import view_for
from gui.views.view import View

SIZE = QSize(1200, 800)


def application() -> QApplication:
    """The application; one without a screen where none runs yet."""
    app = QApplication.instance()
    if app is None:
        if not sys.platform.startswith(("win", "darwin")) and not os.environ.get("DISPLAY"):
            os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
        app = QApplication(["descent-lab"])
    assert isinstance(app, QApplication)
    load_fonts()
    return app


def still(
    experiment: Experiment, view: SessionView, probes: Mapping[str, Any], theme: Theme, size: QSize = SIZE
) -> View:
    """The view of a run as it stands, never shown on a screen. `probes`: answers to what the view wants."""
    picture = view_for(experiment, theme)
    picture.resize(size)
    picture.set_spec(view.spec)
    picture.show_run(view, probes, ())
    return picture


def draw(session: Session, path: Path, drawn: Drawn | None = None) -> None:
    """`path`.png and `path`.svg of a run, with a chapter figure laid over it where one is given."""
    application()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"{path.parent}: cannot be made ({reason(error)})") from None
    view = session.view()
    picture = view_for(session.experiment, PRINT)
    picture.resize(SIZE)
    picture.set_spec(view.spec)
    probes = {name: session.probe(probe, **asked) for name, (probe, asked) in picture.wanted().items()}
    picture.show_run(view, probes, ())
    picture.show_drawn(drawn)
    export_picture(picture.panel, path.with_name(path.name + ".png"), scale=2.0, theme=PRINT)
    export_picture(picture.panel, path.with_name(path.name + ".svg"), theme=PRINT)


def until(view: SessionView, step: int) -> SessionView:
    """The run as it was at a step: nothing later is in it. (Its row is not filled in.)"""

    def cut(history: HistoryView) -> HistoryView:
        n = int(np.searchsorted(history.steps, step, side="right"))
        values = {name: rows[:n] for name, rows in history.values.items()}
        if history.block_steps is None or history.low is None or history.high is None:
            return replace(history, steps=history.steps[:n], values=values)
        m = int(np.searchsorted(history.block_steps, step, side="right"))
        low = {name: rows[:m] for name, rows in history.low.items()}
        high = {name: rows[:m] for name, rows in history.high.items()}
        return replace(
            history, steps=history.steps[:n], values=values, block_steps=history.block_steps[:m], low=low, high=high
        )

    branches = tuple(replace(branch, history=cut(branch.history)) for branch in view.branches)
    return replace(view, step=step, branches=branches)


def frames(
    experiment: Experiment,
    view: SessionView,
    steps: Sequence[int],
    probes: Mapping[str, Any],
    theme: Theme,
    size: QSize,
    plot: str = "",
    hiding: Hiding | None = None,
) -> Iterator[QImage]:
    """One picture for each step, of the whole panel or of one plot, without what is hidden."""  # fmt: skip
    picture = still(experiment, until(view, steps[0]), probes, theme, size)
    if hiding is not None:
        picture.panel.hiding.take(hiding)
    for step in steps:
        picture.show_run(until(view, step), {}, ())
        target = picture.plot(plot) if plot else picture.panel
        yield target.grab().toImage()
