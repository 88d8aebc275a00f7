"""How a number is written, read, stepped, and laid along a slider. Knows nothing of Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.spec import FieldDeclaration, read_text

POSITIONS = 1000
WINDOW = 1000.0  # a logarithmic slider reaches this factor below and above the default
WIDEST = 1e5  # a linear slider over more than this could not be set with any care


def words_of(value: Any) -> str:
    """A number as short as it can be said without rounding it; nothing for None."""
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    words = f"{value:g}"
    if float(words) != value:
        words = repr(value)
    mantissa, mark, exponent = words.partition("e")
    return f"{mantissa}e{int(exponent)}" if mark else words


def read(declaration: FieldDeclaration, words: str) -> Any:
    """A typed number as the field's value; whole numbers may be written 1e3. Raises SpecError."""
    words = words.strip().replace("−", "-")
    if declaration.kind == "int" and "e" in words.lower() and len(words) < 30:
        try:
            whole = Decimal(words)
        except InvalidOperation:
            return read_text(declaration, words)
        if whole.is_finite() and whole.adjusted() < 20 and whole == int(whole):
            return int(whole)
    return read_text(declaration, words)


def stepped(declaration: FieldDeclaration, value: float, up: bool) -> float:
    """One press of an arrow key away: by 1 for a whole number, by 10 % otherwise; never beyond the limits."""
    if declaration.kind == "int":
        moved: float = value + (1 if up else -1)
    elif value == 0:
        moved = 0.01 if up else -0.01
    else:
        away = up == (value > 0)
        moved = rounded(value * 1.1 if away else value / 1.1, 3)
    return _within(moved, declaration.low, declaration.high)


def rounded(value: float, digits: int) -> float:
    """To so many significant digits."""
    return float(f"{value:.{digits - 1}e}")


def _within(value: float, low: float | None, high: float | None) -> float:
    if low is not None and value < low:
        return type(value)(low)
    if high is not None and value > high:
        return type(value)(high)
    return value


@dataclass(frozen=True)
class Scale:
    """Which value belongs to which of the slider's positions 0..1000. Values outside lie at the nearer end."""

    low: float
    high: float
    log: bool
    whole: bool

    def value(self, position: int) -> float:
        """The value at a position, rounded to what one position can tell apart."""
        if position <= 0 or position >= POSITIONS:
            value = self.low if position <= 0 else self.high
        elif self.log:
            decades = math.log10(self.high / self.low)
            value = rounded(self.low * 10 ** (decades * position / POSITIONS), 3 if decades >= 5 else 4)
        else:
            one = (self.high - self.low) / POSITIONS
            value = round(self.low + one * position, max(0, math.ceil(-math.log10(one) - 1e-9)))
        value = min(max(value, self.low), self.high)
        return round(value) if self.whole else value

    def position(self, value: float) -> int:
        """The position nearest to a value."""
        if value <= self.low or value >= self.high:
            return 0 if value <= self.low else POSITIONS
        if self.log:
            share = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(POSITIONS * share)


def scale_of(declaration: FieldDeclaration, reference: Any) -> Scale | None:
    """The slider of a number, or None where one would be of no use.

    `reference` is the default (for a field that inherits: what it inherits); a logarithmic slider spans three
    decades to either side of it, within the limits.
    """
    low, high = declaration.low, declaration.high
    if low is None or high is None or high <= low:
        return None
    if declaration.kind not in ("float", "int") or declaration.key.split(".")[-1] == "seed":
        return None
    whole = declaration.kind == "int"
    if declaration.log and low > 0:
        if reference is None or reference <= 0:
            return None
        low, high = max(low, reference / WINDOW), min(high, reference * WINDOW)
        if whole:
            low, high = math.ceil(low), math.floor(high)
        return Scale(low, high, True, whole) if high > low else None
    if reference is None or high - low > WIDEST:
        return None
    return Scale(low, high, False, whole)
