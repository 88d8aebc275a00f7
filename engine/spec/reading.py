"""Settings made from what a file, a form or a command line gives; what is wrong there is told in one line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from engine.spec.errors import SpecError, echo, unknown
from engine.spec.settings import Settings, declarations, value_of

S = TypeVar("S", bound=Settings)


def build(cls: type[S], values: Mapping[str, Any], *, strict: bool = False) -> S:
    """Settings from dotted keys and values. Raises SpecError of one line."""
    known = {d.key: d for d in declarations(cls)}
    for key in values:
        if key not in known:
            raise unknown(key, known, "setting")
    return validate(cls, nest(values), strict=strict)


def validate(cls: type[S], data: Any, *, strict: bool = False) -> S:
    """Settings from nested data (as in a file). Raises SpecError of one line naming key, value and what is allowed."""
    try:
        if strict:  # through JSON text: there a list may stand for a tuple, but no text for a number
            return cls.model_validate_json(json.dumps(data), strict=True)
        return cls.model_validate(data)
    except ValidationError as error:
        raise explain(cls, error.errors()[0]) from None


def changed(spec: S, key: str, value: Any, *, strict: bool = False) -> S:
    """The settings with the value under one dotted key changed. Raises SpecError.

    Only the new value is validated (fields are independent of each other), so this is quick.
    """
    value = value_of(validate(type(spec), nest({key: value}), strict=strict), key)
    path = key.split(".")
    holders: list[Settings] = [spec]
    for part in path[:-1]:
        holders.append(getattr(holders[-1], part))
    for holder, name in zip(reversed(holders), reversed(path), strict=True):
        value = holder.model_copy(update={name: value})
    result: S = value
    return result


def nest(values: Mapping[str, Any]) -> dict[str, Any]:
    """Dotted keys -> nested dictionaries."""
    result: dict[str, Any] = {}
    for key, value in values.items():
        *path, last = key.split(".")
        inner = result
        for part in path:
            inner = inner.setdefault(part, {})
        inner[last] = value
    return result


def explain(cls: type[Settings], detail: ErrorDetails) -> SpecError:
    """A pydantic error as one line."""
    known = {d.key: d for d in declarations(cls)}
    parts = [str(part) for part in detail["loc"] if not isinstance(part, int)]
    key = ".".join(parts)
    while key and key not in known and "." in key and detail["type"] != "extra_forbidden":
        key = key.rpartition(".")[0]  # a union adds the member's name to the place
    if detail["type"] == "extra_forbidden":
        return unknown(key, known, "setting")
    if key not in known:
        message = detail["msg"].removeprefix("Value error, ")
        return SpecError(key, message if not key else f"{message} (got {echo(detail['input'])})")
    if detail["type"] == "value_error":
        return SpecError(key, detail["msg"].removeprefix("Value error, "))
    return SpecError(key, f"{echo(detail['input'])} is not allowed; give {known[key].allowed}")
