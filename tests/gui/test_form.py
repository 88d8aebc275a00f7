"""The form: every kind of field edited, refused, shown, hidden; contestants; drags that lose nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import Field
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QLabel, QLineEdit, QScrollArea, QSlider, QWidget
from pytestqt.qtbot import QtBot

from engine.experiments import load
from engine.spec import Settings, Spec, choice, declarations, flag, number, point, text, value_of
from gui.form import Form
from gui.form.contestants import ContestantsRow
from gui.form.number import NumberRow
from gui.form.numbers import POSITIONS, read, scale_of, stepped, words_of
from gui.form.rows import ChoiceRow, SwitchRow
from gui.form.writing import PointRow, TextRow
from gui.theme import DARK, LIGHT


class Fast(Settings):
    learning_rate: float | None = number(None, 1e-9, 1e3, "Learning rate", "Step", log=True, inherits="shared")
    beta: float = number(0.9, 0.0, 1.0, "Beta", "Memory", live=True)


class Slow(Settings):
    learning_rate: float | None = number(0.5, 1e-9, 1e3, "Learning rate", "Step", log=True, inherits="shared")


class Sample(Spec):
    kind: str = choice("plain", {"plain": "Plain", "own": "My own"}, "Kind", "Which", group="First")
    formula: str = text("x", "Formula", "Of x", longest=20, group="First", shown_when={"kind": ("own",)})
    start: tuple[float, float] | None = point(None, -5, 5, "Start", "Where", group="First", inherits="its own")
    takers: tuple[str, ...] = choice(("fast",), {"fast": "Fast", "slow": "Slow", "idle": "Idle"}, "Takers", "Who")
    learning_rate: float = number(0.01, 1e-9, 1e3, "Learning rate", "Step", group="Shared", live=True, log=True)
    count: int = number(10, 1, 1000, "Count", "How many", group="Shared")
    wide: float = number(0.0, 0.0, 1e6, "Wide", "Anything", group="Shared")
    seed: int = number(0, 0, 50_000, "Seed", "Chance", group="Shared")
    on: bool = flag(False, "On", "Or off", group="Shared", live=True)
    fast: Fast = Field(default_factory=Fast)
    slow: Slow = Field(default_factory=Slow)


DECLARED = {d.key: d for d in declarations(Sample)}
Emitted = list[tuple[str, Any, Spec]]


@pytest.fixture
def form(qtbot: QtBot) -> Iterator[Form]:
    made = Form(Sample, Sample())
    made.apply_theme(DARK)
    column = QScrollArea()
    column.setWidgetResizable(True)
    column.setWidget(made)
    qtbot.addWidget(column)
    column.resize(250, 700)
    column.show()
    column.activateWindow()
    qtbot.waitUntil(column.isActiveWindow)
    yield made


@pytest.fixture
def emitted(form: Form) -> Emitted:
    found: Emitted = []
    form.edited.connect(lambda key, value, spec: found.append((key, value, spec)))
    return found


def entry(form: Form, key: str) -> QLineEdit:
    row = form.rows[key]
    assert isinstance(row, NumberRow | TextRow)
    return row.entry


def slider(form: Form, key: str) -> QSlider:
    row = form.rows[key]
    assert isinstance(row, NumberRow) and row.slider is not None
    return row.slider


def takers(form: Form) -> ContestantsRow:
    row = form.rows["takers"]
    assert isinstance(row, ContestantsRow)
    return row


def write(qtbot: QtBot, where: QLineEdit, words: str, end: Qt.Key = Qt.Key.Key_Return) -> None:
    where.setFocus()
    where.selectAll()
    qtbot.keyClicks(where, words)
    qtbot.keyClick(where, end)


def type_number(key: str, words: str) -> Callable[[QtBot, Form], None]:
    return lambda qtbot, form: write(qtbot, entry(form, key), words)


def pick_kind(qtbot: QtBot, form: Form) -> None:
    row = form.rows["kind"]
    assert isinstance(row, ChoiceRow)
    qtbot.keyClick(row.box, Qt.Key.Key_Down)


def tick(qtbot: QtBot, form: Form) -> None:
    row = form.rows["on"]
    assert isinstance(row, SwitchRow)
    qtbot.keyClick(row.box, Qt.Key.Key_Space)


def write_point(qtbot: QtBot, form: Form) -> None:
    row = form.rows["start"]
    assert isinstance(row, PointRow)
    write(qtbot, row.first, "1.5")
    assert row.second.hasFocus()  # Enter in x goes on to y
    write(qtbot, row.second, "-2")


@pytest.mark.parametrize(
    ("act", "key", "value"),
    [
        (type_number("learning_rate", "2.5e-3"), "learning_rate", 0.0025),
        (type_number("learning_rate", "-1"), None, None),
        (type_number("wide", "12"), "wide", 12.0),
        (type_number("count", "1e2"), "count", 100),
        (type_number("seed", "7"), "seed", 7),
        (pick_kind, "kind", "own"),
        (tick, "on", True),
        (write_point, "start", (1.5, -2.0)),
    ],
    ids=["float", "float refused", "wide float", "int as 1e2", "int", "choice", "switch", "point"],
)
def test_each_kind_is_edited(
    qtbot: QtBot, form: Form, emitted: Emitted, act: Callable[[QtBot, Form], None], key: str | None, value: Any
) -> None:
    act(qtbot, form)
    if key is None:
        assert emitted == []
        return
    assert [one[:2] for one in emitted] == [(key, value)]
    assert emitted[0][2] == Sample(**{key: value})


@pytest.mark.parametrize(
    ("key", "words", "part"),
    [
        ("learning_rate", "abc", "'abc' is not allowed; give a number from 1e-09 to 1000"),
        ("learning_rate", "0", "0.0 is not allowed; give a number from 1e-09 to 1000"),
        ("learning_rate", "nan", "give a number"),
        ("learning_rate", "1e999", "give a number"),
        ("learning_rate", "", "give a number"),
        ("count", "1.5", "'1.5' is not allowed; give a whole number from 1 to 1000"),
        ("count", "1e999999999", "give a whole number"),
        ("count", "9" * 40, "give a whole number"),
    ],
)
def test_what_is_no_value_is_told_and_not_emitted(
    qtbot: QtBot, form: Form, emitted: Emitted, key: str, words: str, part: str
) -> None:
    where = entry(form, key)
    where.setFocus()
    where.selectAll()
    qtbot.keyClick(where, Qt.Key.Key_Delete)
    write(qtbot, where, words)
    row = form.rows[key]
    assert emitted == [] and form.spec == Sample()
    assert row.error.isVisible() and part in row.error.text() and "\n" not in row.error.text()
    form.clear_errors()
    assert row.error.isVisible()  # the wrong words still stand there
    qtbot.keyClick(where, Qt.Key.Key_Escape)
    assert not row.error.isVisible() and where.text() == words_of(value_of(Sample(), key))
    assert emitted == []


def test_leaving_a_field_takes_it_up_once(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    write(qtbot, entry(form, "wide"), "3", Qt.Key.Key_Tab)
    write(qtbot, entry(form, "wide"), "3", Qt.Key.Key_Return)
    assert [one[:2] for one in emitted] == [("wide", 3.0)]


def test_escape_restores_without_emitting(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    write(qtbot, entry(form, "wide"), "3", Qt.Key.Key_Escape)
    assert entry(form, "wide").text() == "0" and emitted == []


def test_arrow_keys_step(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    qtbot.keyClick(entry(form, "count"), Qt.Key.Key_Up)
    qtbot.keyClick(entry(form, "learning_rate"), Qt.Key.Key_Down)  # another field: what waits is not lost
    form.flush()
    assert [one[:2] for one in emitted] == [("count", 11), ("learning_rate", pytest.approx(0.01 / 1.1, rel=1e-2))]


def test_a_text_is_taken_up_after_a_rest(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    form.set_spec(Sample(kind="own"))
    with qtbot.waitSignal(form.edited):
        entry(form, "formula").setFocus()
        qtbot.keyClick(entry(form, "formula"), Qt.Key.Key_End)
        qtbot.keyClicks(entry(form, "formula"), "+1")
        assert emitted == []
    assert [one[:2] for one in emitted] == [("formula", "x+1")]


def test_a_text_too_long_is_refused(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    form.set_spec(Sample(kind="own"))
    write(qtbot, entry(form, "formula"), "x" * 21)
    assert emitted == [] and "at most 20 characters" in form.rows["formula"].error.text()


def test_the_page_can_show_and_clear_an_error(form: Form) -> None:
    form.set_spec(Sample(kind="own"))
    form.show_error("formula", "unknown name 'y'")
    assert form.rows["formula"].error.isVisible() and form.rows["formula"].error.text() == "unknown name 'y'"
    form.clear_errors()
    assert not form.rows["formula"].error.isVisible()


@pytest.mark.parametrize("key", ["formula", "record_every", ""])
def test_an_error_of_a_field_not_on_show_stands_at_the_top(form: Form, key: str) -> None:
    form.show_error(key, "is wrong")
    words = [label.text() for label in form.findChildren(QLabel) if label.isVisible() and "is wrong" in label.text()]
    assert words == [f"{key}: is wrong" if key else "is wrong"]


def test_set_spec_shows_everything_and_says_nothing(form: Form, emitted: Emitted) -> None:
    takers(form).contestants["fast"].unfold()
    wanted = Sample(
        kind="own", formula="x*x", start=(1, 2), takers=("slow", "idle"), learning_rate=2.0, count=3, wide=4.5, seed=5,
        on=True, fast=Fast(learning_rate=0.25, beta=0.5),
    )  # fmt: skip
    form.set_spec(wanted)
    assert emitted == [] and form.spec == wanted
    assert {key: row.value for key, row in form.rows.items()} == {key: value_of(wanted, key) for key in form.rows}
    assert entry(form, "fast.learning_rate").text() == "0.25"
    assert slider(form, "learning_rate").value() > POSITIONS // 2
    assert [box.text() for box in form.findChildren(QCheckBox) if box.isChecked()] == ["Slow", "Idle", ""]
    start = form.rows["start"]
    assert isinstance(start, PointRow) and (start.first.text(), start.second.text()) == ("1", "2")


def test_set_spec_leaves_what_is_being_typed(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    where = entry(form, "wide")
    where.setFocus()
    where.selectAll()
    qtbot.keyClicks(where, "12")
    form.set_spec(Sample(wide=99.0, count=2))
    assert where.text() == "12" and entry(form, "count").text() == "2"
    qtbot.keyClick(where, Qt.Key.Key_Return)
    assert [one[:2] for one in emitted] == [("wide", 12.0)]
    assert emitted[0][2] == Sample(wide=12.0, count=2)


def test_escape_goes_back_to_what_was_set_meanwhile(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    where = entry(form, "wide")
    where.setFocus()
    qtbot.keyClicks(where, "12")
    form.set_spec(Sample(wide=99.0))
    qtbot.keyClick(where, Qt.Key.Key_Escape)
    assert where.text() == "99" and emitted == []


def test_a_slider_let_go_shows_what_was_set_meanwhile(form: Form) -> None:
    knob = slider(form, "count")
    knob.setSliderDown(True)
    knob.setValue(500)
    form.set_spec(Sample(count=100))
    assert knob.value() == 500  # in the hand
    knob.setSliderDown(False)
    assert entry(form, "count").text() == "100" and knob.value() < 110


def test_shown_when_and_heads(qtbot: QtBot, form: Form) -> None:
    assert "formula" not in form.rows  # not made before it is needed
    pick_kind(qtbot, form)
    row = form.rows["formula"]
    assert not row.isHidden() and row.value == "x"
    qtbot.waitUntil(lambda: form.rows["kind"].geometry().bottom() < row.y() < form.rows["start"].y())
    qtbot.keyClick(form.rows["kind"].stops()[0], Qt.Key.Key_Tab)
    assert QApplication.focusWidget() is row.stops()[0]
    assert "record_every" not in form.rows
    heads = [label.accessibleName() for label, _ in form.sections]
    assert heads == ["First", "Settings", "Shared"]


def test_fields_may_be_made_later_bit_by_bit(qtbot: QtBot) -> None:
    made = Form(Sample, Sample(), later=True)
    qtbot.addWidget(made)
    made.set_spec(Sample(count=77))
    assert not made.rows
    turns = 0
    while not made.fill(0.0005):
        made.set_spec(Sample(count=78 + turns))  # meanwhile
        turns += 1
    assert turns > 1 and made.fill(0.0)
    whole = Form(Sample, made.spec)
    qtbot.addWidget(whole)
    assert list(made.rows) == list(whole.rows)
    assert {key: row.value for key, row in made.rows.items()} == {key: row.value for key, row in whole.rows.items()}
    assert [[row.key for row in rows] for _, rows in made.sections] == [
        [row.key for row in rows] for _, rows in whole.sections
    ]
    pick_kind(qtbot, made)
    assert "formula" in made.rows  # from now on when it is needed


def test_an_error_finds_a_field_that_is_not_made_yet(qtbot: QtBot) -> None:
    made = Form(Sample, Sample(), later=True)
    qtbot.addWidget(made)
    made.show_error("count", "too many")
    assert made.rows["count"].error.text() == "too many" and made._general.isHidden()


def test_an_inheriting_field_can_be_given_back(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    row = form.rows["start"]
    assert isinstance(row, PointRow) and row.clearing is not None
    assert row.first.placeholderText() == "its own" and row.clearing.isHidden() and row.second.isHidden()
    write_point(qtbot, form)
    assert row.clearing.isVisible()
    qtbot.mouseClick(row.clearing, Qt.MouseButton.LeftButton)
    assert [one[:2] for one in emitted] == [("start", (1.5, -2.0)), ("start", None)]
    assert row.clearing.isHidden() and row.first.text() == ""


def test_half_a_point_is_told(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    row = form.rows["start"]
    assert isinstance(row, PointRow)
    write(qtbot, row.first, "1", Qt.Key.Key_Tab)
    assert emitted == [] and not row.error.isVisible()
    entry(form, "wide").setFocus()
    row.second.setModified(True)
    row.second.editingFinished.emit()
    assert emitted == [] and "two numbers" in row.error.text()


def test_contestants_toggle_in_declared_order(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    lines = takers(form).contestants
    for name in ("idle", "slow", "fast", "idle", "slow"):
        qtbot.keyClick(lines[name].box, Qt.Key.Key_Space)
    assert [value for _, value, _ in emitted] == [
        ("fast", "idle"), ("fast", "slow", "idle"), ("slow", "idle"), ("slow",), (),
    ]  # fmt: skip


def test_a_contestant_unfolds_to_its_own_settings(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    lines = takers(form).contestants
    assert lines["idle"].arrow is None and lines["fast"].arrow is not None
    assert "fast.beta" not in form.rows
    qtbot.mouseClick(lines["fast"].arrow, Qt.MouseButton.LeftButton)
    assert form.rows["fast.beta"].isVisible()
    write(qtbot, entry(form, "fast.learning_rate"), "0.2")
    write(qtbot, entry(form, "fast.beta"), "0.8")
    assert [one[:2] for one in emitted] == [("fast.learning_rate", 0.2), ("fast.beta", 0.8)]
    assert emitted[-1][2] == Sample(fast=Fast(learning_rate=0.2, beta=0.8))
    qtbot.mouseClick(lines["fast"].arrow, Qt.MouseButton.LeftButton)
    assert not form.rows["fast.beta"].isVisible()


def test_an_error_unfolds_its_contestant(form: Form) -> None:
    form.show_error("fast.beta", "too much")
    assert form.rows["fast.beta"].isVisible() and form.rows["fast.beta"].error.text() == "too much"


def test_rates_of_contestants_own_and_shared(form: Form) -> None:
    lines = takers(form).contestants
    seen = {name: (line.rate.text(), line.rate.property("role")) for name, line in lines.items()}
    assert seen == {"fast": ("0.01", "dim"), "slow": ("0.5", "number"), "idle": ("", "dim")}
    form.set_spec(Sample(learning_rate=0.3, slow=Slow(learning_rate=None)))
    assert [(lines[n].rate.text(), lines[n].rate.property("role")) for n in ("fast", "slow")] == [("0.3", "dim")] * 2


def test_the_slider_of_an_inheriting_field_stands_at_what_it_inherits(form: Form) -> None:
    takers(form).contestants["fast"].unfold()
    form.set_spec(Sample(learning_rate=1.0))
    assert slider(form, "fast.learning_rate").value() == slider(form, "learning_rate").value()
    assert form.rows["fast.learning_rate"].value is None


def test_a_drag_is_thinned_out_and_its_last_value_kept(qtbot: QtBot, form: Form, emitted: Emitted) -> None:
    knob = slider(form, "learning_rate")
    scale = scale_of(DECLARED["learning_rate"], 0.01)
    assert scale is not None
    for position in range(500, 700):
        knob.setValue(position)
    assert len(emitted) == 1  # the first at once; the others wait for the beat, which the event loop has not seen
    with qtbot.waitSignal(form.edited):
        pass
    assert len(emitted) == 2 and emitted[-1][1] == scale.value(699)
    assert entry(form, "learning_rate").text() == words_of(scale.value(699))


def test_hiding_the_form_keeps_the_last_value_of_a_drag(form: Form, emitted: Emitted) -> None:
    for position in (510, 520, 530):
        slider(form, "count").setValue(position)
    form.hide()
    assert [one[1] for one in emitted] == [510, 530]


def test_set_spec_leaves_a_drag_under_way(form: Form, emitted: Emitted) -> None:
    for position in (510, 520):
        slider(form, "count").setValue(position)
    form.set_spec(Sample(count=3, wide=1.0))
    form.flush()
    assert emitted[-1][:2] == ("count", 520) and emitted[-1][2] == Sample(count=520, wide=1.0)


def test_the_wheel_is_left_to_the_column(form: Form, emitted: Emitted) -> None:
    row = form.rows["kind"]
    assert isinstance(row, ChoiceRow)
    for control in (slider(form, "count"), row.box):
        event = QWheelEvent(
            QPointF(5, 5), QPointF(control.mapToGlobal(QPoint(5, 5))), QPoint(0, -120), QPoint(0, -120),
            Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase, False,
        )  # fmt: skip
        entry(form, "wide").setFocus()
        QApplication.sendEvent(control, event)
    assert emitted == []


@pytest.mark.parametrize(
    ("key", "low", "high"),
    [("learning_rate", 1e-5, 10.0), ("count", 1, 1000), ("wide", None, None), ("seed", None, None)],
)
def test_which_numbers_get_a_slider(key: str, low: float | None, high: float | None) -> None:
    scale = scale_of(DECLARED[key], DECLARED[key].default)
    if low is None or high is None:
        assert scale is None
        return
    assert scale is not None
    assert [scale.low, scale.high] == pytest.approx([low, high])
    assert (scale.value(0), scale.value(POSITIONS)) == (scale.low, scale.high)
    assert (scale.position(low / 10), scale.position(high * 10)) == (0, POSITIONS)


def test_every_slider_of_a_real_spec_holds_its_positions() -> None:
    """A value read off a slider leads back to the position, and lies within the declared limits."""
    sliders = 0
    for declared in declarations(load("landscapes.descent").Spec):
        scale = scale_of(declared, 0.001 if declared.default is None else declared.default)
        if scale is None:
            continue
        sliders += 1
        assert declared.low is not None and declared.high is not None
        for position in range(0, POSITIONS + 1, 7):
            value = scale.value(position)
            assert declared.low <= value <= declared.high
            if declared.kind == "float":
                assert scale.position(value) == position, declared.key
    assert sliders > 50


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.001, "0.001"), (1e-8, "1e-8"), (1e6, "1e6"), (400, "400"), (0.1 + 0.2, "0.30000000000000004"), (2.0, "2"),
     (None, ""), (-2.25, "-2.25")],
)  # fmt: skip
def test_numbers_are_written_short_and_exact(value: float | None, words: str) -> None:
    assert words_of(value) == words
    if value is not None:
        assert float(words) == value


@pytest.mark.parametrize(
    ("key", "value", "up", "result"),
    [
        ("count", 10, True, 11), ("count", 1000, True, 1000), ("count", 1, False, 1), ("learning_rate", 1.0, True, 1.1),
        ("learning_rate", 1000.0, True, 1000.0), ("wide", 0.0, True, 0.01), ("wide", 0.0, False, 0.0),
    ],
)  # fmt: skip
def test_one_arrow_press(key: str, value: float, up: bool, result: float) -> None:
    moved = stepped(DECLARED[key], value, up)
    assert moved == pytest.approx(result) and type(moved) is type(value)


def test_whole_numbers_may_be_written_in_powers() -> None:
    assert read(DECLARED["count"], "2.5e2") == 250
    assert read(DECLARED["wide"], " −2.5e−3 ") == -0.0025  # as copied from a printed page


def test_every_control_can_be_asked_what_it_is(form: Form) -> None:
    form.show_error("fast.beta", "")
    for kind in (QLineEdit, QScrollArea, QSlider, QComboBox, QCheckBox):
        for control in form.findChildren(kind):
            assert control.accessibleName(), control
    assert entry(form, "count").toolTip() == "How many.\nAllowed: a whole number from 1 to 1000"
    assert form.rows["count"].label.buddy() is entry(form, "count")


def test_tab_goes_from_top_to_bottom_also_through_what_was_unfolded(form: Form) -> None:
    takers(form).contestants["fast"].unfold()
    stops = [stop for _, rows in form.sections for row in rows for stop in row.stops()]
    assert takers(form).contestants["fast"].rows[0].stops()[0] in stops
    seen: list[QWidget] = []
    here: QWidget | None = stops[0]
    while here is not None and len(seen) < len(stops):
        if here in stops:
            seen.append(here)
        here = here.nextInFocusChain()
    assert seen == stops


def test_a_real_spec_in_both_themes_fits_a_narrow_column(qtbot: QtBot) -> None:
    cls = load("landscapes.descent").Spec
    made = Form(cls, cls())
    qtbot.addWidget(made)
    for theme in (DARK, LIGHT, DARK.scaled(1.0)):
        made.apply_theme(theme)
        assert made.minimumSizeHint().width() <= 240
    top = {d.key for d in declarations(cls) if not d.hidden and "." not in d.key}
    unseen = {"condition_number", "formula", "x_range", "y_range"}  # of other surfaces
    assert unseen < top and set(made.rows) == top - unseen


def test_only_straight_beneath_its_own_name_a_choice_has_no_label(qtbot: QtBot) -> None:
    class Two(Spec):
        rate: float = number(0.1, 0.0, 1.0, "Rate", "Step", group="Optimizer", shown_when={"optimizer": ("sgd",)})
        optimizer: str = choice("sgd", {"sgd": "SGD", "own": "Own"}, "Optimizer", "Who", group="Optimizer")

    made = Form(Two, Two())
    qtbot.addWidget(made)
    row = made.rows["optimizer"]
    assert not row.label.isHidden(), "the head is the rate's here"
    made.set_spec(Two(optimizer="own"))
    assert row.label.isHidden(), "the head says it already"
