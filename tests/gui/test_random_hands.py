"""Random hands on the window: whatever is pressed in whatever order, nothing breaks and nothing is left behind.

The short form; the long one is tests/soak/test_hands.py.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from engine.experiments import everything
from tests.soak.hands import NO_SCREEN, Hands, live, seed_in_hand

ACTIONS = 100


@pytest.mark.qt_log_ignore(NO_SCREEN)
@pytest.mark.parametrize(("seed", "everywhere"), [(1, False), (2, False), (3, False), (4, True)])
def test_random_hands(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, everywhere: bool
) -> None:
    """On the opening experiment, or everywhere."""
    ids = tuple(one.id for one in everything()) if everywhere else ()
    hands = Hands(tmp_path, monkeypatch, seed_in_hand(seed), ids)
    try:
        for number in range(ACTIONS):
            done = hands.act(number)
            live(hands.pause())
            hands.fine(f"seed {hands.seed}, action {done}")
    finally:
        hands.close()
