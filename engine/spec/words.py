"""Values as a user writes them in one line of text."""

from __future__ import annotations

from typing import Any

from engine.spec.declaration import FieldDeclaration
from engine.spec.errors import SpecError, echo
from engine.spec.settings import Settings, declarations


def told(spec: Settings, key: str, value: Any) -> tuple[str, str]:
    """A field and a value of it as the form names them: `adam.learning_rate`, 0.1 -> "Adam: Learning rate", "0.1".

    A key that `spec` does not declare is told as it stands.
    """
    declared = next((d for d in declarations(spec) if d.key == key), None)
    if declared is None:
        return key, str(value)
    group = key.rpartition(".")[0]
    chosen = (d for d in declarations(spec) if d.kind in ("choice", "choices") and group in d.choices)
    name = next((d.label(group) for d in chosen), group.replace("_", " "))
    title = f"{name}: {declared.title}" if group else declared.title
    if value is None:
        return title, declared.inherits or "none"
    if declared.kind in ("choice", "choices", "sequence"):
        return title, ", ".join(map(declared.label, (value,) if isinstance(value, str) else value))
    if isinstance(value, bool):
        return title, "on" if value else "off"
    if isinstance(value, float):
        return title, f"{value:.10g}" + f" {declared.unit}" * bool(declared.unit)
    return title, write_text(declared, value)


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
