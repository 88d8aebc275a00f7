"""These tests take their time."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def patience() -> Iterator[None]:
    """No stacks on the screen after a hundred seconds: being slow is no fault here."""
    faulthandler.cancel_dump_traceback_later()
    yield
