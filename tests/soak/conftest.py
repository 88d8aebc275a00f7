"""These tests take their time, and what they log would fill many screens."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Of a failure the last actions and the error are told, not what was logged for an hour."""
    config.option.showcapture = "no"


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """No stacks on the screen after a hundred seconds: being slow is no fault here."""
    faulthandler.cancel_dump_traceback_later()
    yield
