"""Programs as LLVM assembly text: one loop per function over arrays of points.

No fast-math flag anywhere, so nothing is reordered and no product is fused with a sum: each point's result
depends on that point alone, not on n, its place in the array, or whether the loop was vectorised. Where the processor
has 512-bit registers they are used: left alone, LLVM takes half of them.
"""

from __future__ import annotations

import struct

from engine.formula.program import Instruction, Program

_ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
_INTRINSICS = {
    "sin": "sin",
    "cos": "cos",
    "tan": "tan",
    "exp": "exp",
    "log": "log",
    "sqrt": "sqrt",
    "abs": "fabs",
    "tanh": "tanh",
    "sinh": "sinh",
    "cosh": "cosh",
    "atan": "atan",
    "floor": "floor",
    "pow": "pow",
    "max": "maximum",
    "min": "minimum",
}


def assembly(functions: dict[str, Program], real: str, word: str) -> str:
    """LLVM assembly of `void name(word n, real* x, real* y, real* out0, ...)` per program.

    `real`: "double" or "float"; `word`: the integer type as wide as a pointer, such as "i64".
    """
    declared: dict[str, str] = {}
    bodies = [_function(name, program, real, word, declared) for name, program in functions.items()]
    return "\n".join([*declared.values(), *bodies])


def _function(name: str, program: Program, real: str, word: str, declared: dict[str, str]) -> str:
    outputs = [f"out{k}" for k in range(len(program.outputs))]
    pointers = ", ".join(f"ptr noalias %{p}" for p in ("x", "y", *outputs))
    lines = [
        f'define void @{name}({word} %n, {pointers}) nounwind "prefer-vector-width"="512" {{',
        "entry:",
        f"  %any = icmp sgt {word} %n, 0",
        "  br i1 %any, label %loop, label %done",
        "loop:",
        f"  %i = phi {word} [0, %entry], [%next, %loop]",
    ]
    for k, instruction in enumerate(program.instructions):
        lines += _instruction(f"%v{k}", instruction, program, real, word, declared)
    for k, output in enumerate(program.outputs):
        lines += [
            f"  %at{k} = getelementptr inbounds {real}, ptr %out{k}, {word} %i",
            f"  store {real} {_operand(program, output, real)}, ptr %at{k}",
        ]
    lines += [
        f"  %next = add nuw nsw {word} %i, 1",
        f"  %more = icmp slt {word} %next, %n",
        "  br i1 %more, label %loop, label %done",
        "done:",
        "  ret void",
        "}",
    ]
    return "\n".join(lines)


def _operand(program: Program, slot: int, real: str) -> str:
    instruction = program.instructions[slot]
    return _constant(instruction.value, real) if instruction.operation == "const" else f"%v{slot}"


def _constant(value: float, real: str) -> str:
    """A number as LLVM wants it: the bits of a double, for float the double that equals the float."""
    if real == "float":
        try:
            value = struct.unpack("<f", struct.pack("<f", value))[0]
        except OverflowError:
            value = float("inf") if value > 0 else float("-inf")
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def _instruction(
    name: str, instruction: Instruction, program: Program, real: str, word: str, declared: dict[str, str]
) -> list[str]:
    operation = instruction.operation
    operands = [_operand(program, slot, real) for slot in instruction.operands]
    zero, one, minus_one, half = (_constant(value, real) for value in (0.0, 1.0, -1.0, 0.5))
    match operation:
        case "const":
            return []
        case "x" | "y":
            return [
                f"  {name}p = getelementptr inbounds {real}, ptr %{operation}, {word} %i",
                f"  {name} = load {real}, ptr {name}p",
            ]
        case "+" | "-" | "*" | "/":
            return [f"  {name} = {_ARITHMETIC[operation]} {real} {operands[0]}, {operands[1]}"]
        case "neg":
            return [f"  {name} = fneg {real} {operands[0]}"]
        case "sign":  # u itself where it is zero or nan
            u = operands[0]
            return [
                f"  {name}b = fcmp olt {real} {u}, {zero}",
                f"  {name}n = select i1 {name}b, {real} {minus_one}, {real} {u}",
                f"  {name}a = fcmp ogt {real} {u}, {zero}",
                f"  {name} = select i1 {name}a, {real} {one}, {real} {name}n",
            ]
        case "slope":
            a, b = operands
            return [
                f"  {name}m = fmul {real} {a}, {b}",
                f"  {name}z = fcmp oeq {real} {b}, {zero}",
                f"  {name} = select i1 {name}z, {real} {zero}, {real} {name}m",
            ]
        case "tied":
            a, b, p, q = operands
            return [
                f"  {name}s = fadd {real} {p}, {q}",
                f"  {name}h = fmul {real} {name}s, {half}",
                f"  {name}l = fcmp olt {real} {a}, {b}",
                f"  {name}t = select i1 {name}l, {real} {q}, {real} {name}h",
                f"  {name}g = fcmp ogt {real} {a}, {b}",
                f"  {name} = select i1 {name}g, {real} {p}, {real} {name}t",
            ]
    suffix = "f64" if real == "double" else "f32"
    function = (
        f"llvm.{_INTRINSICS[operation]}.{suffix}"
        if operation in _INTRINSICS
        else (operation if real == "double" else operation + "f")
    )
    kinds = ", ".join([real] * len(operands))
    pure = "" if function.startswith("llvm.") else " nounwind willreturn memory(none)"
    declared[function] = f"declare {real} @{function}({kinds}){pure}"
    return [f"  {name} = call {real} @{function}({', '.join(f'{real} {o}' for o in operands)})"]
