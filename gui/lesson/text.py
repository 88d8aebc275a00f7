"""The written part of a lesson: a small format in a text file.

`# Title`, paragraphs, formulas between `$$`, a list under `## Notice`, and after `## series: NAME` the title and words
for one contestant. A formula between single `$` stands in the line.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Literal

from gui.mathtext import plain

LESSONS = Path(__file__).resolve().parents[2] / "resources" / "lessons"


class LessonError(ValueError):
    """A lesson's text is broken; the message is one line."""


@dataclass(frozen=True)
class Block:
    """A paragraph, or a formula set on a line of its own."""

    kind: Literal["words", "formula"]
    text: str


@dataclass(frozen=True)
class Words:
    """A title and what stands under it."""

    title: str = ""
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True)
class LessonText:
    """A whole lesson: the general words, what to notice, and the words for single contestants."""

    general: Words = Words()
    notice: tuple[str, ...] = ()
    series: Mapping[str, Words] = field(default_factory=lambda: MappingProxyType({}))

    def words(self, series: str) -> Words:
        """The words for a contestant: its own if there are any, else the general ones."""
        return self.series.get(series, self.general)


def load_lesson(id: str, folder: Path = LESSONS) -> LessonText:
    """The lesson of an experiment (`landscapes.descent`); an empty one if there is no file.

    Raises LessonError for a text that is broken or not UTF-8.
    """
    path = folder / (id.replace(".", "/") + ".md")
    if not path.is_file():
        return LessonText()
    try:
        return parse_lesson(path.read_text(encoding="utf-8"))
    except (LessonError, UnicodeDecodeError, OSError) as error:
        reason = "not UTF-8 text" if isinstance(error, UnicodeDecodeError) else error
        raise LessonError(f"lesson {path.name}: {reason}") from None


def parse_lesson(text: str) -> LessonText:
    """Read a lesson. Raises LessonError with the line for a formula left open, a head it does not know, no title."""
    parts: dict[str, list[tuple[int, str]]] = {"": []}
    here = ""
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        if line.startswith("## "):
            here = _head(number, line[3:].strip())
            if here in parts:
                raise LessonError(f"line {number}: '{line.strip()}' stands here twice")
            parts[here] = []
        else:
            parts[here].append((number, line.rstrip()))
    notice = _bullets(parts.pop("notice", []))
    general = _words(parts.pop(""))
    if not general.title and (general.blocks or notice or parts):
        raise LessonError("line 1: expected '# Title'")
    series = {name.removeprefix("series: "): _words(lines) for name, lines in parts.items()}
    return LessonText(general, notice, MappingProxyType(series))


def _head(number: int, head: str) -> str:
    if head.lower() == "notice":
        return "notice"
    kind, colon, name = head.partition(":")
    if kind.strip() == "series" and colon and name.strip():
        return f"series: {name.strip()}"
    raise LessonError(f"line {number}: unknown head '{head}'; known: 'Notice' and 'series: NAME'")


def _bullets(lines: list[tuple[int, str]]) -> tuple[str, ...]:
    found: list[str] = []
    for number, line in lines:
        if line.startswith(("- ", "* ")):
            found.append(_checked(number, line[2:].strip()))
        elif line.strip() and found:
            found[-1] += " " + _checked(number, line.strip())
        elif line.strip():
            raise LessonError(f"line {number}: under 'Notice' every point begins with '- '")
    return tuple(found)


def _words(lines: list[tuple[int, str]]) -> Words:
    title, blocks, paragraph = "", [], []  # type: str, list[Block], list[str]
    formula: list[str] | None = None
    opened = 0

    def close() -> None:
        if paragraph:
            blocks.append(Block("words", " ".join(paragraph)))
            paragraph.clear()

    for number, line in lines:
        words = line.strip()
        if formula is not None:  # in a formula of several lines
            end = words.endswith("$$")
            formula.append(words.removesuffix("$$"))
            if end:
                blocks.append(_formula(opened, " ".join(formula)))
                formula = None
        elif words.startswith("$$"):
            close()
            opened, rest = number, words[2:]
            if rest.endswith("$$"):
                blocks.append(_formula(number, rest[:-2]))
            else:
                formula = [rest]
        elif words.startswith("# "):
            if title or blocks or paragraph:
                raise LessonError(f"line {number}: a second title '{words[2:]}'")
            title = words[2:].strip()
        elif words:
            paragraph.append(_checked(number, words))
        else:
            close()
    if formula is not None:
        raise LessonError(f"line {opened}: the formula is not closed with $$")
    close()
    return Words(title, tuple(blocks))


def _formula(number: int, latex: str) -> Block:
    if not latex.strip() or "$" in latex:
        raise LessonError(f"line {number}: expected one formula between $$ and $$")
    return Block("formula", latex.strip())


def _checked(number: int, line: str) -> str:
    if line.replace(r"\$", "").count("$") % 2:
        raise LessonError(f"line {number}: a $ without its partner")
    return line


def rich(text: str) -> str:
    """A paragraph as rich text: formulas in the line are set in italics, with their indices low and powers high."""
    pieces = re.split(r"(?<!\\)\$([^$]+)(?<!\\)\$", text)
    made = []
    for i, piece in enumerate(pieces):
        if i % 2 == 0:
            made.append(html.escape(piece.replace(r"\$", "$"), quote=False))
        else:
            # indices are marked before the braces go, which say how far they reach
            low = re.sub(r"_(?:\{([^{}]*)\}|(\\[A-Za-z]+|\w))", "\x01\\1\\2\x02", piece)
            both = re.sub(r"\^(?:\{([^{}]*)\}|(\\[A-Za-z]+|\w))", "\x03\\1\\2\x04", low)
            words = html.escape(plain(both), quote=False)
            for mark, tag in (("\x01", "<sub>"), ("\x02", "</sub>"), ("\x03", "<sup>"), ("\x04", "</sup>")):
                words = words.replace(mark, tag)
            made.append(f"<i>{words}</i>")
    return "".join(made)
