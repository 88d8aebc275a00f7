"""Frozen settings, their declarations as a form or a file needs them, and their values under dotted keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo as PydanticField

from engine.spec.declaration import FieldDeclaration, Kind
from engine.spec.errors import echo


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


def declarations(model: type[Settings] | Settings, prefix: str = "") -> Iterator[FieldDeclaration]:
    """Every field of a Spec class in declared order, nested ones with dotted keys; all groups' own fields last."""
    return iter(_declared(model if isinstance(model, type) else type(model), prefix))


@lru_cache(maxsize=256)  # a class cannot be changed, and every field of a form asks
def _declared(cls: type[Settings], prefix: str) -> tuple[FieldDeclaration, ...]:
    found: list[FieldDeclaration] = []
    nested: list[tuple[str, Settings]] = []
    for name, field in cls.model_fields.items():
        default = field.get_default(call_default_factory=True, validated_data={})
        if isinstance(default, Settings):
            nested.append((f"{prefix}{name}.", default))
        else:
            found.append(_declare(prefix + name, field, default))
    for inner_prefix, default in nested:
        for declaration in _declared(type(default), inner_prefix):
            inner_default = getattr(default, declaration.key[len(inner_prefix) :])
            found.append(replace(declaration, default=inner_default))
    return tuple(found)


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
        most=lab.get("most", 0), hint=lab.get("hint", ""),
    )  # fmt: skip


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
