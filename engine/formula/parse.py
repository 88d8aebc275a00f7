"""Formulas in x and y: text in, an immutable Formula out.

Allowed: numbers (2, 0.5, 1e-3), x, y, pi, e, + - * / ^ (also **), brackets, and sin cos tan exp log (natural;
also ln) sqrt abs tanh sinh cosh atan erf floor sign sigmoid max min. A plain number may stand before a name
or a bracket without a sign: 2x, 3(x+1). -x^2 is -(x^2), powers group from the right, a constant exponent lies
from -64 to 64.

What has which derivative (first and second) where the textbook is silent:

- `abs` has sign(u), and 0 at the kink; its second derivative is 0 everywhere. `sign` and `floor` have 0
  everywhere, also at their jumps.
- `max`, `min` have the derivative of the argument taken; where both arguments are equal, half of each (as in
  torch).
- `sqrt(u)`, and u^p with a constant p that is not whole, count a slope of the argument that is exactly 0 as 0
  also where their own slope is infinite: sqrt(x^2 + y^2) has gradient 0 at the origin, like abs. Its second
  derivative there is infinite.
- u^n with a whole constant n holds for every u. u^v with a v that depends on x or y is exp(v log u): it needs
  u > 0. For u <= 0 the value is what C's pow gives, and derivatives that need log u or 1/u
  there are not finite.
- Outside its domain a function gives nan or inf and raises nothing: log(-1) is nan, 1/x at 0 is inf.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from engine.formula import typeset
from engine.formula.grammar import read_tree, settle
from engine.formula.tree import FormulaError, Node

__all__ = ["Formula", "FormulaError", "parse"]


@dataclass(frozen=True, slots=True)
class Formula:
    """A parsed formula f(x, y). Equal if the texts are equal.

    Attributes: `text` as given, without space around it; `latex` right-hand side of f(x, y) = ...;
    `variables` those it depends on, in order; `tree` what is computed (numbers worked out).
    """

    text: str
    latex: str = field(compare=False, repr=False)
    variables: tuple[str, ...] = field(compare=False, repr=False)
    tree: Node = field(compare=False, repr=False)

    def python(self, prefix: str = "torch.") -> str:
        """A Python expression in x and y that evaluates this formula with torch., np. or math. functions."""
        return typeset.python(self.tree, prefix)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return parse, (self.text,)  # a text travels safely; a tree of 200 levels meets the recursion limit


def parse(text: str) -> Formula:
    """The formula of a text. Raises FormulaError (a ValueError) of one line: what, where, what is allowed."""
    return _parse(text) if isinstance(text, str) else _parse_uncached(text)


def _parse_uncached(text: str) -> Formula:
    written = read_tree(text)
    tree = settle(written)
    return Formula(text.strip(), typeset.latex(written), tuple(sorted(typeset.uses(tree))), tree)


_parse = lru_cache(maxsize=256)(_parse_uncached)
