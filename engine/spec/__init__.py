"""Settings of an experiment, declared once.

A field is declared once, with type, default, range, choices, unit, help and whether it may change while the run goes
on. From that one declaration come the form in the window, the keys of the command line, the file format and the help.
pydantic does the validating; this package adds what a form needs to know, dotted keys, and errors of one line.
"""

from __future__ import annotations

from engine.spec.declaration import FieldDeclaration, Kind
from engine.spec.errors import SpecError, echo, shorten, unknown
from engine.spec.fields import choice, file, flag, number, numbers, point, points, sequence, text
from engine.spec.reading import build, changed, explain, nest, validate
from engine.spec.settings import Settings, Spec, declarations, differences, flat, value_of
from engine.spec.words import read_text, told, write_text

__all__ = [
    "FieldDeclaration", "Kind", "Settings", "Spec", "SpecError", "build", "changed", "choice", "declarations",
    "differences", "echo", "explain", "file", "flag", "flat", "nest", "number", "numbers", "point", "points",
    "read_text", "sequence", "shorten", "text", "told", "unknown", "validate", "value_of", "write_text",
]  # fmt: skip
