"""Pieces of text that scripts are made of."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDTH = 110

CHECK = """\
for name, (steps, end) in APP.items():
    (x, y), taken, finite = FOUND[name]
    assert taken == steps, f"{name} took {taken} steps, in the app {steps}"
    assert finite == (end is not None), f"{name} is {'finite' if finite else 'not finite'}, unlike in the app"
    for found, expected in [] if end is None else [(x, end[0]), (y, end[1])]:
        assert abs(found - expected) <= 1e-10 * max(1, abs(expected)), f"{name} ended at {(x, y)}, in the app at {end}"
"""
"""The end of a script: what it FOUND (place, steps, whether finite) against the APP (steps, place or None)."""


def header(title: str, paragraphs: Sequence[str], imports: Sequence[str]) -> str:
    """Docstring and imports. A paragraph that begins with a space is kept as it is, others are wrapped."""
    told = [p if p.startswith(" ") else textwrap.fill(p, WIDTH, break_on_hyphens=False) for p in paragraphs]
    body = "\n\n".join([title, *told]).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{body}\n"""\n\n' + "\n".join(imports) + "\n"


def section(title: str, comment: str = "") -> str:
    """A ruled heading, with words in comments below it."""
    rule = f"# -- {title} "
    told = textwrap.wrap(comment, WIDTH - 2, break_on_hyphens=False)
    return "\n".join([rule + "-" * (WIDTH - len(rule)), *(f"# {line}" for line in told), ""])


def wrapped(start: str, expression: str) -> str:
    """`start` and an expression on one line, or in brackets on several where it is long."""
    if len(start) + len(expression) <= WIDTH:
        return start + expression
    inner = " " * (len(start) - len(start.lstrip()) + 4)
    parts = textwrap.wrap(expression, WIDTH - len(inner), break_long_words=False, break_on_hyphens=False)
    return "\n".join([start + "(", *(inner + part for part in parts), inner[4:] + ")"])


def array(value: NDArray[Any]) -> str:
    """A NumPy array as an expression that gives it back, bit for bit; also when it is empty."""
    if value.size == 0:
        return f"np.zeros({value.shape!r})"
    return f"np.array({_plain(value.tolist())})"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(_plain(item) for item in value)}]"
    return repr(value) if np.isfinite(value) else f"float({str(value)!r})"


def written_rules(names: Sequence[str]) -> str:
    """The source of these classes of `engine.torch_code.rules` and of those they build on, in its order.

    Read as text, since importing that module would load torch; type annotations are left out.
    """
    text = Path(__file__).with_name("rules.py").read_text(encoding="utf-8")
    classes = {node.name: node for node in ast.parse(text).body if isinstance(node, ast.ClassDef)}
    wanted = set(names)
    for name in names:
        wanted |= {base.id for base in classes[name].bases if isinstance(base, ast.Name)}
    picked = [ast.get_source_segment(text, classes[name]) or "" for name in classes if name in wanted]
    plain = "\n\n".join(plain_signatures(source) + "\n" for source in picked)
    return re.sub(r"  # type: ignore\[.*\]", "", plain)


def sources(functions: Mapping[str, Callable[..., Any]], within: str) -> str:
    """The source of functions, given new names, and of all they use from modules below `within`.

    Each piece comes once and after those it needs. Type annotations of signatures are left out.
    """
    done: dict[int, str] = {}

    def add(thing: Any, name: str) -> None:
        if id(thing) in done:
            return
        source = textwrap.dedent(inspect.getsource(thing))
        if name != thing.__name__:
            source = re.sub(rf"\b{thing.__name__}\b", name, source)
        done[id(thing)] = ""  # so that two that use each other end
        names = inspect.getmodule(thing).__dict__
        for node in ast.walk(ast.parse(plain_signatures(source))):
            used = names.get(node.id) if isinstance(node, ast.Name) else None
            if (inspect.isfunction(used) or inspect.isclass(used)) and used.__module__.startswith(within):
                add(used, used.__name__)
        done[id(thing)] = done.pop(id(thing)) or plain_signatures(source)

    for name, function in functions.items():
        add(function, name)
    return "\n\n".join(done.values())


def plain_signatures(source: str) -> str:
    """The source with the annotations of every function's signature left out, and all else as it was written."""
    lines = source.split("\n")
    for node in sorted(ast.walk(ast.parse(source)), key=lambda n: -getattr(n, "lineno", 0)):
        if isinstance(node, ast.FunctionDef):
            first, last = node.lineno - 1, node.body[0].lineno - 2
            if last < first:  # all on one line
                continue
            every = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            for argument in [*every, node.args.vararg, node.args.kwarg]:
                if argument is not None:
                    argument.annotation = None
            head = f"{' ' * node.col_offset}def {node.name}({ast.unparse(node.args)}):"
            while last > first and not lines[last].strip():
                last -= 1
            lines[first : last + 1] = [head]
    return "\n".join(lines)
