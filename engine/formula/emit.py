"""Programs as LLVM assembly text: one loop per function over arrays of points.

No fast-math flag anywhere, so nothing is reordered and no product of a formula is fused with a sum: each point's result
depends on that point alone, not on n, its place in the array, or whether the loop was vectorised. Where the processor
has 512-bit registers they are used: left alone, LLVM takes half of them.
"""

from __future__ import annotations

import struct

from engine.formula.program import Instruction, Program
from engine.formula.single import ANY, FUSED, IS_FAR, NEAR

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
    """One loop; where float32 sin or cos is in it a second one, for arrays with an argument too large for ours."""
    outputs = [f"out{k}" for k in range(len(program.outputs))]
    pointers = ", ".join(f"ptr noalias %{p}" for p in ("x", "y", *outputs))
    waves = real == "float" and any(one.operation in ("sin", "cos") for one in program.instructions)
    lines = [
        f'define void @{name}({word} %n, {pointers}) nounwind "prefer-vector-width"="512" {{',
        "entry:",
        f"  %any = icmp sgt {word} %n, 0",
        "  br i1 %any, label %loop, label %done",
        *_loop("", program, real, word, declared, "%entry", "check" if waves else "done"),
    ]
    if waves:
        lines += [
            "check:",
            "  %again = icmp ne i32 %far, 0",
            "  br i1 %again, label %wideloop, label %done",
            *_loop("wide", program, real, word, declared, "%check", "done"),
        ]
    return "\n".join([*lines, "done:", "  ret void", "}"])


def _loop(
    prefix: str, program: Program, real: str, word: str, declared: dict[str, str], before: str, after: str
) -> list[str]:
    """The blocks of one loop over the points. That before a check finds out whether there is a far argument."""
    v = f"%{prefix}v"
    index, following = f"%{prefix}i", f"%{prefix}next"
    lines = [f"{prefix}loop:", f"  {index} = phi {word} [0, {before}], [{following}, %{prefix}loop]"]
    checks = after == "check"
    if checks:
        lines.append("  %found = phi i32 [0, %entry], [%far, %loop]")
    fars: list[str] = []
    for k, instruction in enumerate(program.instructions):
        operands = [_operand(program, slot, real, v) for slot in instruction.operands]
        name = f"{v}{k}"
        lines += _instruction(name, instruction, operands, real, word, declared, index, bool(prefix))
        if checks and instruction.operation in ("sin", "cos"):
            lines += [
                f"  {name}far = call i1 @is_far(float {operands[0]})",
                f"  {name}w = zext i1 {name}far to i32",
            ]
            fars.append(f"{name}w")
    for k, output in enumerate(program.outputs):
        lines += [
            f"  %{prefix}at{k} = getelementptr inbounds {real}, ptr %out{k}, {word} {index}",
            f"  store {real} {_operand(program, output, real, v)}, ptr %{prefix}at{k}",
        ]
    so_far = "%found"
    for k, one in enumerate(fars):
        name = "%far" if k == len(fars) - 1 else f"%far{k}"
        lines.append(f"  {name} = or i32 {so_far}, {one}")
        so_far = name
    return [
        *lines,
        f"  {following} = add nuw nsw {word} {index}, 1",
        f"  %{prefix}more = icmp slt {word} {following}, %n",
        f"  br i1 %{prefix}more, label %{prefix}loop, label %{after}",
    ]


def _operand(program: Program, slot: int, real: str, v: str) -> str:
    instruction = program.instructions[slot]
    return _constant(instruction.value, real) if instruction.operation == "const" else f"{v}{slot}"


def _constant(value: float, real: str) -> str:
    """A number as LLVM wants it: the bits of a double, for float the double that equals the float."""
    if real == "float":
        try:
            value = struct.unpack("<f", struct.pack("<f", value))[0]
        except OverflowError:
            value = float("inf") if value > 0 else float("-inf")
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


def _instruction(
    name: str, instruction: Instruction, operands: list[str], real: str, word: str, declared: dict[str, str],
    index: str, wide: bool,
) -> list[str]:  # fmt: skip
    """Lines that compute `name`. `wide`: sin and cos of any float32 argument."""
    operation = instruction.operation
    zero, one, minus_one, half = (_constant(value, real) for value in (0.0, 1.0, -1.0, 0.5))
    if real == "float" and operation in NEAR:
        declared |= {"fused": FUSED, f"near_{operation}": NEAR[operation]}
        if operation in ANY:
            declared |= {"is_far": IS_FAR, f"any_{operation}": ANY[operation]}
            declared |= {f"llvm.{one}.f32": f"declare float @llvm.{one}.f32(float)" for one in ("fabs", operation)}
        which = "any" if operation in ANY and wide else "near"
        return [f"  {name} = call float @{which}_{operation}(float {operands[0]})"]
    match operation:
        case "const":
            return []
        case "x" | "y":
            return [
                f"  {name}p = getelementptr inbounds {real}, ptr %{operation}, {word} {index}",
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
