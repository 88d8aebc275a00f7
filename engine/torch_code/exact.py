"""A formula's derivatives as plain Python that rounds exactly as the compiled kernels do.

Kernels call the C library's exp, sin and so on, as Python's `math` does; NumPy and torch bring their own, which differ
in the last bit. So each instruction of the program becomes the same operation on NumPy scalars (which, unlike Python
numbers, overflow to inf) and `math` functions.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engine.formula.program import Instruction, Program

_LIBRARY = {"sin", "cos", "tan", "exp", "log", "sqrt", "tanh", "sinh", "cosh", "atan", "erf", "floor", "pow"}
_LONGEST = 45  # characters of an expression before it gets a name of its own
_SUM, _PRODUCT, _ATOM = 1, 2, 3

_MATH_LIBRARY = '''\
def libm(name, *numbers):
    """A function of the C library, with inf and nan where Python would raise."""
    try:
        return np.float64(getattr(math, name)(*numbers))
    except (ValueError, OverflowError):
        return np.float64(getattr(np, {"pow": "power"}.get(name, name))(*numbers))
'''


def math_library(*programs: Program) -> str:
    """The helper that the functions of `derivatives` call; empty where none is needed."""
    called = any(i.operation in _LIBRARY for program in programs for i in program.instructions)
    return _MATH_LIBRARY if called else ""


def derivatives(program: Program, name: str, doc: str) -> str:
    """The source of `name(x, y)`, which returns the program's outputs for NumPy scalars x and y.

    Instructions used once are written into the line that uses them; brackets keep the order of rounding.
    """
    used = Counter(slot for i in program.instructions for slot in i.operands)
    used.update({slot: 2 for slot in program.outputs})  # outputs keep names of their own
    pieces: list[tuple[str, int]] = []
    lines: list[str] = []
    for k, instruction in enumerate(program.instructions):
        text, level = _expression(instruction, [pieces[slot] for slot in instruction.operands])
        plain = instruction.operation in ("const", "x", "y")
        repeats = instruction.operation in ("tied", "slope")  # their text names an operand twice
        feeds = any(k in i.operands for i in program.instructions if i.operation in ("tied", "slope"))
        if not plain and (used[k] > 1 or repeats or feeds or len(text) > _LONGEST):
            lines.append(f"    {_name(k, program)} = {text}")
            text, level = _name(k, program), _ATOM
        pieces.append((text, level))
    told = ", ".join(pieces[slot][0] for slot in program.outputs)
    return "\n".join([f"def {name}(x, y):", f'    """{doc}"""', *lines, f"    return {told}", ""])


def _name(slot: int, program: Program) -> str:
    names = ("f", "f_x", "f_y", "f_xx", "f_xy", "f_yy")
    return names[program.outputs.index(slot)] if slot in program.outputs else f"v{slot}"


def _expression(instruction: Instruction, operands: list[tuple[str, int]]) -> tuple[str, int]:
    def held(k: int, least: int) -> str:
        text, level = operands[k]
        return text if level >= least else f"({text})"

    bare = [text for text, _ in operands]
    match instruction.operation:
        case "const":
            return repr(instruction.value), _ATOM if instruction.value >= 0 else _SUM
        case "x" | "y":
            return instruction.operation, _ATOM
        case "+" | "-":
            return f"{held(0, _SUM)} {instruction.operation} {held(1, _PRODUCT)}", _SUM
        case "*" | "/":
            return f"{held(0, _PRODUCT)} {instruction.operation} {held(1, _ATOM)}", _PRODUCT
        case "neg":
            return f"-{held(0, _ATOM)}", _SUM
        case "slope":
            return f"0.0 if {bare[1]} == 0 else {held(0, _PRODUCT)} * {held(1, _ATOM)}", 0
        case "tied":
            a, b, p, q = bare
            return f"{p} if {a} > {b} else {q} if {a} < {b} else ({p} + {q}) * 0.5", 0
        case "abs":
            return f"abs({bare[0]})", _ATOM
        case "sign" | "max" | "min":
            name = {"max": "maximum", "min": "minimum"}.get(instruction.operation, "sign")
            return f"np.{name}({', '.join(bare)})", _ATOM
        case name:
            return f'libm("{name}", {", ".join(bare)})', _ATOM


def where_autograd_fails(program: Program, x: NDArray[Any], y: NDArray[Any]) -> NDArray[np.bool_]:
    """At which points the program takes 0 times infinity for 0, where autograd gives nan (sqrt(x^2) at 0)."""
    found = np.zeros(np.shape(x), bool)
    if not any(i.operation == "slope" for i in program.instructions):
        return found
    values: list[Any] = []
    with np.errstate(all="ignore"):
        for instruction in program.instructions:
            operands = [values[slot] for slot in instruction.operands]
            if instruction.operation == "slope":
                found |= (operands[1] == 0) & ~np.isfinite(operands[0])
            values.append(_evaluate(instruction, operands, x, y))
    return found


def _evaluate(instruction: Instruction, operands: list[Any], x: NDArray[Any], y: NDArray[Any]) -> Any:
    match instruction.operation:
        case "const":
            return np.float64(instruction.value)
        case "x" | "y":
            return x if instruction.operation == "x" else y
        case "slope":
            return np.where(operands[1] == 0, 0.0, operands[0] * operands[1])
        case "tied":
            a, b, p, q = operands
            return np.where(a > b, p, np.where(a < b, q, 0.5 * (p + q)))
        case "erf":  # only whether it is zero or finite matters here
            return np.tanh(operands[0])
    names = {"+": "add", "-": "subtract", "*": "multiply", "/": "divide", "neg": "negative", "max": "maximum",
             "min": "minimum"}  # fmt: skip
    return getattr(np, names.get(instruction.operation, instruction.operation))(*operands)
