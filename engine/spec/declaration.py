"""What a form, a command line or a help text must know of one field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal[
    "float", "int", "bool", "choice", "choices", "sequence", "text", "file", "point", "points", "numbers", "group"
]  # fmt: skip


@dataclass(frozen=True)
class FieldDeclaration:
    """What a form, a command line or a help text must know of one field.

    Attributes: `key` dotted name; `kind`; `default` (None: inherits, shown as `inherits`); `low`, `high` inclusive
    limits; `choices` allowed names with `labels`; `unit`; `live`: may change during a run; `log`: a slider moves in
    decades; `shown_when`: other fields' values under which this field means something; `hidden`: not in the form;
    `hint`: what an empty line of text shows.
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
    hint: str = ""
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
