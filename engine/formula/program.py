"""Straight-line programs: elementary instructions in order, and the builder that makes each one only once."""

from __future__ import annotations

from dataclasses import dataclass

Slot = int | None  # number of an instruction; None: zero by structure, no instruction at all


@dataclass(frozen=True, slots=True)
class Instruction:
    """One elementary operation on earlier results.

    `operation`: const (with `value`), x, y, + - * /, neg, pow, a function's name, or
    tied(a, b, p, q): p where a > b, q where a < b, (p + q)/2 where neither;
    slope(a, b): a*b, and 0 where b is exactly 0.
    """

    operation: str
    operands: tuple[int, ...] = ()
    value: float = 0.0


@dataclass(frozen=True, slots=True)
class Program:
    """Instructions in order, and which of them is each of f, f_x, f_y, f_xx, f_xy, f_yy."""

    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]


class Builder:
    """Collects instructions. Only shortcuts that keep every bit of the result are taken."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self._known: dict[tuple[str, tuple[int, ...], str], int] = {}

    def emit(self, operation: str, *operands: int, value: float = 0.0) -> int:
        if operation in "+*":
            operands = tuple(sorted(operands))
        key = (operation, operands, value.hex())  # hex: -0.0 is not 0.0
        if key not in self._known:
            self._known[key] = len(self.instructions)
            self.instructions.append(Instruction(operation, operands, value))
        return self._known[key]

    def const(self, value: float) -> int:
        return self.emit("const", value=value)

    def slot(self, slot: Slot) -> int:
        return self.const(0.0) if slot is None else slot

    def _number(self, slot: int) -> float | None:
        instruction = self.instructions[slot]
        return instruction.value if instruction.operation == "const" else None

    def add(self, a: Slot, b: Slot) -> Slot:
        return b if a is None else a if b is None else self.emit("+", a, b)

    def sub(self, a: Slot, b: Slot) -> Slot:
        return self.neg(b) if a is None else a if b is None else self.emit("-", a, b)

    def neg(self, a: Slot) -> Slot:
        return None if a is None else self.emit("neg", a)

    def mul(self, a: Slot, b: Slot, operation: str = "*") -> Slot:
        if a is None or b is None:
            return None
        for one, other in ((a, b), (b, a)):
            if self._number(one) == 1.0:
                return other
            if self._number(one) == -1.0:
                return self.neg(other)
        return self.emit(operation, a, b)

    def div(self, a: Slot, b: int) -> Slot:
        return None if a is None else a if self._number(b) == 1.0 else self.emit("/", a, b)

    def times(self, number: float, a: Slot) -> Slot:
        return self.mul(self.const(number), a)
