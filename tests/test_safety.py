"""What a reader or a file gives is never executed: no eval, no pickle, no templates of theirs; the parser holds."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.formula import FormulaError, parse
from engine.formula.compile import compile

ROOT = Path(__file__).resolve().parents[1]
CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "yaml", "code", "codeop", "imp"}
SHELLS = {"os.system", "os.popen", "os.execl", "os.spawnl", "commands.getoutput", "subprocess.getoutput"}
LOADERS = {"torch.load", "torch.jit.load", "torch.hub.load", "numpy.fromregex", "pandas.read_pickle"}
# Looks modules up by a name: of an experiment, which is checked against the files that are there, and at set-up.
LOOK_UP = {"engine/experiments/__init__.py", "gui/views/__init__.py", "engine/setup/warm.py"}
CONSTANT = re.compile(r"_?[A-Z][A-Z0-9_]*")


def sources() -> list[Path]:
    """Every Python file that the app is made of."""
    return sorted([ROOT / "main.py", *(ROOT / "engine").rglob("*.py"), *(ROOT / "gui").rglob("*.py")])


def faults(tree: ast.Module, name: str) -> Iterator[str]:
    """Every line of a file that might execute or unpack what it is given."""
    own = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("engine", "gui"))
        for alias in node.names
    } | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            yield from (f"imports {one}" for one in names if one.partition(".")[0] in MODULES)
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        given = {word.arg: word.value for word in node.keywords}
        if called in CALLS - own:
            yield f"calls {called}"
        if called in SHELLS | LOADERS:
            yield f"calls {called}"
        if (
            called.endswith(("np.load", "numpy.load"))
            and ast.unparse(given.get("allow_pickle", ast.Name(""))) != "False"
        ):
            yield f"{called} without allow_pickle=False"
        if called.partition(".")[0] == "subprocess" and ast.unparse(given.get("shell", ast.Constant(False))) != "False":
            yield f"{called} by a shell"
        if called.endswith("import_module") and name not in LOOK_UP and not isinstance(node.args[0], ast.Constant):
            yield "imports a module by a name it is given"
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("format", "format_map"):
            yield from _format(node.func.value)


def _format(template: ast.expr) -> Iterator[str]:
    """A template must be the app's own: written out, or a constant (also one of a table of them)."""
    while isinstance(template, ast.Subscript):
        template = template.value
    words = ast.unparse(template)
    plain = isinstance(template, ast.Constant | ast.BinOp) or words in ("self", "head", "loop")
    if not plain and not CONSTANT.fullmatch(words.rpartition(".")[2]):
        yield f"{words}.format: a template that is not a constant"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_given_is_executed(path: Path) -> None:
    name = path.relative_to(ROOT).as_posix()
    wrong = list(faults(ast.parse(path.read_text(encoding="utf-8")), name))
    assert not wrong, f"{name} {'; '.join(wrong)}"


@pytest.mark.parametrize(
    "line",
    [
        "eval(x)", "exec('1')", "import pickle", "from marshal import loads", "torch.load(f)", "np.load(f)",
        "np.load(f, allow_pickle=True)", "os.system('x')", "subprocess.run(a, shell=True)", "words.format(1)",
        "importlib.import_module(name)", "__import__(name)", "compile(x, '', 'exec')", "import yaml",
    ],
)  # fmt: skip
def test_the_search_finds_what_it_is_for(line: str) -> None:
    assert list(faults(ast.parse(line), "engine/x.py"))


@pytest.mark.parametrize(
    "line", ["np.load(f, allow_pickle=False)", "'{}'.format(1)", "_RUN.format(1)", "subprocess.run(a)", "x.eval()"]
)
def test_the_search_leaves_the_rest_alone(line: str) -> None:
    assert not list(faults(ast.parse(line), "engine/x.py"))


def test_presets_and_data_are_plain() -> None:
    """Presets are JSON, arrays are stored without objects, and no other kind of data is shipped."""
    for path in (ROOT / "resources" / "presets").rglob("*.json"):
        json.loads(path.read_text(encoding="utf-8"))
    for path in (ROOT / "resources").rglob("*.npz"):
        with np.load(path, allow_pickle=False) as stored:
            assert all(stored[name].dtype != object for name in stored.files)
    kinds = {path.suffix for path in (ROOT / "resources").rglob("*") if path.is_file()}
    assert not kinds & {".pkl", ".pickle", ".pt", ".pth", ".joblib", ".py", ".npy"}, kinds


# -- the parser --------------------------------------------------------------------------------------------------------

LEAVES = st.sampled_from(["x", "y", "pi", "e", "0", "1", "2", "0.5", ".1", "1e3", "3e-7", "7."])
FUNCTIONS = st.sampled_from(
    ["sin", "cos", "tan", "exp", "log", "ln", "sqrt", "abs", "tanh", "atan", "floor", "sign", "no_such"]
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    space = st.sampled_from(["", " ", "  "])
    binary = st.tuples(inner, space, st.sampled_from(["+", "-", "*", "/", "^", "**"]), space, inner).map("".join)
    return st.one_of(
        binary,
        inner.map("({})".format),
        inner.map("-{}".format),
        st.tuples(FUNCTIONS, inner).map(lambda part: f"{part[0]}({part[1]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(lambda part: f"{part[0]}({part[1]}, {part[2]})"),
    )


FORMULAS = st.recursive(LEAVES, _larger, max_leaves=12)
HOSTILE = (
    "__import__('os').system('x')", "().__class__.__bases__", "{0.__class__}", "%s%n%x", "lambda: 0", "x if y else x",
    "[x for x in y]", "x; y", "x\ny", "open('a')", "x.real", "x[0]", "f'{x}'", "x := 1", "`x`", "\\x41", "x\x00y",
    "\ud800", "９", "х^2", "x²", "9" * 500, "x" * 501, "(" * 250 + "x" + ")" * 249, "-" * 499 + "x", "x^x^x^x^x^x^x^x",
    "2^2^2^2^2^2^2", "sin" * 100, "1e999", "0x10", "1_000", "1j", "nan", "inf", "None", "True", "exp(exp(exp(exp(9))))",
)  # fmt: skip


def holds(text: str) -> Any:
    """The formula of a text, read without fault: itself again when written out; None where it is refused in a line."""
    try:
        formula = parse(text)
    except FormulaError as error:
        assert len(str(error).splitlines()) == 1 and len(str(error)) < 400, str(error)
        return None
    assert parse(formula.text).text == formula.text
    assert formula.latex
    return formula


@given(FORMULAS)
@settings(max_examples=200)
def test_what_the_grammar_makes_is_read_or_told(text: str) -> None:
    holds(text)


@given(FORMULAS, st.lists(st.tuples(st.integers(0, 400), st.characters()), min_size=1, max_size=4))
@settings(max_examples=200)
def test_a_spoilt_formula_is_read_or_told(text: str, spoilt: list[tuple[int, str]]) -> None:
    for at, sign in spoilt:
        at %= len(text) + 1
        text = text[:at] + sign + text[at + 1 :]
    holds(text)


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text)[:30])
def test_hostile_texts_are_told(text: str) -> None:
    holds(text)


@given(FORMULAS.filter(lambda text: "no_such" not in text))
@settings(max_examples=15)
def test_what_is_read_can_be_computed_anywhere(text: str) -> None:
    formula = holds(text)
    if formula is not None:
        at = np.array([0.0, -1.0, 1e-320, 1e300, np.inf, np.nan])
        assert np.asarray(compile(formula).value(at, at[::-1])).shape == at.shape
