"""Text to tree: a tokenizer and a precedence parser of our own. Nothing is ever evaluated as Python.

expression = term { (+ | -) term }
term       = factor { (* | /) factor | power }    power only right after a plain number: 2x, 3(x+1)
factor     = { + | - } power
power      = atom [ (^ | **) factor ]              -x^2 is -(x^2), 2^-x works, 2^3^2 is 2^(3^2)
atom       = number | x | y | pi | e | function ( expression {, expression} ) | ( expression )
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from engine.formula.tree import (
    ARGUMENTS,
    CONSTANTS,
    EVALUATE,
    VARIABLES,
    Binary,
    Call,
    Const,
    FormulaError,
    Node,
    Var,
    fold,
)

MAX_LENGTH = 500
MAX_NODES = 400
MAX_DEPTH = 60
MAX_EXPONENT = 64

_TOKEN = re.compile(
    r"(?P<space>\s+)|(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<symbol>\*\*|[-+*/^(),])",
    re.ASCII,
)
_ALIASES = {"ln": "log", "arctan": "atan"}
_FUNCTIONS = sorted(name for name in ARGUMENTS if name != "neg")
_ALLOWED = "numbers, x, y, pi, e, + - * / ^ ( ) and the functions " + ", ".join(_FUNCTIONS)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # number, name, symbol, end, or stray: a character that belongs to no formula
    text: str
    position: int


def read_tree(text: object) -> Node:
    """The tree of a formula's text. Raises FormulaError of one line; returns at once whatever the text."""
    if not isinstance(text, str):
        raise FormulaError(f"a formula must be text, not {type(text).__name__}")
    if len(text) > MAX_LENGTH:
        raise FormulaError(f"the formula has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    return _Parser(_tokens(text)).parse()


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:  # told only when the parser gets there: an earlier fault is told first
            return [*tokens, _Token("stray", text[at], at + 1)]
        if match.lastgroup != "space":
            tokens.append(_Token(str(match.lastgroup), match.group(), at + 1))
        at = match.end()
    if not tokens:
        raise FormulaError("the formula is empty; write one in x and y, such as x^2 + 10*y^2")
    return [*tokens, _Token("end", "", len(text) + 1)]


class _Parser:
    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0
        self._nodes = 0

    def parse(self) -> Node:
        tree = self._expression()
        if self._peek.kind != "end":
            self._refuse_here("an operator such as + or *")
        return tree

    @property
    def _peek(self) -> _Token:
        return self._tokens[self._next]

    def _take(self) -> _Token:
        token = self._peek
        self._next += token.kind not in ("end", "stray")
        return token

    def _is(self, *symbols: str) -> bool:
        return self._peek.kind == "symbol" and self._peek.text in symbols

    def _expect(self, symbol: str, expected: str) -> None:
        if not self._is(symbol):
            self._refuse_here(expected)
        self._take()

    def _refuse_here(self, expected: str) -> NoReturn:
        token = self._peek
        if token.kind == "stray":
            where = f"the character {token.text!a} at position {token.position}"
            _refuse(token, f"{where} is not allowed; use {_ALLOWED}")
        if token.kind == "end":
            _refuse(token, f"the formula ends too soon at position {token.position}; expected {expected}")
        hint = ""
        if expected.startswith("an operator") and (token.kind != "symbol" or token.text == "("):
            hint = "; a product needs *" + ("" if token.kind == "number" else ", except after a plain number")
        where = f"unexpected {_short(token.text)} at position {token.position}"
        _refuse(token, f"{where}; expected {expected}{hint}")

    def _node(self, node: Node) -> Node:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise FormulaError(
                f"the formula has too many parts; at most {MAX_NODES} numbers, names and signs are allowed"
            )
        return node

    def _deeper(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            where = f"the formula is nested too deeply at position {token.position}"
            _refuse(token, f"{where}; at most {MAX_DEPTH} levels of brackets and powers are allowed")

    def _expression(self) -> Node:
        left = self._term()
        while self._is("+", "-"):
            sign = self._take()
            left = self._node(Binary(sign.text, left, self._term(), sign.position))
        return left

    def _term(self) -> Node:
        bare, divided = self._bare_number(), False
        left = self._factor()
        while True:
            if self._is("*", "/"):
                sign = self._take()
                bare, divided = self._bare_number(), sign.text == "/"
                left = self._node(Binary(sign.text, left, self._factor(), sign.position))
            elif bare and (self._peek.kind == "name" or self._is("(")):
                token = self._peek
                if divided:
                    where = f"the product at position {token.position} after a division"
                    _refuse(token, f"{where} can be read in two ways; write (1/2)*x or 1/(2*x)")
                bare = False
                left = self._node(Binary("*", left, self._power(), token.position))
            else:
                return left

    def _bare_number(self) -> bool:
        """Whether the coming factor is a plain number (signs allowed) with no power."""
        at = self._next
        while self._tokens[at].kind == "symbol" and self._tokens[at].text in "+-":
            at += 1
        return self._tokens[at].kind == "number" and self._tokens[at + 1].text not in ("^", "**")

    def _factor(self) -> Node:
        first, minus = self._peek, False
        while self._is("+", "-"):
            minus ^= self._take().text == "-"  # --x is x: ten thousand signs make one node
        power = self._power()
        return self._node(Call("neg", (power,), first.position)) if minus else power

    def _power(self) -> Node:
        base = self._atom()
        if not self._is("^", "**"):
            return base
        sign = self._take()
        self._deeper(sign)
        exponent = self._factor()
        self._depth -= 1
        return self._node(Binary("^", base, exponent, sign.position))

    def _atom(self) -> Node:
        token = self._peek
        if token.kind == "number":
            self._take()
            value = float(token.text)
            if not math.isfinite(value):
                where = f"the number {_short(token.text)} at position {token.position}"
                _refuse(token, f"{where} is too large; at most 1.8e308 is allowed")
            return self._node(Const(value))
        if token.kind == "name":
            return self._named(self._take())
        if self._is("("):
            self._deeper(self._take())
            inside = self._expression()
            self._depth -= 1
            self._expect(")", "a closing bracket )")
            return inside
        self._refuse_here("a number, x, y, a function or an opening bracket")

    def _named(self, token: _Token) -> Node:
        name = _ALIASES.get(token.text, token.text)
        if name in VARIABLES:
            return self._node(Var(name))
        if name in CONSTANTS:
            return self._node(Const(CONSTANTS[name], name))
        if name not in _FUNCTIONS:
            known = [*VARIABLES, *CONSTANTS, *_FUNCTIONS]
            close = difflib.get_close_matches(name[:40], known, n=1, cutoff=0.6)
            if set(name) <= set(VARIABLES) and len(name) < 5:  # xy
                close = ["*".join(name)]
            guess = f"did you mean {close[0]}? " if close else ""
            where = f"unknown name {_short(token.text)} at position {token.position}"
            _refuse(token, f"{where}; {guess}allowed are {', '.join(known)}")
        if not self._is("("):
            where = f"{token.text} at position {token.position} is a function"
            _refuse(token, f"{where}; write {token.text}(...)")
        self._deeper(self._take())
        arguments = [self._expression()]
        while self._is(","):
            self._take()
            arguments.append(self._expression())
        self._depth -= 1
        self._expect(")", "a comma or a closing bracket )")
        needs = ARGUMENTS[name]
        if len(arguments) < needs or (needs == 1 and len(arguments) > 1):
            wanted = "exactly 1 argument" if needs == 1 else "2 or more arguments"
            where = f"{token.text} at position {token.position}"
            _refuse(token, f"{where} takes {wanted}, not {len(arguments)}")
        result = self._node(Call(name, tuple(arguments[:needs]), token.position))
        for further in arguments[needs:]:  # max(a, b, c) is max(max(a, b), c)
            result = self._node(Call(name, (result, further), token.position))
        return result


def _refuse(token: _Token, message: str) -> NoReturn:
    raise FormulaError(message, token.position)


def _short(text: str) -> str:
    return repr(text if len(text) <= 20 else text[:20] + "...")


def settle(tree: Node) -> Node:
    """The tree that is computed: every part without x and y becomes its number, and e^u becomes exp(u).

    Numbers are worked out in double precision, as Python does. Raises FormulaError for a number that is not
    finite and for a constant exponent outside -64..64.
    """
    return fold(tree, _settle)


def _settle(node: Node, below: Sequence[Node]) -> Node:
    if isinstance(node, Const):
        return Const(node.value)
    if isinstance(node, Var):
        return node
    operation = node.operator if isinstance(node, Binary) else node.name
    if operation == "^" and isinstance(below[1], Const) and abs(below[1].value) > MAX_EXPONENT:
        raise FormulaError(
            f"the exponent {below[1].value:.6g} after position {node.position} is not allowed; "
            f"a constant exponent must lie from -{MAX_EXPONENT} to {MAX_EXPONENT}",
            node.position,
        )
    numbers = [child.value for child in below if isinstance(child, Const)]
    if len(numbers) == len(below):
        return Const(_evaluate(operation, numbers, node.position))
    if isinstance(node, Call):
        return Call(node.name, tuple(below), node.position)
    if operation == "^" and isinstance(node.left, Const) and node.left.name == "e":
        return Call("exp", (below[1],), node.position)
    return Binary(operation, below[0], below[1], node.position)


def _evaluate(operation: str, numbers: Sequence[float], position: int) -> float:
    try:
        value = EVALUATE[operation](*numbers)
    except (ArithmeticError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        shown = [f"{number:g}" for number in numbers]
        text = f"{operation}({', '.join(shown)})" if operation in ARGUMENTS else operation.join(shown)
        raise FormulaError(f"{text} at position {position} is not a finite number", position)
    return value
