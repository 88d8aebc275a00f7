"""Settings of an experiment, declared once.

A field is declared once, with type, default, range, choices, unit, help and whether it may change while the run goes
on. From that one declaration come the form in the window, the keys of the command line, the file format and the help.
pydantic does the validating; this module adds what a form needs to know, dotted keys, and errors of one line.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic.fields import FieldInfo as PydanticField
from pydantic_core import ErrorDetails

Kind = Literal[
    "float", "int", "bool", "choice", "choices", "sequence", "text", "file", "point", "points", "numbers", "group"
]  # fmt: skip

S = TypeVar("S", bound="Settings")

MAX_ECHO = 60  # characters of a wrong value that an error repeats


class SpecError(ValueError):
    """A wrong setting, told in one line: key, value, what is allowed."""

    def __init__(self, key: str, message: str) -> None:
        super().__init__(f"{key}: {message}" if key else message)
        self.key = key


class Settings(BaseModel):
    """Frozen, validated settings. Unknown keys, inf and nan are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="after")
    @classmethod
    def _as_declared(cls, value: Any, info: ValidationInfo) -> Any:
        """Hold choices and points to their declaration (numbers are held by pydantic's own limits)."""
        name = str(info.field_name)
        declared = _declare(name, cls.model_fields[name], None)
        if value is not None and declared.kind in ("choice", "choices"):
            picked = (value,) if declared.kind == "choice" else value
            for one in picked:
                if one not in declared.choices:
                    raise ValueError(f"{echo(one)} is not allowed; give {declared.allowed}")
            if len(set(picked)) < len(picked):
                raise ValueError(f"{echo(','.join(picked))} names one twice; give {declared.allowed}")
        if value is not None and not _holds(declared, value):
            raise ValueError(f"{echo(value)} is not allowed; give {declared.allowed}")
        return value


class Spec(Settings):
    """Settings every experiment has. Experiments derive from it and add their own fields."""

    record_every: int = Field(
        default=1, ge=1, le=1_000_000, title="Record every",
        description="Keep a row of the history every so many steps", json_schema_extra={"lab": {"hidden": True}},
    )  # fmt: skip


@dataclass(frozen=True)
class FieldDeclaration:
    """What a form, a command line or a help text must know of one field.

    Attributes: `key` dotted name; `kind`; `default` (None: inherits, shown as `inherits`); `low`, `high` inclusive
    limits; `choices` allowed names with `labels`; `unit`; `live`: may change during a run; `log`: a slider moves in
    decades; `shown_when`: other fields' values under which this field means something; `hidden`: not in the form.
    """

    key: str
    kind: Kind
    title: str
    help: str
    default: Any
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    labels: Mapping[str, str] | None = None
    unit: str = ""
    group: str = ""
    live: bool = False
    log: bool = False
    shown_when: Mapping[str, tuple[Any, ...]] | None = None
    hidden: bool = False
    inherits: str = ""
    most: int = 0  # entries of a list at the most

    @property
    def allowed(self) -> str:
        """What may stand here, in words."""
        if self.kind == "choice":
            return "one of " + ", ".join(self.choices)
        if self.kind == "choices":
            return "a comma-separated list of " + ", ".join(self.choices)
        if self.kind == "sequence":
            return f"at most {self.most} names with commas between, each one of " + ", ".join(self.choices)
        if self.kind == "file":
            return "the path of a file"
        if self.kind == "bool":
            return "true or false"
        if self.kind == "text":
            return f"a text of at most {self.high:.0f} characters" if self.high else "a text"
        word = {
            "int": "a whole number", "float": "a number", "point": "two numbers x,y",
            "numbers": "whole numbers with commas between", "points": "points x:y with commas between",
        }[self.kind]  # fmt: skip
        if self.low is None or self.high is None:
            return word
        if self.most:
            return f"at most {self.most} {word}, each from {_short(self.low)} to {_short(self.high)}"
        each = ", each" if self.kind == "point" else ""
        return f"{word}{each} from {_short(self.low)} to {_short(self.high)}"

    def label(self, choice: str) -> str:
        """The reader's name of a choice."""
        return (self.labels or {}).get(choice, choice)


def _short(limit: float) -> str:
    """A limit as short as it can be said without rounding it."""
    words = f"{limit:g}"
    return words if float(words) == limit else str(limit)


def _lab(**extra: Any) -> dict[str, Any]:
    meant = {name: value for name, value in extra.items() if value is not None and value is not False and value != ""}
    return {"lab": meant}


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
    shown_when: Mapping[str, tuple[Any, ...]] | None = None,
) -> Any:  # fmt: skip
    """Declare a line of text."""
    extra = _lab(group=group, shown_when=shown_when, high=longest)
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
    shown_when: Mapping[str, tuple[Any, ...]] | None = None,
) -> Any:  # fmt: skip
    """Declare a list of at most `most` whole numbers (annotate `tuple[int, ...]`)."""
    extra = _lab(group=group, shown_when=shown_when, low=low, high=high, most=most, list="numbers")
    return Field(default=default, title=title, description=help, json_schema_extra=extra)


def sequence(
    default: tuple[str, ...], names: Mapping[str, str], most: int, title: str, help: str, *, group: str = "",
    shown_when: Mapping[str, tuple[Any, ...]] | None = None,
) -> Any:  # fmt: skip
    """Declare a list of at most `most` names, in which one may stand twice (annotate `tuple[str, ...]`)."""
    extra = _lab(choices=dict(names), group=group, shown_when=shown_when, most=most, list="sequence")
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


def _holds(declared: FieldDeclaration, value: Any) -> bool:
    """Whether a list or a point is within its declaration."""
    low, high = declared.low, declared.high
    if declared.most and len(value) > declared.most:
        return False
    if declared.kind == "sequence":
        return all(one in declared.choices for one in value)
    if low is None or high is None:
        return True
    match declared.kind:
        case "point" | "numbers":
            return all(low <= part <= high for part in value)
        case "points":
            return all(low <= part <= high for point in value for part in point)
    return True


def _kind(annotation: str, lab: Mapping[str, Any]) -> Kind:
    if lab.get("point"):
        return "point"
    if "list" in lab:
        return cast(Kind, lab["list"])
    if "choices" in lab:
        return "choices" if annotation.startswith("tuple") else "choice"
    kinds: tuple[Kind, ...] = ("float", "int", "bool")
    for kind in kinds:
        if kind in annotation:
            return kind
    return "text"


def _declare(key: str, field: PydanticField, default: Any) -> FieldDeclaration:
    extra = field.json_schema_extra
    lab: dict[str, Any] = cast(dict[str, Any], extra).get("lab", {}) if isinstance(extra, dict) else {}
    limits = {type(m).__name__: m for m in field.metadata}
    low = getattr(limits.get("Ge"), "ge", lab.get("low"))
    high = getattr(limits.get("Le"), "le", lab.get("high"))
    annotation = str(getattr(field.annotation, "__name__", field.annotation))
    if annotation in ("tuple", "Optional", "Union") or "|" in str(field.annotation):
        annotation = str(field.annotation)
    names: dict[str, str] = lab.get("choices", {})
    return FieldDeclaration(
        key=key, kind=_kind(annotation, lab), title=field.title or key, help=field.description or "",
        default=default, low=low, high=high, choices=tuple(names), labels=names or None, unit=lab.get("unit", ""),
        group=lab.get("group", ""), live=lab.get("live", False), log=lab.get("log", False),
        shown_when=lab.get("shown_when"), hidden=lab.get("hidden", False), inherits=lab.get("inherits", ""),
        most=lab.get("most", 0),
    )  # fmt: skip


def declarations(model: type[Settings] | Settings, prefix: str = "") -> Iterator[FieldDeclaration]:
    """Every field of a Spec class in declared order, nested ones with dotted keys; all groups' own fields last."""
    cls = model if isinstance(model, type) else type(model)
    nested: list[tuple[str, Settings]] = []
    for name, field in cls.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, Settings):
            nested.append((f"{prefix}{name}.", default))
        else:
            yield _declare(prefix + name, field, default)
    for inner_prefix, default in nested:
        for declaration in declarations(default, inner_prefix):
            inner_default = getattr(default, declaration.key[len(inner_prefix) :])
            yield _with_default(declaration, inner_default)


def _with_default(declaration: FieldDeclaration, default: Any) -> FieldDeclaration:
    return FieldDeclaration(**{**declaration.__dict__, "default": default})


def value_of(spec: Settings, key: str) -> Any:
    """The value under a dotted key."""
    value: Any = spec
    for part in key.split("."):
        value = getattr(value, part)
    return value


def flat(spec: Settings) -> dict[str, Any]:
    """Every dotted key with its value."""
    return {d.key: value_of(spec, d.key) for d in declarations(spec)}


def differences(one: Settings, other: Settings) -> dict[str, tuple[Any, Any]]:
    """What differs between two settings: dotted key -> (value in one, value in other); None where a key is absent."""
    a, b = flat(one), flat(other)
    return {key: (a.get(key), b.get(key)) for key in [*a, *(k for k in b if k not in a)] if a.get(key) != b.get(key)}


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


def write_text(declaration: FieldDeclaration, value: Any) -> str:
    """A list's or a text's value as it is written; `read_text` reads it."""
    if declaration.kind == "points":
        return ", ".join(f"{x!r}:{y!r}" for x, y in value)
    if declaration.kind in ("numbers", "sequence", "choices"):
        return ", ".join(str(part) for part in value)
    return str(value)


def read_text(declaration: FieldDeclaration, words: str) -> Any:
    """A command line's or a form's text as the field's value. Raises SpecError."""
    words = words.strip()
    wrong = SpecError(declaration.key, f"{echo(words)} is not allowed; give {declaration.allowed}")
    if declaration.inherits and words.lower() in ("", "none", declaration.inherits.lower()):
        return None
    try:
        match declaration.kind:
            case "float":
                return float(words)
            case "int":
                return int(words) if len(words) < 30 else int("")
            case "bool":
                return {"true": True, "1": True, "yes": True, "on": True,
                        "false": False, "0": False, "no": False, "off": False}[words.lower()]  # fmt: skip
            case "choices" | "sequence":
                return tuple(part.strip() for part in words.split(",") if part.strip())
            case "numbers":
                parts = [part.strip() for part in words.strip("()[]").split(",") if part.strip()]
                return tuple(int(part) if len(part) < 30 else int("") for part in parts)
            case "points":
                pairs = [part.split(":") for part in words.split(",") if part.strip()]
                return tuple((float(x), float(y)) for x, y in pairs)
            case "point":
                x, y = (float(part) for part in words.strip("()").split(","))
                return (x, y)
    except (ValueError, KeyError, OverflowError):
        raise wrong from None
    return words
