"""Formulas: the parser, the derivatives, the compiled kernels, and calls to them from compiled loops.

Oracles: Python's own arithmetic (precedence), torch autograd (derivatives), finite differences, NumPy
operation by operation (bits).
"""

from __future__ import annotations

import gc
import importlib.util
import math
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.formula import Formula, FormulaError, parse
from engine.formula.compile import Kernel, _compile, compile

Doubles = np.ndarray[Any, np.dtype[np.float64]]

torch = pytest.importorskip("torch")
numba: Any = pytest.importorskip("numba")

# Value at (x, y) = (0.5, 2) by Python's own rules.
PRECEDENCE = [
    ("1+2*3", 7.0),
    ("2*3^2", 18.0),
    ("2^3^2", 512.0),
    ("2**3**2", 512.0),
    ("-x^2", -0.25),
    ("(-x)^2", 0.25),
    ("2^-x", 2**-0.5),
    ("-2^-2", -0.25),
    ("x-y-1", -2.5),
    ("x-(y-1)", -0.5),
    ("8/y/2", 2.0),
    ("8/(y/2)", 8.0),
    ("8/y*2", 8.0),
    ("-x*y", -1.0),
    ("x*-y", -1.0),
    ("x--y", 2.5),
    ("--x", 0.5),
    ("---x", -0.5),
    ("+x", 0.5),
    ("2x", 1.0),
    ("2x^2", 0.5),
    ("2x*y", 2.0),
    ("-2x", -1.0),
    ("3(x+1)", 4.5),
    ("2pi", 2 * math.pi),
    ("2e", 2 * math.e),
    ("2e1", 20.0),
    ("1e-3", 1e-3),
    (".5 + 1.", 1.5),
    ("2sin(x)^2", 2 * math.sin(0.5) ** 2),
    ("ln(y)", math.log(2)),
    ("e^y", math.exp(2)),
    ("max(x, y, 3)", 3.0),
    ("min(x, y)", 0.5),
    ("sigmoid(x)", 1 / (1 + math.exp(-0.5))),
    ("floor(-x) + sign(-y)", -2.0),
    ("erf(x)", math.erf(0.5)),
    ("x^-2", 4.0),
    ("x^0", 1.0),
    ("y^x", math.sqrt(2)),
    (" \t x\n+ y ", 2.5),
]


@pytest.mark.parametrize(("text", "expected"), PRECEDENCE)
def test_value_follows_the_rules_of_precedence(text: str, expected: float) -> None:
    assert float(compile(parse(text)).value(0.5, 2.0)) == pytest.approx(expected, rel=1e-15)


# Text and the words its error must hold.
HOSTILE: list[tuple[object, str]] = [
    ("x**(10**9)", "exponent 1e+09"),
    ("9**9**9", "-64 to 64"),
    ("x^65", "exponent 65"),
    ("x^-64.5", "exponent -64.5"),
    ("(" * 10_000 + "x" + ")" * 10_000, "at most 500"),
    ("-" * 10_000 + "x", "at most 500"),
    ("(" * 200 + "x" + ")" * 200, "nested too deeply at position 61"),
    ("^".join(["x"] * 80), "nested too deeply"),
    ("sin(" * 90 + "x" + ")" * 90, "at most 60 levels"),
    ("+".join("x" * 230), "at most 400"),
    ("__import__('os')", "unknown name '__import__' at position 1"),
    ("x.real", "'.' at position 2"),
    ("lambda: 0", "unknown name 'lambda'"),
    ("x if y else 1", "'if' at position 3"),
    ("", "empty"),
    (" \n ", "empty"),
    ("\x00", "'\\x00' at position 1"),
    ("x\ud800", "'\\ud800' at position 2"),
    ("２*x", "at position 1"),
    ("x²", "position 2"),
    ("∂x", "position 1"),
    (None, "not NoneType"),
    (b"x", "not bytes"),
    (b"\x00\xff", "not bytes"),
    (3.0, "not float"),
    ("1/2x", "two ways"),
    ("x y", "unexpected 'y' at position 3"),
    ("xy", "did you mean x*y?"),
    ("sqr(x)", "did you mean sqrt?"),
    ("2 3", "unexpected '3'"),
    ("2^3x", "unexpected 'x' at position 4"),
    ("(x)(y)", "unexpected '(' at position 4"),
    ("x(3)", "unexpected '(' at position 2"),
    ("sin x", "write sin(...)"),
    ("sin()", "unexpected ')'"),
    ("sin(x, y)", "exactly 1 argument, not 2"),
    ("max(x)", "2 or more arguments, not 1"),
    ("x, y", "unexpected ','"),
    ("x +", "ends too soon at position 4"),
    ("(x", "closing bracket"),
    ("x)", "unexpected ')' at position 2"),
    ("x = 3", "'=' at position 3"),
    ("1e999", "too large"),
    ("x + 1/0", "1/0 at position 6 is not a finite number"),
    ("log(-1)*x", "log(-1) at position 1"),
    ("exp(1000)", "not a finite number"),
    ("0^-1", "not a finite number"),
]


@pytest.mark.parametrize(("text", "words"), HOSTILE, ids=lambda value: repr(value)[:24])
def test_what_is_no_formula_gets_one_clear_line(text: object, words: str) -> None:
    with pytest.raises(FormulaError) as caught:
        parse(text)  # type: ignore[arg-type]
    message = str(caught.value)
    assert words in message
    assert message.isprintable() and message.isascii() and len(message) < 300


_SCRAPS = [
    "x",
    "y",
    "1",
    "2.5",
    "1e3",
    "(",
    ")",
    "+",
    "-",
    "*",
    "/",
    "^",
    "**",
    ",",
    "sin",
    "max(",
    "log(",
    "e",
    " ",
    "9",
]


@settings(max_examples=400, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(_SCRAPS), max_size=40).map("".join)))
def test_any_text_is_a_formula_or_a_formula_error(text: str) -> None:
    began = time.process_time()
    try:
        formula = parse(text)
    except FormulaError as error:
        assert "\n" not in str(error)
    else:
        assert formula.latex and formula.python()
    assert time.process_time() - began < 5  # never hangs


def test_a_parse_loads_no_compiler() -> None:
    script = "import sys; import engine.formula, engine.surfaces as s; [e.formula for e in s.SURFACES.values()]; "
    script += "print(sorted({'numba', 'llvmlite', 'torch'} & set(sys.modules)))"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


LATEX = [
    ("100*(y - x^2)^2 + (1 - x)^2", r"100\left(y-x^{2}\right)^{2}+(1-x)^{2}"),
    ("0.01*x^2 + 5*y^2", r"0.01x^{2}+5y^{2}"),
    ("(x^2 + 100*y^2)/2", r"\frac{x^{2}+100y^{2}}{2}"),
    ("20 + x^2 - 10*cos(2*pi*x)", r"20+x^{2}-10\cos(2\pi x)"),
    ("exp(-x^2)", r"e^{-x^{2}}"),
    ("(exp(x))^2", r"\left(e^{x}\right)^{2}"),
    ("sin(x)^2", r"\sin^{2}(x)"),
    ("sqrt(x/2)", r"\sqrt{\frac{x}{2}}"),
    ("x-(y-1)", r"x-(y-1)"),
    ("-(x+y)*2", r"-(x+y) \cdot 2"),
    ("x*-y", r"x(-y)"),
    ("x*x", r"x \cdot x"),
    ("2*(1/3)", r"2 \cdot \frac{1}{3}"),
    ("1e-12*x", r"10^{-12}x"),
    ("abs(x)+ln(y)", r"\left|x\right|+\ln(y)"),
]


@pytest.mark.parametrize(("text", "latex"), LATEX)
def test_latex(text: str, latex: str) -> None:
    assert parse(text).latex == latex


def test_every_piece_of_latex_can_be_typeset() -> None:
    ziamath = pytest.importorskip("ziamath")
    for text in [text for text, _ in LATEX] + SMOOTH + KINKED:
        assert "<svg" in ziamath.Latex("f(x, y) = " + parse(text).latex).svg()


# Smooth for x in (0.3, 2) and y in (0.3, 2).
SMOOTH = [
    "3",
    "x",
    "y^2",
    "x*y - y/x",
    "x^3*y^5 - x^7/y^3",
    "(x + 2y)^-2",
    "x^64/1e20 + y^63/1e20",
    "x^0.5*y^1.5 + (x*y)^-2.25",
    "x^y + 2^x + y^(x*y)",
    "sin(x*y)*cos(x - y) + tan(x/2)",
    "exp(-x^2 - y)*log(x + y)",
    "sqrt(x^2 + y^2) + sqrt(x)*y",
    "abs(x - 3)*y + sigmoid(3*x - y)^2",
    "tanh(x*y) + sinh(x - y) + cosh(x + y/2)",
    "atan(x/y) + erf(x*y - 1)",
    "1/(1 + exp(-x))/(1 + y^2)",
    "((x + y)^2 + (x + y)^3)/(1 + (x + y)^2)",
    "e^(x - y)*pi",
]
# With kinks and jumps, hit by chance alone.
KINKED = [
    "max(x, y)^2 + min(x*y, 1)*x",
    "max(x^2, y, 0.7*x*y)",
    "floor(3*x)*y^2 + sign(x - y)*x^2",
    "abs(sin(5*x) - y)^3",
]


def _autograd(text: str, x: Doubles, y: Doubles) -> list[Doubles]:
    """f, f_x, f_y, f_xx, f_xy, f_yy by torch in float64 of the exported expression."""
    tx, ty = (torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in (x, y))
    f = eval(parse(text).python("torch."), {"torch": torch, "x": tx, "y": ty})

    def partial(of: Any, by: Any) -> Any:
        if not of.requires_grad:
            return torch.zeros_like(tx)
        got = torch.autograd.grad(of.sum(), by, create_graph=True, allow_unused=True)[0]
        return torch.zeros_like(tx) if got is None else got

    fx, fy = partial(f, tx), partial(f, ty)
    parts = [f, fx, fy, partial(fx, tx), partial(fx, ty), partial(fy, ty)]
    return [part.detach().numpy(force=True) for part in parts]


def _points(n: int, low: float = 0.3, high: float = 2.0) -> tuple[Doubles, Doubles]:
    x, y = np.random.default_rng(7).uniform(low, high, (2, n))
    return x, y


@pytest.mark.parametrize("text", SMOOTH + KINKED)
def test_derivatives_are_those_of_autograd(text: str) -> None:
    x, y = _points(200)
    mine = compile(parse(text)).hessian(x, y)
    for got, wanted in zip(mine, _autograd(text, x, y), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=2e-11, atol=1e-11 * max(1.0, float(np.abs(wanted).max())))


@pytest.mark.parametrize("text", SMOOTH)
def test_derivatives_are_those_of_finite_differences(text: str) -> None:
    x, y = _points(50)
    kernel, h = compile(parse(text)), 1e-6
    f, fx, fy, fxx, fxy, fyy = kernel.hessian(x, y)
    scale = 1 + sum(np.abs(part) for part in (f, fx, fy, fxx, fxy, fyy))
    right, left = kernel.gradient(x + h, y), kernel.gradient(x - h, y)
    up, down = kernel.gradient(x, y + h), kernel.gradient(x, y - h)
    first = [(fx, right[0] - left[0]), (fy, up[0] - down[0])]
    second = [(fxx, right[1] - left[1]), (fxy, up[1] - down[1]), (fyy, up[2] - down[2])]
    for got, difference in first + second:
        assert np.all(np.abs(got - difference / (2 * h)) < 1e-6 * scale)


# At the kink itself: text, point, (f, f_x, f_y), as the documentation of engine.formula.parse says.
AT_KINKS = [
    ("abs(x)", (0.0, 1.0), (0.0, 0.0, 0.0)),
    ("sign(x)*y", (0.0, 1.0), (0.0, 0.0, 0.0)),
    ("floor(x)*y", (2.0, 1.0), (2.0, 0.0, 2.0)),
    ("max(x, y)", (1.5, 1.5), (1.5, 0.5, 0.5)),
    ("min(3*x, y)", (0.5, 1.5), (1.5, 1.5, 0.5)),
    ("max(x, 0)", (0.0, 0.0), (0.0, 0.5, 0.0)),
    ("sqrt(x^2 + y^2)", (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("(x^2 + y^2)^0.75", (0.0, 0.0), (0.0, 0.0, 0.0)),
    ("x^2*y", (0.0, 3.0), (0.0, 0.0, 0.0)),
]


@pytest.mark.parametrize(("text", "point", "expected"), AT_KINKS)
def test_derivative_at_a_kink(text: str, point: tuple[float, float], expected: tuple[float, ...]) -> None:
    assert tuple(map(float, compile(parse(text)).gradient(*point))) == expected


@pytest.mark.parametrize("text", ["max(x, y)", "min(3*x, y)", "max(x, 0)*y", "abs(x - y)"])
def test_kinks_count_as_in_torch(text: str) -> None:
    point = (np.array([1.5, 0.5, 0.0]), np.array([1.5, 1.5, 0.0]))
    for got, wanted in zip(compile(parse(text)).gradient(*point), _autograd(text, *point), strict=False):
        np.testing.assert_array_equal(got, wanted)


def test_outside_its_domain_a_function_gives_nan_or_inf() -> None:
    assert math.isnan(compile(parse("log(x)")).value(-1.0, 0.0))
    assert float(compile(parse("1/x")).value(0.0, 0.0)) == math.inf
    assert math.isnan(compile(parse("max(x, y)")).value(math.nan, 1.0))
    assert math.isnan(compile(parse("max(x, y)")).value(1.0, math.nan))
    f, fx, fy = map(float, compile(parse("x^y")).gradient(-2.0, 3.0))
    assert f == -8.0 and fx == pytest.approx(12.0) and math.isnan(fy)  # as documented: log u needs u > 0


@pytest.mark.parametrize("text", SMOOTH + KINKED)
@pytest.mark.parametrize("prefix", ["np.", "math.", "torch."])
def test_the_python_expression_evaluates_as_the_kernel(text: str, prefix: str) -> None:
    x, y = _points(40)
    wanted = compile(parse(text)).value(x, y)
    expression, names = parse(text).python(prefix), {"np": np, "math": math, "torch": torch}
    if prefix == "math.":
        got = np.array(
            [eval(expression, {**names, "x": a, "y": b}) for a, b in zip(x.tolist(), y.tolist(), strict=True)]
        )
    elif prefix == "np.":
        got = eval(expression, {**names, "x": x, "y": y})
    else:
        got = eval(expression, {**names, "x": torch.tensor(x), "y": torch.tensor(y)}).numpy()
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=5e-14, atol=1e-14)


def test_the_python_expression_of_another_library_is_refused() -> None:
    with pytest.raises(ValueError, match="jax"):
        parse("x").python("jax.")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_arithmetic_has_the_bits_of_numpy_with_nothing_fused_or_reordered(dtype: Any) -> None:
    x, y = (v.astype(dtype) for v in _points(5_000, -2.0, 2.0))
    hundred, one, two, half = (dtype(v) for v in (100, 1, 2, 0.5))
    inner, outer = y - x * x, one - x
    f, _, fy = compile(parse("100*(y - x*x)^2 + (1 - x)^2"), dtype).gradient(x, y)
    np.testing.assert_array_equal(f, hundred * (inner * inner) + outer * outer)
    np.testing.assert_array_equal(fy, hundred * (two * inner))
    g = compile(parse("x*y + 0.5*x - y/x + sqrt(abs(x*y))"), dtype).value(x, y)
    np.testing.assert_array_equal(g, x * y + half * x - y / x + np.sqrt(np.abs(x * y)))


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("text", SMOOTH + KINKED)
def test_bits_depend_neither_on_chunking_nor_on_the_function_asked(text: str, dtype: Any) -> None:
    x, y = (v.astype(dtype) for v in _points(1_000))
    kernel = compile(parse(text), dtype)
    whole = kernel.hessian(x, y)
    assert all(part.dtype == dtype and part.shape == x.shape for part in whole)
    singly = [kernel.hessian(a, b) for a, b in zip(x, y, strict=True)]
    for part, ones in zip(whole, zip(*singly, strict=True), strict=True):
        np.testing.assert_array_equal(part, np.array(ones))
    for part, wanted in zip(kernel.gradient(x[3:], y[3:]), whole[:3], strict=True):
        np.testing.assert_array_equal(part, wanted[3:])
    np.testing.assert_array_equal(kernel.value(x[:-5], y[:-5]), whole[0][:-5])


@pytest.mark.parametrize("text", SMOOTH)
def test_float32_is_float64_rounded(text: str) -> None:
    x, y = (v.astype(np.float32) for v in _points(300))
    for part, wanted in zip(compile(parse(text), np.float32).gradient(x, y),
                            compile(parse(text)).gradient(x, y), strict=True):  # fmt: skip
        np.testing.assert_allclose(part, wanted, rtol=2e-4, atol=2e-5 * max(1.0, float(np.abs(wanted).max())))


@pytest.mark.parametrize(
    ("name", "low", "high", "ulps"),
    [("sin", -20, 20, 0.51), ("sin", -1e6, 1e6, 0.51), ("sin", -1e30, 1e30, 1.0), ("cos", -20, 20, 0.51),
     ("cos", -2.6e8, 2.6e8, 0.6), ("cos", -1e10, 1e10, 1.0), ("exp", -104, 89, 0.51), ("exp", -1, 1, 0.51)],
)  # fmt: skip
def test_float32_functions_round_what_float64_gives(name: str, low: float, high: float, ulps: float) -> None:
    x = np.random.default_rng(5).uniform(low, high, 200_001).astype(np.float32)
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x.astype(np.float64))
        nearest = wanted.astype(np.float32)
    got = compile(parse(f"{name}(x)"), np.float32).value(x, np.float32(0))
    finite = np.isfinite(nearest)
    np.testing.assert_array_equal(got[~finite], nearest[~finite])
    error = np.abs(got[finite].astype(np.float64) - wanted[finite])
    assert np.all(error <= ulps * np.spacing(np.abs(nearest[finite])))


def test_float32_functions_of_the_special_numbers() -> None:
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 1e-40, -1e-40, 3e38, -3e38, 2.0**28, 88.8, -103.9], np.float32)
    for name in ("sin", "cos", "exp"):
        with np.errstate(all="ignore"):
            wanted = getattr(np, name)(x.astype(np.float64)).astype(np.float32)
        got = compile(parse(f"{name}(x)"), np.float32).value(x, np.float32(0))
        np.testing.assert_array_equal(got, wanted)
        np.testing.assert_array_equal(np.signbit(got[:2]), np.signbit(wanted[:2]))


def test_a_far_argument_changes_no_bit_of_its_neighbours() -> None:
    x, y = (v.astype(np.float32) for v in _points(100))
    kernel = compile(parse("abs(sin(3*x)) + cos(x*y)*exp(-y) + cos(exp(y))"), np.float32)
    alone = kernel.gradient(x, y)
    for far in (1e9, np.inf, np.nan):
        beside = kernel.gradient(np.append(x, np.float32(far)), np.append(y, np.float32(0)))
        for part, wanted in zip(beside, alone, strict=True):
            np.testing.assert_array_equal(part[:-1], wanted)


def test_points_broadcast() -> None:
    kernel = compile(parse("x - 2*y"))
    x, y = np.linspace(0, 1, 5), np.linspace(0, 2, 3)[:, None]
    f, fx, fy = kernel.gradient(x, y)
    np.testing.assert_array_equal(f, x - 2 * y)
    assert fx.shape == fy.shape == (3, 5) and np.all(fx == 1) and np.all(fy == -2)
    assert kernel.value([], []).shape == (0,)
    assert kernel.value(1, 2).shape == ()


def test_a_formula_is_a_value() -> None:
    formula = parse(" x^2 + y ")
    assert formula == parse("x^2 + y") and hash(formula) == hash(parse("x^2 + y"))
    assert formula.text == "x^2 + y" and formula.variables == ("x", "y")
    assert parse("x*0 + 1").variables == ("x",)
    long = parse("+".join("x" * 190))
    assert pickle.loads(pickle.dumps(long)) == long and isinstance(long, Formula)
    with pytest.raises(AttributeError):
        formula.text = "y"  # type: ignore[misc]


def test_kernels_are_remembered_and_other_dtypes_refused() -> None:
    assert compile(parse("x + y/7")) is compile(parse("x + y/7"))
    with pytest.raises(ValueError, match="float16"):
        compile(parse("x"), np.float16)


def test_a_kernel_that_is_held_outlives_the_memory_of_the_compiler() -> None:
    first = compile(parse("x + 0.125"))
    _compile.cache_clear()
    for k in range(5):  # where the forgotten ones may have been
        compile(parse(f"x + {k}"), np.float32)
    gc.collect()
    assert float(first.value(1.0, 0.0)) == 1.125


def test_threads_may_compile_and_call_at_once() -> None:
    x, y = _points(2_000)
    texts = [f"sin({k}*x)*y + x^{k}" for k in range(1, 7)]
    kernels: dict[tuple[int, str], Kernel] = {}
    wrong: list[str] = []

    def work(worker: int) -> None:
        for text in texts:
            kernel = kernels[worker, text] = compile(parse(text))
            k = int(text[4])
            if not np.allclose(kernel.value(x, y), np.sin(k * x) * y + x**k, rtol=1e-12):
                wrong.append(text)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert all(kernels[0, text] is kernels[3, text] for text in texts)


LOOP = '''
import numpy as np
from numba import njit
from engine.formula.call import call_gradient, call_hessian, call_value

@njit(nogil=True, cache=True)
def descend(address, x, y, rate, steps):
    """Gradient descent of n points; work arrays are made here, so arrays are passed, not addresses."""
    f, fx, fy = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    for _ in range(steps):
        call_gradient(address, x.size, x, y, f, fx, fy)
        for i in range(x.size):
            x[i] -= rate * fx[i]
            y[i] -= rate * fy[i]

@njit(nogil=True, cache=True)
def by_number(value, hessian, n, x, y, out):
    call_value(value, n, x, y, out)
    call_hessian(hessian, n, x, y, out, out + 8 * n, out + 16 * n, out + 24 * n, out + 32 * n, out + 40 * n)
'''


def _load(path: Path, name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_one_cached_loop_serves_every_formula(tmp_path: Path) -> None:
    path = tmp_path / "loop_for_formulas.py"
    path.write_text(LOOP)
    module = _load(path, "loop_for_formulas")
    for text, slope in (("(x^2 + 3*y^2)/2", lambda x, y: (x, 3 * y)),
                        ("sin(x) + y^3", lambda x, y: (np.cos(x), 3 * y * y))):  # fmt: skip
        kernel = compile(parse(text))
        x, y = _points(100)
        wx, wy = x.copy(), y.copy()
        module.descend(kernel.gradient_address, x, y, 0.1, 5)
        for _ in range(5):
            gx, gy = slope(wx, wy)  # type: ignore[no-untyped-call]
            wx, wy = wx - 0.1 * gx, wy - 0.1 * gy
        np.testing.assert_allclose(x, wx, rtol=1e-13)
        np.testing.assert_allclose(y, wy, rtol=1e-13)
        out = np.empty((6, 100))
        module.by_number(
            kernel.value_address, kernel.hessian_address, 100, x.ctypes.data, y.ctypes.data, out.ctypes.data
        )
        np.testing.assert_array_equal(out, kernel.hessian(x, y))
    assert len(module.descend.signatures) == 1 and len(module.by_number.signatures) == 1

    again = _load(path, "loop_for_formulas")  # a later start of the program: from disk, compiled nowhere
    x, y = _points(10)
    again.descend(compile(parse("x*y")).gradient_address, x, y, 0.1, 1)
    assert sum(again.descend.stats.cache_hits.values()) == 1
    assert not again.descend.stats.cache_misses


def test_float32_and_optimizer_kernels_are_called_by_the_same_family() -> None:
    carray, cfunc, njit, types = numba.carray, numba.cfunc, numba.njit, numba.types
    from engine.formula.call import call_look_ahead, call_update, call_value

    pointer, real = types.CPointer(types.float32), types.CPointer(types.float64)

    @cfunc(types.void(types.intp, *[pointer] * 5, types.int64, types.float64, real))  # type: ignore[untyped-decorator]
    def update(n: Any, p: Any, g: Any, s0: Any, s1: Any, s2: Any, t: Any, lr: Any, h: Any) -> None:
        hyper = carray(h, 1)
        for i in range(n):
            s0[i] = hyper[0] * s0[i] + g[i]
            s1[i] = t
            p[i] -= lr * s0[i]

    @cfunc(types.void(types.intp, *[pointer] * 3, types.float64, real))  # type: ignore[untyped-decorator]
    def look_ahead(n: Any, p: Any, s0: Any, out: Any, lr: Any, h: Any) -> None:
        for i in range(n):
            out[i] = p[i] - lr * carray(h, 1)[0] * s0[i]

    @njit(nogil=True)  # type: ignore[untyped-decorator]
    def step(rule: Any, ahead: Any, value: Any, p: Any, g: Any, s0: Any, s1: Any, s2: Any, out: Any, h: Any) -> None:
        call_update(rule, p.size, p, g, s0, s1, s2, 7, 0.5, h)
        call_look_ahead(ahead, p.size, p, s0, out, 0.5, h)
        call_value(value, p.size, p, g, s2)

    p, g, s0, s1, s2, out = (np.full(5, v, np.float32) for v in (1, 2, 4, 0, 0, 0))
    kernel = compile(parse("x + 10*y"), np.float32)
    step(update.address, look_ahead.address, kernel.value_address, p, g, s0, s1, s2, out, np.array([0.5]))
    assert s0.tolist() == [4.0] * 5 and s1.tolist() == [7.0] * 5 and p.tolist() == [-1.0] * 5
    assert out.tolist() == [-2.0] * 5 and s2.tolist() == [19.0] * 5


def test_a_strided_array_is_refused_where_it_would_be_misread() -> None:
    from numba.core.errors import TypingError

    from engine.formula.call import call_value

    @numba.njit  # type: ignore[untyped-decorator]
    def run(address: Any, x: Any, y: Any, f: Any) -> None:
        call_value(address, x.size, x, y, f)

    with pytest.raises(TypingError, match="C-contiguous"):
        run(compile(parse("x")).value_address, np.zeros(6)[::2], np.zeros(3), np.zeros(3))


def test_what_compiled_a_formula_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slider that moves a constant asks for thirty formulas a second: 75 kB of each would stay for good."""
    from llvmlite.binding.newpassmanagers import NewPassManager

    given_back, dispose = [], NewPassManager._dispose
    monkeypatch.setattr(NewPassManager, "_dispose", lambda passes: (given_back.append(passes), dispose(passes)))
    kernel = compile(parse("x^2 + 0.123456789*y^2"))
    assert len(given_back) == 1 and given_back[0].closed
    assert kernel.value(1.0, 2.0) == pytest.approx(1.493827156)
