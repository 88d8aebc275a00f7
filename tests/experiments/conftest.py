"""What tests of experiments share."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest

from engine.experiments import load
from engine.session.presets import preset_spec
from engine.session.session import Session


@pytest.fixture(scope="module")
def finished(request: pytest.FixtureRequest) -> Callable[[str], Session]:
    """Gives a preset's finished run, made once for the file, whose ID names the experiment; tests only look at it."""

    @cache
    def whole(preset: str) -> Session:
        experiment = load(request.module.ID)
        session = Session(experiment, preset_spec(experiment, preset))
        session.advance(10**6)
        return session

    return whole
