"""What a race is looked at with: the tuning, the losses over computing time, the table of results."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.experiments._shared.trained.model import Array
from engine.experiments.landscapes._race import tuning
from engine.experiments.landscapes._race.settings import TITLES, by_hand, tried, tunes
from engine.experiments.landscapes._race.state import State, spread
from engine.picture import Line, Lines, Table

MOST_POINTS = 1000  # of a line


def tuned(state: State, spec: Any) -> Lines | None:
    """Training loss over the rate tried, one line a contestant, the rate chosen marked; None where none is tuned."""
    if not tunes(spec):
        return None
    rates, found = tried(spec), tuning.scores(state, spec)
    chosen = bool(np.isfinite(state.rates).all())
    hand = by_hand(spec)
    marks = tuple((float(rate), f"{TITLES[name]}, by hand") for name, rate in zip(spec.optimizers, hand, strict=True)
                  if np.isfinite(rate))  # fmt: skip
    lines = [
        Line(TITLES[name], rates, np.where(np.isfinite(losses), losses, np.nan), series=name)
        for name, losses in zip(spec.optimizers, found, strict=True)
    ]
    if chosen:
        for s, name in enumerate(spec.optimizers):
            at = int(found[s].argmin())
            word = "lowest" if np.isfinite(hand[s]) else "chosen"
            lines.append(Line(f"{TITLES[name]}, {word}", rates[at : at + 1], found[s, at : at + 1], series=name,
                              points=True))  # fmt: skip
    return Lines(tuple(lines), marks, note=_budget(state, spec, found, chosen))


def _budget(state: State, spec: Any, found: Array, chosen: bool) -> str:
    """What the tuning costs each, and what to be wary of in it."""
    steps = min(state.step, spec.tuning_steps) or spec.tuning_steps  # before it begins: as planned
    each = spec.tuning_rates * spec.tuning_seeds * steps
    seeds = f" × {spec.tuning_seeds} seeds" if spec.tuning_seeds > 1 else ""
    told = f"{spec.tuning_rates} rates{seeds} × {steps:,} steps = {each:,} updates each"
    if not chosen:
        return told
    best = found.argmin(axis=1)
    edge = [TITLES[name] for name, at in zip(spec.optimizers, best.tolist(), strict=True)
            if at in (0, spec.tuning_rates - 1)]  # fmt: skip
    lost = int(np.isinf(found).sum())
    told += f"; {lost} of {found.size} lost" if lost else ""
    return f"{told}; at the edge of what was tried: {', '.join(edge)}" if edge else told


def times(state: State, spec: Any) -> Lines | None:
    """The losses over the computing time of one network: updates times the median measured time of one."""
    each = state.clock.each()
    if not np.isfinite(each).any() or len(state.told) < 2:
        return None
    thin = state.told[:: max(1, len(state.told) // MOST_POINTS)]
    thin = thin if thin[-1] is state.told[-1] else [*thin, state.told[-1]]
    updates = np.array([update for update, _ in thin], float)
    middle, low, high = spread(np.stack([losses for _, losses in thin]), spec.band)
    lines = []
    for s, name in enumerate(spec.optimizers):
        good = np.isfinite(middle[:, s])
        if math.isnan(each[s]) or not good.any():
            continue
        band: dict[str, Any] = {"low": low[good, s], "high": high[good, s]} if spec.seeds > 1 else {}
        lines.append(Line(TITLES[name], 1e3 * each[s] * updates[good], middle[good, s], series=name, **band))
    return Lines(tuple(lines))


def reached(state: State, spec: Any) -> Array:
    """The update at which each contestant and seed was first measured at or below the target, [S, J]; inf: never."""
    found = np.full(state.lost.shape, np.inf)
    for update, losses in state.told:
        with np.errstate(invalid="ignore"):
            found = np.where(np.isinf(found) & (losses <= spec.target), float(update), found)
    return found


def result(state: State, spec: Any, rates: Array) -> Table:
    """Who came how far: rate, steps to the target (median over the seeds), loss now, time of a step."""
    each = state.clock.each() * 1e6
    steps, _, _ = spread(reached(state, spec), "all")
    losses = state.told[-1][1] if state.told else np.full(state.lost.shape, np.nan)
    now, _, _ = spread(losses, "all")
    rows, hand = [], by_hand(spec)
    for s, name in enumerate(spec.optimizers):
        # half the seeds at the target make an even median; never more exact than the measuring
        when = f"{steps[s]:,.0f}" if np.isfinite(steps[s]) else "–"
        rate = f"{rates[s]:.2g}{'*' * bool(np.isfinite(hand[s]))}" if np.isfinite(rates[s]) else "…"
        loss = "…" if math.isnan(now[s]) else "lost" if math.isinf(now[s]) else f"{now[s]:.{3 if now[s] >= 1 else 2}g}"
        rows.append((TITLES[name], rate, when, "…" if math.isnan(each[s]) else f"{each[s]:,.0f}", loss))
    best = float(steps.min())
    good = tuple(s for s in range(len(rows)) if steps[s] == best < math.inf)
    return Table(("", "rate", f"to {spec.target:g}", "µs", "loss"), tuple(rows), good,
                 "µs: CPU time of a step" + "; *: by hand" * bool(np.isfinite(hand).any()))  # fmt: skip
