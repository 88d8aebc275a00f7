"""Ten thousand random actions over all experiments: no error, no Qt warning, no standstill, no growing memory.

DESCENT_SEED repeats a run, DESCENT_ACTIONS makes it shorter or longer, DESCENT_ONLY names experiments, DESCENT_SKIP
those to leave out.
"""

from __future__ import annotations

import random
from collections import deque
from pathlib import Path

import pytest
from numba.core import event
from pytestqt.qtbot import QtBot

from tests.soak.hands import NO_SCREEN, Hands, live, seed_in_hand
from tests.soak.sizes import chosen, stated
from tests.soak.watch import HANG, Heart, as_the_app, resident

FULL = 10_000
ACTIONS = stated("ACTIONS", FULL)
ANEW = 400  # actions after which the window is closed and opened again
WARM = min(1000, ACTIONS)  # actions before memory is looked at: what is used for the first time is loaded for good
GROWTH = 50.0  # MiB
TABLE = "height,weight,kind\n" + "\n".join(f"{i % 7},{i % 11},{'ab'[i % 2]}" for i in range(60))


def warm(hands: Hands) -> None:
    """A first round: every experiment runs a little, every kind of action and file is there."""
    for id in hands.ids:
        hands.window.show_experiment(id)
        live(300)
        hands.page.run.step(3)
        live(300)
    for number in range(-WARM, 0):
        done = hands.act(number)
        live(hands.pause())
        hands.fine(done)


class Built(event.Listener):
    """How many kernels Numba built, not found in its cache."""

    def __init__(self) -> None:
        self.count = 0
        event.register("numba:compile", self)

    def on_start(self, event: event.Event) -> None:
        """One more."""
        self.count += 1

    def on_end(self, event: event.Event) -> None:
        """It is there."""


@pytest.mark.timeout(7200)
@pytest.mark.qt_log_ignore(NO_SCREEN)
def test_ten_thousand_actions(
    qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = seed_in_hand(random.SystemRandom().randrange(10**6))
    (tmp_path / "table.csv").write_text(TABLE)
    heart, lately, most, built = Heart(), deque[str](maxlen=12), 0.0, Built()
    journal = (tmp_path / "actions.txt").open("w", buffering=1)  # what a hard crash leaves to read
    ids = chosen()
    with capsys.disabled(), as_the_app():
        print(f"\nrandom hands: DESCENT_SEED={seed} DESCENT_ACTIONS={ACTIONS}, {len(ids)} experiments", flush=True)
        print(f"actions are written to {journal.name}", flush=True)
        hands = Hands(tmp_path, monkeypatch, seed, ids)
        try:
            warm(hands)
            hands.close()
            before = resident()
            built.count = 0
            hands.window = hands.opened()
            heart.start()
            for number in range(ACTIONS):
                if number and number % ANEW == 0:
                    heart.rest()
                    most = max(most, resident())
                    hands.close()
                    between = resident()
                    hands.window = hands.opened()
                    heart.reset()
                    print(f"  {number} actions, {between - before:+.1f} MiB, open {most:.0f}", flush=True)
                heart.during = f"opening action {number}"
                lately.append(hands.act(number))
                journal.write(lately[-1] + "\n")
                heart.during = lately[-1]
                live(hands.pause())
                hands.fine(lately[-1])
            heart.stop()
            hands.close()
        except BaseException:
            heart.stop()
            if hasattr(hands, "window"):
                hands.close()
            print(f"seed {seed}, the last actions:", *lately, sep="\n  ", flush=True)
            print("longest standstills so far:", *heart.worst[:4], sep="\n", flush=True)
            raise
        journal.close()
        after = resident()
        print(f"memory: {before:.0f} MiB, after {ACTIONS} actions {after - before:+.1f} (bound {GROWTH:.0f})")
        if built.count:
            print(f"{built.count} kernels were built meanwhile, and their compiler keeps memory: run it again for that")
        print(f"with the window open at the most {most:.0f} MiB")
        print(f"longest standstills of {heart.count} ticks (bound {1000 * HANG:.0f} ms without foreign load):")
        print(*heart.worst[:8], sep="\n", flush=True)
    if ACTIONS < FULL:
        return  # the figures above are for reading: the bounds are those of the stated size, on a machine of its own
    assert after - before < GROWTH
    hung = [one for one in heart.worst if one.own > HANG]
    assert not hung, "\n".join(map(str, hung))
