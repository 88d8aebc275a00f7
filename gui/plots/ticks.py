"""Where an axis has its ticks and how numbers are written, without Qt."""

from __future__ import annotations

import math
import re
from functools import lru_cache

MINUS, TIMES = "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}"
RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_SCIENTIFIC = re.compile(r"(?<![\w.])(\d+(?:\.\d+)?)e([+-]?\d+)(?![\w.]*\w)")
_HYPHEN = re.compile(r"(?<![\w.)\]%°-])-(?=\.?\d)")


def power(exponent: int) -> str:
    """A power of ten as it is written: 10⁻⁵; 1 and 10 as themselves."""
    return {0: "1", 1: "10"}.get(exponent, "10" + str(exponent).translate(RAISED))


def nice_step(span: float, count: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that cuts `span` into at most `count` parts."""
    raw = span / max(count, 1)
    base = 10.0 ** math.floor(math.log10(raw))
    return next((m * base for m in (1.0, 2.0, 5.0, 10.0) if m * base >= raw * (1 - 1e-9)), 10 * base)


def linear_ticks(low: float, high: float, count: int) -> tuple[list[float], float]:
    """Round numbers within [low, high], at most about `count`, and their distance."""
    if not (math.isfinite(low) and math.isfinite(high)) or high <= low:
        return [], 1.0
    step = nice_step(high - low, count)
    first = math.ceil(low / step - 1e-9)
    number = math.floor((high - first * step) / step + 1e-9) + 1
    return [(first + i) * step for i in range(max(0, min(number, 100)))], step


def log_ticks(low: float, high: float, count: int) -> tuple[list[float], list[str]]:
    """Ticks of a logarithmic axis: positions are decimal exponents within [low, high], with their words.

    Whole decades where two or more fit, else 1, 2, 5 within a decade, else round numbers.
    """
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    if last - first >= 1:
        step = max(1, math.ceil((last - first) / max(count, 1)))
        step = next((s for s in (1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 60, 100, 150) if s >= step), step)
        marks = [e for e in range(first, last + 1) if e % step == 0]
        return [float(e) for e in marks], [power(e) for e in marks]
    values = [
        m * 10.0**e
        for e in range(math.floor(low) - 1, math.ceil(high) + 1)
        for m in (1.0, 2.0, 5.0)
        if low <= math.log10(m) + e <= high
    ]
    if len(values) < 2:
        values = [v for v in linear_ticks(10.0**low, 10.0**high, count)[0] if v > 0]
    return [math.log10(v) for v in values], [number(v, 6) for v in values]


def tick_words(values: list[float], step: float) -> list[str]:
    """Tick labels with just the decimals that their distance needs."""
    largest = max((abs(v) for v in values), default=0.0)
    if largest >= 1e5 or (0 < largest < 1e-3):
        exponent = math.floor(math.log10(largest) + 1e-12)
        unit = 10.0**exponent
        digits = max(0, min(6, exponent - math.floor(math.log10(step) + 1e-9)))
        return [
            "0" if abs(v) < step / 2 else f"{v / unit:.{digits}f}".replace("-", MINUS) + TIMES + power(exponent)
            for v in values
        ]
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step > 0 else 0
    return [f"{0.0 if abs(v) < step / 2 else v:.{decimals}f}".replace("-", MINUS) for v in values]


def number(value: float, digits: int = 4) -> str:
    """A number for people: `digits` significant ones, powers of ten written out, a true minus sign."""
    if math.isnan(value):
        return "not a number"
    if math.isinf(value):
        return ("" if value > 0 else MINUS) + "∞"
    if value == 0:
        return "0"
    exponent = int(
        f"{value:.{digits - 1}e}".partition("e")[2]
    )  # of the rounded number: 9.9999 has two before the point
    if -4 <= exponent < 6:
        text = f"{value:.{max(0, digits - 1 - exponent)}f}"
        return (text.rstrip("0").rstrip(".") if "." in text and digits > 4 else text).replace("-", MINUS)
    text = f"{value:.{digits - 1}e}"
    head, tail = text.split("e")
    head = head.rstrip("0").rstrip(".") if digits > 4 else head
    return f"{head}{TIMES}{power(int(tail))}".replace("-", MINUS)


@lru_cache(maxsize=4096)
def prose(words: str) -> str:
    """Words with their numbers as plots write them: `-2.5e-07` becomes −2.5×10⁻⁷. Names such as 2-8-1 stay."""

    def written(found: re.Match[str]) -> str:
        head, exponent = found[1], int(found[2])
        if float(head) == 0:
            return "0"
        return power(exponent) if float(head) == 1 else f"{head}{TIMES}{power(exponent)}"

    return _HYPHEN.sub(MINUS, _SCIENTIFIC.sub(written, words))
