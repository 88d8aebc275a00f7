"""Formulas: words for what cannot be drawn, one formula a turn, sizes, colours."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QEventLoop, QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from gui import mathtext
from gui.mathtext import MathLabel, Setting, Typesetter, plain, typeset
from gui.tokens import DARK, LIGHT, Theme

ADAM = r"\theta_t = \theta_{t-1} - \eta \frac{\hat{m}_t}{\sqrt{\hat{v}_t} + \epsilon}"


@pytest.mark.parametrize(
    ("latex", "words"),
    [
        (r"\eta g_t", "η g_t"),
        (r"\theta_{t-1}", "θ_t−1"),
        (r"\frac{\eta}{\sqrt{v_t} + \epsilon}", "η/(√v_t + ε)"),
        (r"\frac{a}{b}", "a/b"),
        (r"\hat{m}_t", "m̂_t"),
        (r"\operatorname{sign}(x) \cdot 2", "sign(x) · 2"),
        (r"\left( a \right)", "( a )"),
        (r"\nosuch x", "nosuch x"),
        (r"\frac{a", "fraca"),
        ("", ""),
    ],
)
def test_plain_words(latex: str, words: str) -> None:
    assert plain(latex) == words


@pytest.mark.parametrize("latex", [ADAM, r"\nabla J(\theta)", r"\Delta x = -0.05 \cdot (-10.34)"])
def test_a_formula_is_set(qtbot: QtBot, latex: str) -> None:
    made = typeset(latex, "#ff0000", 16)
    assert made.renderer is not None and made.renderer.isValid()
    twice = typeset(latex, "#ff0000", 32)
    assert twice.width == pytest.approx(2 * made.width, rel=0.1)
    assert twice.height == pytest.approx(2 * made.height, rel=0.1)


@pytest.mark.parametrize("latex", ["", r"\frac{a", r"\nosuch{", "}", "x_", r"\begin{matrix}", "$$"])
def test_what_cannot_be_set_is_no_error(qtbot: QtBot, latex: str) -> None:
    label = MathLabel(DARK)
    qtbot.addWidget(label)
    label.set_latex([latex, "x"])
    qtbot.waitUntil(lambda: label.complete)
    assert label.sizeHint().height() > 0
    assert not label.grab().isNull()


def test_words_are_drawn_in_place_of_a_formula(qtbot: QtBot) -> None:
    label = MathLabel(DARK)
    qtbot.addWidget(label)
    label.set_latex([r"\frac{a \nosuch words"])
    qtbot.waitUntil(lambda: label.complete)
    label.resize(200, label.heightForWidth(200))
    assert colours(label.grab().toImage(), DARK.text)


def colours(image: QImage, colour: str) -> int:
    """How many pixels have just this colour."""
    wanted = QColor(colour).rgb()
    return sum(image.pixel(x, y) == wanted for x in range(image.width()) for y in range(image.height()))


@pytest.mark.parametrize("theme", [DARK, LIGHT])
def test_the_theme_colours_it(qtbot: QtBot, theme: Theme) -> None:
    other = LIGHT if theme is DARK else DARK
    label = MathLabel(other, size=40)
    qtbot.addWidget(label)
    label.set_latex([r"\frac{1}{2}"])
    qtbot.waitUntil(lambda: label.complete)
    label.apply_theme(theme)
    qtbot.waitUntil(lambda: label.complete)
    label.resize(label.sizeHint())
    image = label.grab().toImage()
    assert colours(image, theme.text) > 20
    assert not colours(image, other.text)


@pytest.fixture
def setter() -> Iterator[Typesetter]:
    made = Typesetter(kept=4)
    yield made
    made.set_paused(True)
    made.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)


def test_one_formula_a_turn(qtbot: QtBot, setter: Typesetter, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def note(latex: str, colour: str, size: float) -> Setting:
        done.append(latex)
        return Setting(None, 0, 0)

    monkeypatch.setattr(mathtext, "typeset", note)
    labels = [MathLabel(DARK, setter) for _ in range(2)]
    for label, lines in zip(labels, (["a", "b"], ["b", "c"]), strict=True):
        qtbot.addWidget(label)
        label.set_latex(lines)
    assert not done, "nothing is set while it is asked for"
    assert setter.waiting == 3, "what two labels want is set once"
    while setter.waiting:
        before = len(done)
        QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents)
        assert len(done) - before <= 1
    assert done == ["a", "b", "c"]
    assert all(label.complete for label in labels)
    labels[0].set_latex(["c", "a"])
    assert labels[0].complete and not setter.waiting, "what was set once is at hand"


def test_what_is_kept_has_a_bound(qtbot: QtBot, setter: Typesetter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mathtext, "typeset", lambda *key: Setting(None, 0, 0))
    for name in "abcdefgh":
        setter.get(name, "#000000", 16)
        qtbot.waitUntil(lambda: not setter.waiting)
    assert len(setter) == 4
    assert setter.get("h", "#000000", 16) is not None
    assert setter.get("a", "#000000", 16) is None


def test_paused_it_rests(qtbot: QtBot, setter: Typesetter) -> None:
    setter.set_paused(True)
    setter.get("x", "#000000", 16)
    for _ in range(3):
        QCoreApplication.processEvents()
    assert setter.waiting == 1
    with qtbot.waitSignal(setter.ready) as got:
        setter.set_paused(False)
    assert got.args == ["x"]


def test_narrow_it_shrinks_and_is_not_cut(qtbot: QtBot) -> None:
    label = MathLabel(LIGHT)
    qtbot.addWidget(label)
    label.set_latex([ADAM])
    qtbot.waitUntil(lambda: label.complete)
    natural = label.sizeHint()
    half = natural.width() // 2
    assert label.heightForWidth(3 * natural.width()) == natural.height(), "it is never enlarged"
    assert label.heightForWidth(half) == pytest.approx(natural.height() / 2, abs=1.5)
    label.resize(half, label.heightForWidth(half))
    image = label.grab().toImage()
    ground = image.pixel(image.width() - 1, 0)
    right = max(x for x in range(image.width()) for y in range(image.height()) if image.pixel(x, y) != ground)
    left = min(x for x in range(image.width()) for y in range(image.height()) if image.pixel(x, y) != ground)
    assert left <= 2, "it begins at the left"
    assert half - 6 <= right, "the whole of it fills the width"
    assert all(image.pixel(half // 2, y) == ground for y in (0, image.height() - 1))


def drawn(qtbot: QtBot, latex: str) -> QImage:
    """One formula at its natural size."""
    label = MathLabel(LIGHT, size=30)
    qtbot.addWidget(label)
    label.set_latex([latex])
    qtbot.waitUntil(lambda: label.complete)
    label.resize(label.sizeHint())
    return label.grab().toImage()


def test_lines_stand_below_each_other_at_the_left(qtbot: QtBot) -> None:
    """A wide hat has a box that begins left of its ink; it must not push the line to the right."""
    for latex in (r"m_t", r"\hat{m}_t"):
        image = drawn(qtbot, latex)
        ground = image.pixel(image.width() - 1, 0)
        left = min(x for x in range(image.width()) for y in range(image.height()) if image.pixel(x, y) != ground)
        assert left <= 2


def test_a_formula_is_set_once_for_all_colours_and_sizes(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    import ziamath

    def painted(made: Setting) -> QImage:
        assert made.renderer is not None
        image = QImage(120, 60, QImage.Format.Format_ARGB32)
        image.fill(0)
        with QPainter(image) as painter:
            made.renderer.render(painter, QRectF(0, 0, 120, 60))
        return image

    mathtext._drawing.cache_clear()
    before = typeset(r"\frac{a}{b^2}", "#ff0000", 30)
    monkeypatch.setattr(ziamath, "Latex", None)
    again = typeset(r"\frac{a}{b^2}", "#0000ff", 15)
    assert (again.width, again.height) == (before.width / 2, before.height / 2)
    red, blue = painted(before), painted(again)
    assert red != blue and red.rgbSwapped() == blue  # the same drawing in another colour


@pytest.mark.parametrize("before", ["=", r"\cdot", "(", "[", "<", ",", r"\le", r"\leq"])
def test_a_sign_is_not_spaced_as_a_difference(qtbot: QtBot, before: str) -> None:
    assert typeset(f"a {before} -2", "#000000", 30).width == typeset(rf"a {before} \mathrm{{-}}2", "#000000", 30).width


def test_a_screen_reader_has_it(qtbot: QtBot) -> None:
    label = MathLabel(DARK)
    qtbot.addWidget(label)
    label.set_latex([r"\eta g_t", "v"])
    assert label.accessibleName() == "η g_t; v"
    assert label.accessibleDescription() == "\\eta g_t\nv"
    qtbot.waitUntil(lambda: label.complete)
    label.set_latex([])
    assert label.heightForWidth(100) == 0


def test_the_module_does_not_load_the_typesetter_at_once() -> None:
    import subprocess

    code = "import sys, gui.mathtext; sys.exit('ziamath' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=mathtext.__file__.rsplit("gui", 1)[0]).returncode == 0
