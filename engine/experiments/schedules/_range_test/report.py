"""What a range test says, in sentences with their numbers, and as pictures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from engine.experiments.schedules._range_test.kept import PutBack
from engine.experiments.schedules._range_test.run import State, limit, measuring
from engine.experiments.schedules._range_test.settings import rates_of
from engine.experiments.schedules._range_test.suggestions import LAST, Found, fell, suggest
from engine.picture import Table

FAIR = 0.01  # share of the eigenvalue that it may be off without a word
TITLES = {"valley": "Valley", "steepest": "Steepest", "minimum_tenth": "Minimum / 10"}


@dataclass(frozen=True)
class Suggestion:
    """One rate (nan: none) and why: its key, its title, a sentence with the numbers it comes from, and the smoothed
    loss there."""

    key: str
    title: str
    rate: float
    why: str
    loss: float


@dataclass(frozen=True)
class Report:
    """All that the test says so far. `limit`: 2 / lambda_max (nan: unknown) with its sentence; `caveat`: why the
    suggestions are not to be trusted, or nothing; `back`: what was put back, None before the end."""

    suggestions: tuple[Suggestion, ...]
    limit: float
    limit_words: str
    caveat: str
    back: PutBack | None
    back_words: str


def report(state: State, spec: Any) -> Report:
    """What the test says at the step in hand."""
    rates = rates_of(spec)
    found = suggest(rates, state.smoothed, spec.steps)
    texts = {"steepest": _steepest, "valley": _valley, "minimum_tenth": _minimum}
    values = dict(zip(("steepest", "minimum_tenth", "valley"), found.rates, strict=True))
    told = tuple(
        Suggestion(key, title, values[key],
                   texts[key](found, rates, state.smoothed) if np.isfinite(values[key]) else "Not enough steps yet.",
                   _height(values[key], rates, state.smoothed))
        for key, title in TITLES.items()
    )  # fmt: skip
    back = back_words(state.back) if state.back is not None else ""
    return Report(told, limit(state.curvature), limit_words(state, spec), _caveat(state, spec, found), state.back, back)


def _height(rate: float, rates: Any, losses: Any) -> float:
    """The smoothed loss at a rate, between the steps along a straight line; nan where there is none."""
    return float(np.interp(rate, rates[: len(losses)], losses, left=np.nan)) if len(losses) else np.nan


def _steepest(found: Found, rates: Any, losses: Any) -> str:
    k = found.steepest
    fall = losses[k] - losses[k + 1]
    if fall <= 0:
        return f"The smoothed loss never falls; it rises least from {rates[k]:.3g} to {rates[k + 1]:.3g}."
    return (f"Before the largest fall of the smoothed loss in one step: by {fall:.2g}, from {rates[k]:.3g} to "
            f"{rates[k + 1]:.3g}.")  # fmt: skip


def _valley(found: Found, rates: Any, losses: Any) -> str:
    begin, _, end = found.fall
    return (f"Middle of the longest chain of ever lower smoothed losses, which leads from {rates[begin]:.3g} to "
            f"{rates[end]:.3g}.")  # fmt: skip


def _minimum(found: Found, rates: Any, losses: Any) -> str:
    k = found.lowest
    return f"A tenth of {rates[k]:.3g}, where the smoothed loss is lowest, {losses[k]:.3g}, and about to turn."


def limit_words(state: State, spec: Any) -> str:
    """The stability limit in a sentence, with how well it is known."""
    found, made = state.curvature, state.lanczos
    if found is None and measuring(state) and made is not None:
        done = state.pieces // len(made.parts)
        return f"The curvature is being measured: {done} of at most {made.most} products with the Hessian."
    if found is None:
        return ("The curvature is measured when the test begins." if state.back is None else
                "The test was over before the curvature was known: take more steps.")  # fmt: skip
    if not found.value > 0:
        return "The loss does not curve upwards anywhere at the starting weights: there is no limit to tell."
    words = (f"Theory: with the largest eigenvalue of the Hessian, {found.value:.4g}, plain gradient descent on all "
             f"samples is stable up to 2/λmax = {limit(found):.3g} at the starting weights.")  # fmt: skip
    if found.error > FAIR * found.value:
        words += f" The test was over before the eigenvalue was known better than within {found.error:.2g}."
    if spec.optimizer == "momentum":
        beta = spec.momentum.momentum
        words += f" With momentum {beta:g} it would be 2(1 + {beta:g})/λmax = {(1 + beta) * limit(found):.3g}."
    return words


def _caveat(state: State, spec: Any, found: Found) -> str:
    """What speaks against these suggestions; empty where nothing does."""
    tested, losses = len(state.smoothed), state.smoothed
    over = state.back is not None
    if not np.isfinite(found.valley_rate):
        return f"No suggestion: the test ended after {tested} steps. Begin lower, or take more steps." if over else ""
    if not over:
        return ""
    if not fell(losses, spec.steps):
        return (f"Do not trust these: the smoothed loss hardly fell, from {losses[spec.steps // 10]:.3g} to "
                f"{losses[found.lowest]:.3g}.")  # fmt: skip
    if tested == spec.steps and found.lowest >= tested - LAST - max(1, spec.steps // 20):
        return "The test ended before the loss turned up: the highest rate is too low to see where it does."
    return ""


def suggestions_table(state: State, spec: Any) -> Table:
    """Every suggestion with its reason, and the limit of theory beside them."""
    told = report(state, spec)
    rows = [(s.title, f"{s.rate:.3g}" if np.isfinite(s.rate) else "–", s.why) for s in told.suggestions]
    rows.append(("2/λmax (theory)", f"{told.limit:.3g}" if np.isfinite(told.limit) else "–", told.limit_words))
    return Table(("suggestion", "rate", "why"), tuple(rows), note=told.caveat)


def back_table(state: State, spec: Any) -> Table | None:
    """What the test had to leave as it was; None before it is put back."""
    if state.back is None:
        return None
    rows = [(one.name, f"{one.bytes:,}", "identical" if not one.differ else f"{one.differ:,} differ")
            for one in state.back.items]  # fmt: skip
    good = tuple(i for i, one in enumerate(state.back.items) if not one.differ)
    note = "; ".join(f"{one.name} {one.moved}" for one in state.back.items)
    return Table(("put back", "bytes", "before, after"), tuple(rows), good, f"At the end: {note}.")


def back_words(back: PutBack) -> str:
    """Whether everything is as it was, in a line."""
    names = ", ".join(item.name for item in back.items)
    if back.whole:
        return f"Put back: {names}: identical, {back.bytes:,} bytes compared."
    return f"NOT put back: {sum(item.differ for item in back.items):,} of {back.bytes:,} bytes differ."
