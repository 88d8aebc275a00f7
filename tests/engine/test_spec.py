"""Settings: declared once, changed by dotted key, and every wrong value told in one line."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.spec import (
    Settings,
    Spec,
    SpecError,
    build,
    changed,
    choice,
    declarations,
    differences,
    echo,
    file,
    flag,
    flat,
    number,
    numbers,
    point,
    points,
    read_text,
    sequence,
    text,
    unknown,
    validate,
    value_of,
    write_text,
)

NAMES = {"sgd": "SGD", "adam": "Adam", "lion": "Lion"}


class _Adam(Settings):
    learning_rate: float | None = number(None, 1e-12, 1e6, "Rate", "Its own", live=True, inherits="shared")
    beta1: float = number(0.9, 0.0, 0.999999, "Beta 1", "Share of the past")


class _Lab(Spec):
    optimizers: tuple[str, ...] = choice(("sgd",), NAMES, "Optimizers", "Who walks")
    convention: str = choice("book", {"book": "Book", "pytorch": "PyTorch"}, "Convention", "Whose")
    learning_rate: float = number(0.1, 1e-12, 1e6, "Rate", "Shared", live=True, log=True, unit="1")
    steps: int = number(100, 1, 1_000_000_000, "Steps", "How long")
    seed: int = number(0, 0, 2**32 - 1, "Seed", "Of the noise")
    start: tuple[float, float] | None = point(None, -10, 10, "Start", "Where", inherits="surface's own")
    formula: str = text("x", "f", "A formula", longest=20)
    shuffle: bool = flag(True, "Shuffle", "Or not")
    adam: _Adam = _Adam()


KNOWN = {d.key: d for d in declarations(_Lab)}


def test_a_declaration_says_all_a_form_needs() -> None:
    kinds = {key: d.kind for key, d in KNOWN.items()}
    assert kinds == {
        "record_every": "int", "optimizers": "choices", "convention": "choice", "learning_rate": "float",
        "steps": "int", "seed": "int", "start": "point", "formula": "text", "shuffle": "bool",
        "adam.learning_rate": "float", "adam.beta1": "float",
    }  # fmt: skip
    rate = KNOWN["learning_rate"]
    assert (rate.default, rate.low, rate.high, rate.unit, rate.live, rate.log) == (0.1, 1e-12, 1e6, "1", True, True)
    assert KNOWN["optimizers"].choices == tuple(NAMES) and KNOWN["optimizers"].label("adam") == "Adam"
    assert KNOWN["adam.learning_rate"].inherits == "shared" and KNOWN["adam.learning_rate"].default is None
    assert (KNOWN["start"].low, KNOWN["start"].high) == (-10, 10)
    assert KNOWN["record_every"].hidden and not rate.hidden
    assert all(d.help and d.title for d in KNOWN.values())


READ = [
    ("learning_rate", " 1e-3 ", 1e-3),
    ("steps", "25", 25),
    ("shuffle", "off", False),
    ("shuffle", "True", True),
    ("convention", "pytorch", "pytorch"),
    ("optimizers", "sgd, adam", ("sgd", "adam")),
    ("start", "1,-2.5", (1.0, -2.5)),
    ("start", "(1, 2)", (1.0, 2.0)),
    ("start", "none", None),
    ("start", "surface's own", None),
    ("adam.learning_rate", "", None),
    ("adam.learning_rate", "shared", None),
    ("formula", " x + 1 ", "x + 1"),
]


@pytest.mark.parametrize(("key", "words", "value"), READ)
def test_texts_are_read_as_declared(key: str, words: str, value: Any) -> None:
    read = read_text(KNOWN[key], words)
    assert read == value and type(read) is type(value)
    assert value_of(build(_Lab, {key: read}), key) == value


WRONG: list[tuple[str, str, tuple[str, ...]]] = [
    ("learning_rate", "fast", ("'fast'", "a number from 1e-12 to 1e+06")),
    ("learning_rate", "", ("''", "a number from")),
    ("learning_rate", "nan", ("nan", "a number from")),
    ("learning_rate", "inf", ("inf", "a number from")),
    ("learning_rate", "1e400", ("inf", "a number from")),
    ("learning_rate", "0", ("0.0", "1e-12")),
    ("learning_rate", "-1", ("-1.0", "1e-12")),
    ("steps", "0", ("0", "a whole number from 1 to 1e+09")),
    ("steps", "2.5", ("'2.5'", "a whole number")),
    ("steps", "9" * 5000, ("999", "a whole number")),
    ("seed", "4294967296", ("4294967296", "from 0 to 4294967295")),
    ("shuffle", "maybe", ("'maybe'", "true or false")),
    ("convention", "paper", ("'paper'", "one of book, pytorch")),
    ("optimizers", "sgd,sdg", ("'sdg'", "sgd, adam, lion")),
    ("optimizers", "sgd,sgd", ("sgd,sgd", "twice")),
    ("start", "1", ("'1'", "two numbers x,y, each from -10 to 10")),
    ("start", "1,2,3", ("'1,2,3'", "two numbers")),
    ("start", "1,nan", ("nan", "two numbers")),
    ("start", "1,11", ("11.0", "each from -10 to 10")),
    ("adam.beta1", "1", ("1.0", "from 0 to 0.999999")),
    ("formula", "x" * 21, ("xxx", "at most 20 characters")),
]


@pytest.mark.parametrize(("key", "words", "parts"), WRONG)
def test_a_wrong_text_is_told_in_one_line(key: str, words: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as told:
        build(_Lab, {key: read_text(KNOWN[key], words)})
    line = str(told.value)
    assert line.startswith(f"{key}: ") and "\n" not in line and len(line) < 250
    assert all(part in line for part in parts), line


@pytest.mark.parametrize(
    ("data", "key", "parts"),
    [
        ({"learning_rate": "0.1"}, "learning_rate", ("'0.1'", "a number")),
        ({"learning_rate": True}, "learning_rate", ("True", "a number")),
        ({"steps": 2.5}, "steps", ("2.5", "a whole number")),
        ({"steps": None}, "steps", ("None", "a whole number")),
        ({"shuffle": 1}, "shuffle", ("1", "true or false")),
        ({"optimizers": "sgd"}, "optimizers", ("'sgd'", "list")),
        ({"optimizers": [1]}, "optimizers", ("1", "list")),
        ({"start": [1.0]}, "start", ("two numbers",)),
        ({"adam": 5}, "adam", ("5",)),
        ({"adam": {"beta1": "x"}}, "adam.beta1", ("'x'", "a number")),
        ({"adam": {"beta3": 1}}, "adam.beta3", ("no such setting", "adam.beta1")),
        ({"lerning_rate": 1}, "lerning_rate", ("no such setting", "learning_rate")),
        ({"zzzz": 1}, "zzzz", ("no such setting", "known: ")),
        ([], "", ()),
    ],
)
def test_files_are_held_strictly(data: Any, key: str, parts: tuple[str, ...]) -> None:
    with pytest.raises(SpecError) as told:
        validate(_Lab, data, strict=True)
    line = str(told.value)
    assert told.value.key == key and "\n" not in line
    assert all(part in line for part in parts), line


def test_a_list_may_stand_for_a_tuple_in_a_file() -> None:
    spec = validate(_Lab, {"optimizers": ["adam", "sgd"], "start": [1, 2]}, strict=True)
    assert spec.optimizers == ("adam", "sgd") and spec.start == (1.0, 2.0)


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        _Lab().steps = 3


def test_one_value_is_changed_and_the_rest_shared() -> None:
    spec = build(_Lab, {"adam.learning_rate": 0.5, "steps": 7})
    other = changed(spec, "adam.beta1", 0.25)
    assert differences(spec, other) == {"adam.beta1": (0.9, 0.25)}
    assert changed(other, "adam.beta1", 0.9) == spec
    assert (other.adam.learning_rate, other.steps, spec.adam.beta1) == (0.5, 7, 0.9)
    assert type(changed(spec, "learning_rate", 1).learning_rate) is float


@pytest.mark.parametrize(
    ("key", "value"),
    [("adam.beta1", 1.0), ("adam.beta1", float("nan")), ("steps", "many"), ("adam.beta9", 1), ("", 1), ("a..b", 1)],
)
def test_a_wrong_change_is_refused(key: str, value: Any) -> None:
    with pytest.raises(SpecError):
        changed(_Lab(), key, value)


def test_differences_name_keys_that_only_one_side_has() -> None:
    assert differences(Spec(), _Adam()) == {"record_every": (1, None), "beta1": (None, 0.9)}


def test_flat_and_build_are_inverse() -> None:
    spec = build(_Lab, {"adam.beta1": 0.5, "start": (1, 2), "optimizers": ("lion",)})
    assert build(_Lab, flat(spec)) == spec


def test_unknown_names_get_a_hint() -> None:
    assert str(unknown("adan", NAMES, "optimizer")) == "adan: no such optimizer; did you mean adam?"
    assert str(unknown("q", (), "preset")) == "q: no such preset; known: none"
    assert len(str(unknown("x" * 4_000_000, NAMES, "setting"))) < 300


@given(st.text(max_size=200))
def test_an_echo_is_one_printable_line(words: str) -> None:
    for told in (echo(words), echo(words, quotes=False)):
        assert len(told) <= 60
        assert all(c.isprintable() for c in told)


@given(st.sampled_from(sorted(KNOWN)), st.text(max_size=30))
def test_no_text_raises_anything_but_a_spec_error(key: str, words: str) -> None:
    try:
        spec = build(_Lab, {key: read_text(KNOWN[key], words)})
    except SpecError as error:
        assert "\n" not in str(error) and str(error).startswith(key)
    else:
        assert value_of(spec, key) is not None or KNOWN[key].inherits


class Lists(Spec):
    """One field of each kind of list."""

    hidden: tuple[int, ...] = numbers((8, 8), 1, 256, 8, "Hidden", "Units of each layer")
    layers: tuple[str, ...] = sequence((), {"relu": "ReLU", "tanh": "tanh"}, 3, "Layers", "One for each")
    knots: tuple[tuple[float, float], ...] = points(((0.0, 1.0),), 0.0, 10.0, 4, "Knots", "Of the curve")
    csv: str = file("Table", "Own data")


@pytest.mark.parametrize(
    ("key", "words", "value"),
    [
        ("hidden", "4,2,1", (4, 2, 1)),
        ("hidden", "", ()),
        ("hidden", " 7 ", (7,)),
        ("layers", "relu, relu,tanh", ("relu", "relu", "tanh")),
        ("knots", "0:0.1, 1:2.5", ((0.0, 0.1), (1.0, 2.5))),
        ("csv", "a b.csv", "a b.csv"),
    ],
)
def test_lists_are_read_and_written(key: str, words: str, value: object) -> None:
    declared = {d.key: d for d in declarations(Lists)}[key]
    spec = build(Lists, {key: read_text(declared, words)})
    assert value_of(spec, key) == value
    assert read_text(declared, write_text(declared, value)) == value
    assert validate(Lists, json.loads(json.dumps(spec.model_dump(mode="json"))), strict=True) == spec


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        ("hidden", (0,), "at most 8 whole numbers with commas between, each from 1 to 256"),
        ("hidden", (1,) * 9, "at most 8"),
        ("layers", ("selu",), "each one of relu, tanh"),
        ("layers", ("relu",) * 4, "at most 3"),
        ("knots", ((0.0, 11.0),), "each from 0 to 10"),
        ("knots", ((0.0, math.inf),), "points x:y"),
    ],
)
def test_lists_hold_to_their_declaration(key: str, value: object, allowed: str) -> None:
    with pytest.raises(SpecError) as told:
        build(Lists, {key: value})
    assert allowed in str(told.value) and "\n" not in str(told.value)


@pytest.mark.parametrize(("key", "words"), [("hidden", "8,x"), ("hidden", "8 8"), ("knots", "1,2"), ("knots", "a:b")])
def test_words_that_are_no_list(key: str, words: str) -> None:
    declared = {d.key: d for d in declarations(Lists)}[key]
    with pytest.raises(SpecError, match="is not allowed; give"):
        read_text(declared, words)
