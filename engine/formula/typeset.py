"""A formula tree as LaTeX and as a Python expression."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from engine.formula.tree import Call, Const, Node, Var, children, fold

_SUM, _PRODUCT, _MINUS, _POWER, _ATOM = range(1, 6)  # how tightly a piece of text holds together

_LATEX_NAMES = {
    "sin": r"\sin",
    "cos": r"\cos",
    "tan": r"\tan",
    "log": r"\ln",
    "tanh": r"\tanh",
    "sinh": r"\sinh",
    "cosh": r"\cosh",
    "atan": r"\arctan",
    "erf": r"\operatorname{erf}",
    "sign": r"\operatorname{sign}",
    "sigmoid": r"\sigma",
    "max": r"\max",
    "min": r"\min",
}
_FENCES = {
    "sqrt": (r"\sqrt{", "}"),
    "exp": ("e^{", "}"),
    "abs": (r"\left|", r"\right|"),
    "floor": (r"\left\lfloor ", r"\right\rfloor "),
}


class _Piece(NamedTuple):
    text: str
    level: int
    name: str = ""  # set for `name(arguments)`, so that its power can be written name^2(arguments)
    arguments: str = ""


def latex(tree: Node) -> str:
    r"""LaTeX of a formula, as read: `100\left(y-x^{2}\right)^{2}+(1-x)^{2}`."""
    return fold(tree, _latex).text


def _brackets(text: str) -> str:
    tall = any(mark in text for mark in ("^", r"\frac", r"\left", r"\sqrt"))
    return rf"\left({text}\right)" if tall else f"({text})"


def _latex(node: Node, below: Sequence[_Piece]) -> _Piece:
    if isinstance(node, Const):
        return _latex_number(node)
    if isinstance(node, Var):
        return _Piece(node.name, _ATOM)
    if isinstance(node, Call):
        if node.name == "neg":
            inner = below[0]
            loose = inner.level == _SUM or inner.text.startswith("-")
            return _Piece("-" + (_brackets(inner.text) if loose else inner.text), _MINUS)
        if node.name in _FENCES:
            opening, closing = _FENCES[node.name]
            level = _POWER if node.name == "exp" else _ATOM
            return _Piece(opening + below[0].text + closing, level)
        arguments = _brackets(", ".join(piece.text for piece in below))
        return _Piece(_LATEX_NAMES[node.name] + arguments, _ATOM, _LATEX_NAMES[node.name], arguments)
    left, right = below
    match node.operator:
        case "/":
            return _Piece(rf"\frac{{{left.text}}}{{{right.text}}}", _POWER)
        case "^":
            if left.name:
                return _Piece(f"{left.name}^{{{right.text}}}{left.arguments}", _POWER)
            base = left.text if left.level == _ATOM else _brackets(left.text)
            return _Piece(f"{base}^{{{right.text}}}", _POWER)
        case "*":
            first = _brackets(left.text) if left.level == _SUM else left.text
            second = _brackets(right.text) if right.level == _SUM or right.text.startswith("-") else right.text
            mixed = first[-1].isdigit() and second.startswith(r"\frac")  # 2 times 1/3 is no mixed number
            touching = second[0].isdigit() or mixed or (first == second and left.level == _ATOM)
            dot = r" \cdot " if touching else " " if first.endswith(r"\pi") and second[0].isalpha() else ""
            return _Piece(first + dot + second, _PRODUCT)
        case sign:
            loose = right.level == _SUM or right.text.startswith("-")
            return _Piece(left.text + sign + (_brackets(right.text) if loose else right.text), _SUM)


def _latex_number(node: Const) -> _Piece:
    if node.name:
        return _Piece(r"\pi" if node.name == "pi" else "e", _ATOM)
    text = _number(node.value)
    mantissa, exponent_mark, exponent = text.partition("e")
    if not exponent_mark:
        return _Piece(text, _ATOM)
    power = f"10^{{{int(exponent)}}}"
    return _Piece(power, _POWER) if mantissa == "1" else _Piece(rf"{mantissa} \cdot {power}", _PRODUCT)


def _number(value: float) -> str:
    return repr(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)


_LIBRARIES: dict[str, dict[str, str]] = {
    "torch": {"max": "maximum", "min": "minimum"},
    "numpy": {"atan": "arctan", "max": "maximum", "min": "minimum"},
    "math": {},
}


def python(tree: Node, prefix: str = "torch.") -> str:
    """A Python expression in x and y that evaluates a settled tree, for torch., np. (numpy.) or math.

    In torch x and y are floating-point tensors of one shape. NumPy has no erf of its own: where it occurs the
    expression uses `math.erf` as well. `math.` raises where the others give nan or inf. Raises ValueError for
    another prefix.
    """
    library = {"np": "numpy"}.get(prefix.rstrip("."), prefix.rstrip("."))
    if library not in _LIBRARIES:
        raise ValueError(f"prefix {prefix!r} is not allowed; give torch., np., numpy. or math.")
    text = fold(tree, lambda node, below: _python(node, below, prefix, library)).text
    return text if _has_variable(tree) else f"{text} + 0 * x"  # keeps shape, dtype and a (zero) derivative


def _has_variable(tree: Node) -> bool:
    return fold(tree, lambda node, below: isinstance(node, Var) or any(below))


def _python(node: Node, below: Sequence[_Piece], prefix: str, library: str) -> _Piece:
    if isinstance(node, Const):
        return _Piece(_number(node.value), _MINUS if node.value < 0 or str(node.value) == "-0.0" else _ATOM)
    if isinstance(node, Var):
        return _Piece(node.name, _ATOM)
    if isinstance(node, Call):
        return _python_call(node, below, prefix, library)
    left, right = below

    def held(piece: _Piece, level: int) -> str:
        return piece.text if piece.level >= level else f"({piece.text})"

    match node.operator:
        case "^":
            return _Piece(f"{held(left, _ATOM)}**{held(right, _MINUS)}", _POWER)
        case "*" | "/":
            return _Piece(f"{held(left, _PRODUCT)} {node.operator} {held(right, _MINUS)}", _PRODUCT)
        case sign:
            return _Piece(f"{held(left, _SUM)} {sign} {held(right, _PRODUCT)}", _SUM)


def _python_call(node: Call, below: Sequence[_Piece], prefix: str, library: str) -> _Piece:
    inside = [piece.text for piece in below]
    if node.name == "neg":
        return _Piece("-" + (inside[0] if below[0].level >= _MINUS else f"({inside[0]})"), _MINUS)
    if node.name == "sigmoid" and library != "torch":
        return _Piece(f"1 / (1 + {prefix}exp(-({inside[0]})))", _PRODUCT)
    if node.name == "erf" and library == "numpy":
        return _Piece(f"{prefix}vectorize(math.erf)({inside[0]})", _ATOM)
    if node.name in ("max", "min") and library == "torch":  # torch.maximum takes no plain number
        inside = [
            f"{prefix}full_like(x, {text})" if isinstance(child, Const) else text
            for child, text in zip(children(node), inside, strict=True)
        ]
    if library == "math" and node.name in ("max", "min", "abs"):
        return _Piece(f"{node.name}({', '.join(inside)})", _ATOM)
    if library == "math" and node.name == "sign":
        return _Piece(f"({prefix}copysign(1, s) if (s := {inside[0]}) else 0)", _ATOM)
    name = _LIBRARIES[library].get(node.name, node.name)
    return _Piece(f"{prefix}{name}({', '.join(inside)})", _ATOM)


def uses(tree: Node) -> frozenset[str]:
    """The names of the variables a tree depends on."""
    found: set[str] = set()
    fold(tree, lambda node, below: found.add(node.name) if isinstance(node, Var) else None)
    return frozenset(found)
