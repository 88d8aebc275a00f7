"""Values as a user writes them in one line of text."""

from __future__ import annotations

from typing import Any

from engine.spec.declaration import FieldDeclaration
from engine.spec.errors import SpecError, echo


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
