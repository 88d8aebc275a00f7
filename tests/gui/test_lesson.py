"""The lesson panel: its text format, what it shows, what it emits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtWidgets import QAbstractButton, QLabel, QWidget
from pytestqt.qtbot import QtBot

from engine.experiment import Drawn, Inside, Overlay, Prediction, Preset
from engine.experiments import load
from engine.quantity import Quantity
from engine.session.presets import predictions, preset_spec, presets
from engine.session.session import Session
from gui.lesson import Lesson
from gui.lesson.numbers import number
from gui.lesson.text import LessonError, LessonText, load_lesson, parse_lesson, rich
from gui.lesson.text import Words as Passage
from gui.mathtext import MathLabel
from gui.tokens import DARK, LIGHT

TEXT = """# General
First line,
second line with $\\eta_{t-1}$.

$$a = b$$

$$
c
= d
$$
Last.

## Notice
- One
  and more.
- Two

## series: adam
# Adam
Its own.
"""
QUESTION = Prediction("Who wins?", ("SGD", "Adam"), "valley", "lowest", "Because.")
LONG = Prediction("Q?", ("It goes on for ever and never comes any nearer", "It overflows at once"), "v", "lowest", "")


# -- the text ----------------------------------------------------------------------------------------------------------


def test_a_lesson_is_read() -> None:
    lesson = parse_lesson(TEXT)
    assert lesson.general.title == "General"
    assert [(b.kind, b.text) for b in lesson.general.blocks] == [
        ("words", "First line, second line with $\\eta_{t-1}$."),
        ("formula", "a = b"),
        ("formula", "c = d"),
        ("words", "Last."),
    ]
    assert lesson.notice == ("One and more.", "Two")
    assert lesson.words("adam").title == "Adam"
    assert lesson.words("sgd") is lesson.general


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("words only", "line 1: expected '# Title'"),
        ("# A\n$$x", "line 2: the formula is not closed"),
        ("# A\n$$$$", "line 2: expected one formula"),
        ("# A\n\n# B", "line 3: a second title 'B'"),
        ("# A\nrate $x", "line 2: a $ without its partner"),
        ("# A\n## Other", "line 2: unknown head 'Other'"),
        ("# A\n## series:", "line 2: unknown head"),
        ("# A\n## Notice\nno point", "line 3: under 'Notice'"),
        ("# A\n## Notice\n- a\n## Notice\n- b", "line 4: '## Notice' stands here twice"),
    ],
)
def test_a_broken_lesson_says_where(text: str, says: str) -> None:
    with pytest.raises(LessonError, match=r"^[^\n]+$") as caught:
        parse_lesson(text)
    assert str(caught.value).startswith(says)


def test_files(tmp_path: Path) -> None:
    assert load_lesson("tab.none", tmp_path) == LessonText()
    (tmp_path / "tab").mkdir()
    (tmp_path / "tab" / "bad.md").write_bytes(b"# \xff")
    with pytest.raises(LessonError, match=r"^lesson bad\.md: not UTF-8 text$"):
        load_lesson("tab.bad", tmp_path)
    (tmp_path / "tab" / "good.md").write_text(TEXT, encoding="utf-8")
    assert load_lesson("tab.good", tmp_path) == parse_lesson(TEXT)


@pytest.mark.parametrize("file", sorted(Path("resources/lessons").rglob("*.md")), ids=str)
def test_every_lesson_shipped_is_sound(file: Path) -> None:
    lesson = parse_lesson(file.read_text(encoding="utf-8"))
    assert lesson.general.title and lesson.general.blocks and lesson.notice


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("rate $\\eta_{t-1}$ < 2", "rate <i>η<sub>t−1</sub></i> &lt; 2"),
        ("$x^2$ costs 5 \\$", "<i>x<sup>2</sup></i> costs 5 $"),
        ("$\\hat{m}_t$", "<i>m̂<sub>t</sub></i>"),
    ],
)
def test_formulas_in_the_line(text: str, made: str) -> None:
    assert rich(text) == made


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (-3.8119, "−3.812"), (21.9, "21.90"), (0.005, "0.005000"), (9999.9, "10000"), (99.999, "100.0"),
        (1234.4, "1234"), (1.2344e-10, "1.234×10⁻¹⁰"), (-5e12, "−5.000×10¹²"), (0.0, "0"), (-0.0, "0"),
        (float("nan"), "–"), (float("inf"), "∞"), (float("-inf"), "−∞"), (1e-4, "0.0001000"),
        (70, "70"), (0, "0"), (25_557_032, "25,557,032"), (-3, "−3"), (4_089_184_256, "4.089×10⁹"),
    ],
)  # fmt: skip
def test_numbers_have_four_digits(value: float, text: str) -> None:
    assert number(value) == text


# -- the panel ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def lesson(qtbot: QtBot) -> Iterator[Lesson]:
    window = QWidget()
    qtbot.addWidget(window)
    made = Lesson(DARK, window)
    made.setGeometry(0, 0, 300, 900)
    window.show()
    yield made


def inside(step: float = 1.0, name: str = "adam") -> Inside:
    """A step whose numbers depend on `step`."""
    quantities = (
        Quantity("gradient", r"\nabla J", (step, -2 * step), "gradient"),
        Quantity("length", "", (step / 3,), "scale"),
        Quantity("step", r"\Delta", (-step, step), "step"),
    )
    return Inside(name, (r"\theta = 1", r"g_t = \nabla J"), quantities, (f"x = {step:g}",))


def shown(part: QWidget) -> str:
    """All the words that can be seen in a part."""
    return "\n".join(one.text() for one in part.findChildren(QLabel) if one.isVisible())


def words_of(passage: Passage) -> str:
    """The first words of a text, as they are shown."""
    return rich(next(block.text for block in passage.blocks if block.kind != "formula"))


def test_an_own_text_else_the_general_one(qtbot: QtBot, lesson: Lesson) -> None:
    texts = load_lesson("landscapes.descent")
    mine, theirs = (words_of(texts.words(name)) for name in ("adam", "other"))

    def tells(own: bool, general: bool) -> None:
        qtbot.waitUntil(lambda: (theirs in shown(lesson.top), mine in shown(lesson.inside)) == (general, own))
        assert lesson.title.text() == texts.general.title

    lesson.load("landscapes.descent", "10.2")
    assert lesson.top.head.text() == "LESSON · 10.2"
    tells(own=False, general=True)
    lesson.set_series(
        [("sgd", "SGD"), ("adam", "Adam")], "adam"
    )  # the box says who, below it stand the words on that one
    tells(own=True, general=False)
    assert "Adam" not in shown(lesson.inside).splitlines()
    assert lesson.inside.chooser.geometry().bottom() < lesson.inside.words.geometry().top()
    lesson.set_whole(True)
    tells(own=True, general=True)
    lesson.set_series([("adam", "Adam")], "adam")  # no box
    qtbot.waitUntil(lambda: "Adam" in shown(lesson.inside).splitlines())
    lesson.set_whole(False)
    lesson.set_series([("sgd", "SGD"), ("other", "Other")], "other")
    tells(own=False, general=True)
    qtbot.waitUntil(lambda: any(f.isVisible() for f in lesson.top.findChildren(MathLabel)))


def test_a_missing_and_a_broken_lesson(qtbot: QtBot, lesson: Lesson, monkeypatch: pytest.MonkeyPatch) -> None:
    lesson.load("landscapes.nothing", "")
    assert not lesson.title.isVisible() and not lesson.notice.isVisible()

    def broken(id: str) -> LessonText:
        raise LessonError("lesson x.md: line 3: no")

    monkeypatch.setattr("gui.lesson.panel.load_lesson", broken)
    lesson.load("landscapes.descent", "10.2")
    lesson.set_series([("adam", "Adam")], "adam")
    qtbot.waitUntil(lambda: "lesson x.md: line 3: no" in shown(lesson.top))


def test_choosing_by_keyboard(qtbot: QtBot, lesson: Lesson) -> None:
    lesson.load("landscapes.descent", "10.2")
    heard: list[str] = []
    lesson.seriesChosen.connect(heard.append)
    lesson.set_series([("sgd", "SGD"), ("adam", "Adam")], "sgd")
    assert not heard, "only the reader's choice is told"
    qtbot.keyClick(lesson.inside.chooser, Qt.Key.Key_Down)
    assert heard == ["adam"]
    qtbot.waitUntil(lambda: words_of(load_lesson("landscapes.descent").words("adam")) in shown(lesson.inside))


class Layouts(QObject):
    """Counts how often anything below a widget is laid out anew."""

    def __init__(self, root: QWidget) -> None:
        super().__init__(root)
        self.count = 0
        for widget in (root, *root.findChildren(QWidget)):
            widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        self.count += event.type() == QEvent.Type.LayoutRequest
        return False


def settled(lesson: Lesson) -> Layouts:
    """Let every layout be done: one asks for the next until all stands."""
    layouts = Layouts(lesson)
    before = -1
    while layouts.count != before:
        before = layouts.count
        QCoreApplication.processEvents()
    return layouts


def test_while_it_runs_only_numbers_change(qtbot: QtBot, lesson: Lesson) -> None:
    lesson.set_series([("adam", "Adam")], "adam")
    lesson.set_inside(inside(1.0))
    lesson.settle()
    qtbot.waitUntil(lambda: lesson.typesetter.waiting == 0)
    QCoreApplication.processEvents()
    part = lesson.inside
    cells = [cell for row in part.table.cells for cell in row]
    assert [c.text for c in cells] == ["1.000", "−2.000", "0.3333", "−1.000", "1.000"]
    assert not part.numbers.faded and part.numbers.lines == ("x = 1",)
    layouts = settled(lesson)
    before = layouts.count
    for step in (2.0, 3.0, 12345.0):
        lesson.set_inside(inside(step))
        QCoreApplication.processEvents()
    assert layouts.count == before
    assert [cell for row in part.table.cells for cell in row] == cells
    assert cells[0].text == "12345"
    assert lesson.typesetter.waiting == 0, "no formula is set while it runs"
    assert part.numbers.faded and part.numbers.lines == ("x = 1",)
    lesson.settle()
    assert not part.numbers.faded and part.numbers.lines == ("x = 12345",)
    assert cells[1].accessibleName() == f"gradient y {cells[1].text}"
    assert cells[2].accessibleName() == f"length {cells[2].text}"


def test_another_contestant_has_other_rows(qtbot: QtBot, lesson: Lesson) -> None:
    lesson.set_inside(inside(1.0))
    lesson.settle()
    other = Inside("sgd", ("x",), (Quantity("gradient", "g", (1.0, 2.0), "gradient"),), ("y = 1",), "A note.")
    lesson.set_inside(other)
    assert len(lesson.inside.table.cells) == 1
    assert lesson.inside.numbers.lines == (), "never another one's numbers"
    assert "A note." in shown(lesson.inside)
    wide = Inside("net", (), (Quantity("layers", "w", tuple(range(9)), "scale"),))
    lesson.set_inside(wide)
    assert [len(row) for row in lesson.inside.table.cells] == [2]
    lesson.set_inside(Inside("none", (), ()))
    assert not lesson.inside.section.isVisible() and not lesson.inside.formulas.isVisible()


def test_predict_then_run(qtbot: QtBot, lesson: Lesson) -> None:
    lesson.set_prediction(QUESTION)
    part = lesson.question
    with qtbot.waitSignal(lesson.predicted) as got:
        qtbot.keyClick(part.buttons[0], Qt.Key.Key_Space)
    assert got.args == [QUESTION, "SGD"]
    assert "Running" in part.status.text() and not part.another.isVisible()
    assert not any(button.isEnabled() for button in part.buttons), "an answer stands"
    lesson.show_answer(False, "Adam", "Because.")
    assert part.status.property("role") == "bad"
    assert "SGD" in part.status.text() and "Adam" in part.status.text()
    assert "Because." in shown(part)
    with qtbot.waitSignal(lesson.nextQuestionAsked):
        qtbot.mouseClick(part.another, Qt.MouseButton.LeftButton)
    lesson.set_prediction(QUESTION)
    assert all(button.isEnabled() for button in part.buttons) and not part.status.isVisible()
    lesson.show_answer(True, "Adam", "")
    assert part.status.property("role") == "good"
    lesson.set_prediction(None)
    assert not part.isVisible()


def test_long_answers_stand_below_each_other(qtbot: QtBot, lesson: Lesson) -> None:
    tops = []
    for question in (QUESTION, LONG):
        lesson.set_prediction(question)
        QCoreApplication.processEvents()
        tops.append(len({button.y() for button in lesson.question.buttons}))
    assert tops == [1, 2]


def test_presets(qtbot: QtBot, lesson: Lesson) -> None:
    lesson.set_presets([Preset("a", "Good one", True, "why a"), Preset("b", "Bad one", False, "why b")])
    buttons = {button.objectName(): button for button in lesson.presets.findChildren(QAbstractButton)}
    assert buttons["a"].accessibleName() == "Good one"
    assert buttons["b"].accessibleName() == "Bad one (bad)"
    assert buttons["b"].accessibleDescription() == "why b" == buttons["b"].toolTip()
    marked = [one for one in buttons["b"].findChildren(QLabel) if one.property("role") == "bad"]
    assert [one.text() for one in marked] == ["bad"]
    assert "why b" in shown(buttons["b"])
    for keys in (False, True):
        with qtbot.waitSignal(lesson.presetChosen) as got:
            if keys:
                qtbot.keyClick(buttons["b"], Qt.Key.Key_Space)
            else:
                qtbot.mouseClick(buttons["b"], Qt.MouseButton.LeftButton)
        assert got.args == ["b"]
    lesson.set_presets([])
    assert not lesson.presets.isVisible()


def test_chapter(qtbot: QtBot, lesson: Lesson) -> None:
    overlay = Overlay("loss", "theory", load_array(), load_array(), "theory")
    part = lesson.chapter
    assert not part.isVisible()
    lesson.set_drawn(Drawn("10.2.4", "Figure", "A claim", (overlay,), "A verdict"))
    assert all(words in shown(part) for words in ("Figure", "A claim", "A verdict", "10.2.4"))
    for on in (True, False):
        with qtbot.waitSignal(lesson.figureToggled) as got:
            qtbot.keyClick(part.toggle, Qt.Key.Key_Space)
        assert got.args == [on]
    lesson.set_drawn(Drawn("10.2.4", "Figure", "A claim", (), "Another verdict"))
    assert not part.toggle.isVisible() and "Another verdict" in shown(part)
    lesson.set_drawn(None)
    assert not part.isVisible()


def load_array() -> Any:
    import numpy as np

    return np.arange(3.0)


def test_convention(qtbot: QtBot, lesson: Lesson) -> None:
    part = lesson.convention
    heard: list[str] = []
    lesson.conventionChosen.connect(heard.append)
    assert not part.isVisible(), "where there is no choice there is no switch"
    lesson.set_convention("book", "They differ.")
    assert part.buttons["book"].isChecked() and "They differ." in shown(part)
    qtbot.mouseClick(part.buttons["book"], Qt.MouseButton.LeftButton)
    assert not heard
    qtbot.mouseClick(part.buttons["pytorch"], Qt.MouseButton.LeftButton)
    assert heard == ["pytorch"]
    lesson.set_convention("book", "")
    assert part.buttons["book"].isChecked() and heard == ["pytorch"] and not part.sentence.isVisible()


def filled(lesson: Lesson) -> None:
    """Everything an experiment has to say."""
    experiment = load("landscapes.descent")
    session = Session(experiment, preset_spec(experiment, "valley"))
    session.advance(20)
    lesson.load(experiment.id, experiment.section)
    lesson.set_presets(list(presets(experiment.id)))
    lesson.set_prediction(predictions(experiment.id)[0])
    lesson.set_series([(name, name) for name in session.series], "adam")
    lesson.set_inside(session.probe("inside", series="adam"))
    lesson.settle()
    lesson.set_drawn(experiment.drawn(session.spec, session.view())[0])
    lesson.set_convention("book", "A sentence on what differs between the two.")
    lesson.show_answer(True, "Newton", "Because it divides by the curvature.")


@pytest.mark.parametrize("width", [280, 300, 320])
def test_nothing_is_cut(qtbot: QtBot, lesson: Lesson, width: int) -> None:
    filled(lesson)
    lesson.resize(width, 900)
    qtbot.waitUntil(lambda: lesson.typesetter.waiting == 0)
    settled(lesson)
    content = lesson.area.widget()
    assert content is not None
    assert lesson.width() == width and content.width() <= lesson.area.viewport().width()
    for widget in content.findChildren(QWidget):
        if not widget.isVisible():
            continue
        left = widget.mapTo(content, widget.rect().topLeft()).x()
        assert left >= 16 and left + widget.width() <= width - 16, widget
        if isinstance(widget, QLabel) and widget.wordWrap():
            assert widget.height() >= widget.heightForWidth(widget.width()), widget.text()
        elif isinstance(widget, QLabel):
            assert widget.width() >= widget.sizeHint().width(), widget.text()
        elif isinstance(widget, MathLabel):
            assert widget.height() >= widget.heightForWidth(widget.width()), widget.lines
    assert content.height() == content.heightForWidth(content.width()), "no empty space at the end"


def test_everything_is_reached_and_named(qtbot: QtBot, lesson: Lesson) -> None:
    filled(lesson)
    controls = [lesson.inside.chooser, *lesson.findChildren(QAbstractButton)]
    assert len(controls) > 15
    for control in controls:
        assert control.focusPolicy() & Qt.FocusPolicy.TabFocus, control
        assert control.accessibleName() or (isinstance(control, QAbstractButton) and control.text()), control


def test_another_theme_and_the_end(qtbot: QtBot, lesson: Lesson) -> None:
    filled(lesson)
    qtbot.waitUntil(lambda: lesson.typesetter.waiting == 0)
    lesson.apply_theme(LIGHT.scaled(1.4))
    assert lesson.minimumWidth() == 392
    assert lesson.typesetter.waiting > 0, "formulas are set anew"
    lesson.close()
    assert not any(timer.isActive() for timer in lesson.findChildren(QTimer))
    lesson.show()
    qtbot.waitUntil(lambda: lesson.typesetter.waiting == 0)


def test_what_lies_further_down_is_named_and_a_press_leads_there(qtbot: QtBot, lesson: Lesson) -> None:
    lesson.load("landscapes.descent", "10.2")
    lesson.set_presets(list(presets("landscapes.descent")))
    lesson.resize(300, 400)
    bar = lesson.area.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 400)
    named = {button.text(): button for button in lesson.signs.findChildren(QAbstractButton)}
    assert lesson.signs.isVisible() and named["Presets"].isVisible() and named["Predict, then run"].isHidden()
    lesson.set_prediction(QUESTION)
    assert not named["Predict, then run"].isHidden()
    named["Presets"].click()
    top = lesson.presets.mapTo(lesson.area.viewport(), QPoint(0, 0)).y()
    assert 0 <= top < lesson.area.viewport().height()


def test_a_lesson_that_fits_has_no_signs(qtbot: QtBot, lesson: Lesson) -> None:
    lesson.set_presets([Preset("a", "Good one", True, "why a")])
    qtbot.waitUntil(lambda: lesson.presets.isVisible())
    assert lesson.area.verticalScrollBar().maximum() == 0 and not lesson.signs.isVisible()
