"""A wrong setting, told in one line, with what the user gave cut short."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MAX_ECHO = 60  # characters of a wrong value that an error repeats


class SpecError(ValueError):
    """A wrong setting, told in one line: key, value, what is allowed."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key


def unknown(name: str, known: Iterable[str], what: str, longest: int = 200) -> SpecError:
    """An unknown name, with the likeliest known ones, or a list of them of at most `longest` characters."""
    import difflib

    names = list(known)
    start = name[:MAX_ECHO]  # a long text would take long
    likeness = {one: difflib.SequenceMatcher(None, start, one).ratio() for one in names}
    best = max([0.5, *likeness.values()])
    close = sorted((one for one in names if likeness[one] >= max(0.5, best - 0.1)), key=lambda one: -likeness[one])[:3]
    hint = (
        f"did you mean {' or '.join(close)}?" if close else "known: " + (shorten(", ".join(names), longest) or "none")
    )
    return SpecError(echo(name, quotes=False), f"no such {what}; {hint}")


def shorten(words: str, longest: int = MAX_ECHO) -> str:
    """One line of at most `longest` characters."""
    line = " ".join(words.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def echo(value: Any, *, quotes: bool = True) -> str:
    """A user's value as an error may repeat it: short, on one line, without control characters."""
    if quotes or not isinstance(value, str):
        return shorten(repr(value))
    return "".join(c if c.isprintable() else "?" for c in shorten(value))
