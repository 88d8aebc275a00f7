"""Formulas in x and y: parsed safely, typeset, differentiated, compiled.

`parse` text to Formula; `engine.formula.compile.compile` Formula to machine code; `engine.formula.call` calls
that code from compiled loops. Only those two load a compiler, so this package is cheap to import.
"""

from __future__ import annotations

from engine.formula.parse import Formula, FormulaError, parse

__all__ = ["Formula", "FormulaError", "parse"]
