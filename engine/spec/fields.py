"""The kinds of field that a Spec may declare, one function each.

Each gives pydantic its limits, and under "lab" what a form must know besides; `settings` reads both.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field


def number(
    default: float | None, low: float, high: float, title: str, help: str, *, unit: str = "", group: str = "",
    live: bool = False, log: bool = False, shown_when: Mapping[str, tuple[Any, ...]] | None = None,
    inherits: str = "", hidden: bool = False,
) -> Any:  # fmt: skip
    """Declare a number (annotate the field `float` or `int`; `float | None` with `inherits` for a shared value)."""
    extra = _lab(unit=unit, group=group, live=live, log=log, shown_when=shown_when, inherits=inherits, hidden=hidden)
    return Field(default=default, ge=low, le=high, title=title, description=help, json_schema_extra=extra)


def choice(
    default: Any, names: Mapping[str, str], title: str, help: str, *, group: str = "", live: bool = False,
    shown_when: Mapping[str, tuple[Any, ...]] | None = None,
) -> Any:  # fmt: skip
    """Declare one name out of several (annotate `str`), or several of them (annotate `tuple[str, ...]`).

    `names` maps each allowed name to the reader's label.
    """
    extra = _lab(choices=dict(names), group=group, live=live, shown_when=shown_when)
    return Field(default=default, title=title, description=help, json_schema_extra=extra)


def text(
    default: str, title: str, help: str, *, longest: int = 500, group: str = "",
    shown_when: Mapping[str, tuple[Any, ...]] | None = None, hint: str = "",
) -> Any:  # fmt: skip
    """Declare a line of text; `hint`: what it shows while it is empty."""
    extra = _lab(group=group, shown_when=shown_when, high=longest, hint=hint)
    return Field(default=default, max_length=longest, title=title, description=help, json_schema_extra=extra)


def flag(default: bool, title: str, help: str, *, group: str = "", live: bool = False) -> Any:
    """Declare a switch (annotate `bool`)."""
    return Field(default=default, title=title, description=help, json_schema_extra=_lab(group=group, live=live))


def point(default: tuple[float, float] | None, low: float, high: float, title: str, help: str, *, group: str = "",
          inherits: str = "") -> Any:  # fmt: skip
    """Declare a point x,y (annotate `tuple[float, float]`), each coordinate within low..high."""
    extra = _lab(group=group, low=low, high=high, point=True, inherits=inherits)
    return Field(default=default, title=title, description=help, json_schema_extra=extra)


def numbers(
    default: tuple[int, ...], low: int, high: int, most: int, title: str, help: str, *, group: str = "",
    shown_when: Mapping[str, tuple[Any, ...]] | None = None, hint: str = "",
) -> Any:  # fmt: skip
    """Declare a list of at most `most` whole numbers (annotate `tuple[int, ...]`)."""
    extra = _lab(group=group, shown_when=shown_when, low=low, high=high, most=most, list="numbers", hint=hint)
    return Field(default=default, title=title, description=help, json_schema_extra=extra)


def sequence(
    default: tuple[str, ...], names: Mapping[str, str], most: int, title: str, help: str, *, group: str = "",
    shown_when: Mapping[str, tuple[Any, ...]] | None = None, hint: str = "",
) -> Any:  # fmt: skip
    """Declare a list of at most `most` names, in which one may stand twice (annotate `tuple[str, ...]`)."""
    extra = _lab(choices=dict(names), group=group, shown_when=shown_when, most=most, list="sequence", hint=hint)
    return Field(default=default, title=title, description=help, json_schema_extra=extra)


def points(
    default: tuple[tuple[float, float], ...], low: float, high: float, most: int, title: str, help: str, *,
    group: str = "", live: bool = False, shown_when: Mapping[str, tuple[Any, ...]] | None = None,
) -> Any:  # fmt: skip
    """Declare a list of at most `most` points x:y (annotate `tuple[tuple[float, float], ...]`)."""
    extra = _lab(group=group, live=live, shown_when=shown_when, low=low, high=high, most=most, list="points")
    return Field(default=default, title=title, description=help, json_schema_extra=extra)


def file(
    title: str, help: str, *, group: str = "", shown_when: Mapping[str, tuple[Any, ...]] | None = None
) -> Any:  # fmt: skip
    """Declare the path of a file of the user's; empty: none (annotate `str`)."""
    extra = _lab(group=group, shown_when=shown_when, high=4096, list="file")
    return Field(default="", max_length=4096, title=title, description=help, json_schema_extra=extra)


def _lab(**extra: Any) -> dict[str, Any]:
    meant = {name: value for name, value in extra.items() if value is not None and value is not False and value != ""}
    return {"lab": meant}
