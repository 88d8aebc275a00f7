"""dynamics.double_descent on screen: every plot says what grows."""

from __future__ import annotations

from typing import Any

from engine.experiments import load
from engine.experiments.dynamics._double_descent.settings import FAMILIES
from engine.session.session import Session
from engine.spec import build
from gui.theme import DARK, PRINT
from gui.views import view_for

EXPERIMENT: Any = load("dynamics.double_descent")
QUICK: dict[str, dict[str, Any]] = {
    "isotropic": {"samples": 20, "seeds": 2, "widths": (5, 30)},
    "random_features": {"samples": 20, "seeds": 2, "widths": (5, 30)},
    "width": {"samples": 20, "seeds": 2, "units": (1, 3), "epochs": 4},
    "epochs": {"samples": 20, "seeds": 2, "hidden": 3, "epochs": 20, "every": 10},
}
WORDS = {
    "isotropic": "columns p", "random_features": "random features p", "width": "hidden units", "epochs": "epochs",
}  # fmt: skip


def test_every_axis_names_what_grows(qtbot: Any) -> None:
    """One view through all families, there and back, as on a page."""
    view: Any = view_for(EXPERIMENT, DARK)
    view.resize(900, 700)
    qtbot.addWidget(view)
    for family in (*FAMILIES, "isotropic"):
        session = Session(EXPERIMENT, build(EXPERIMENT.Spec, {"family": family, "fits": ("ridge",), **QUICK[family]}))
        session.advance(10**6)
        view.set_spec(session.spec)
        answers = {name: session.probe(probe, **dict(asked)) for name, (probe, asked) in view.wanted().items()}
        view.show_run(session.view(), answers, ())
        view.grab()
        plots = view.plots()
        assert {plot.canvas.bottom.name for plot in plots.values()} == {WORDS[family]}, plots
        assert plots["Test error"].readout(5.0)[0].startswith(WORDS[family])
        twin = plots["Training error"].clone(PRINT)
        qtbot.addWidget(twin)
        assert twin.canvas.bottom.name == WORDS[family]
    view.rest()
