"""The reader of the user's own tables: every shape of badness, guesses, and a round trip through random dialects."""

from __future__ import annotations

import csv
import io
import string
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data import DataError, Table, load, read

Write = Callable[[str | bytes], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def made(content: str | bytes) -> Path:
        file = tmp_path / "mine.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return file

    return made


def numbers(table: Table, *names: str) -> list[list[float]]:
    return [table.column(name).numbers.tolist() for name in names]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "mine.csv is empty; a table needs at least one row"),
        (" \n\n\t\n", "mine.csv is empty"),
        (b"\xef\xbb\xbf", "is empty"),
        ("a,b\n", "has names but no rows"),
        (b"PK\x03\x04\x14\x00\x06\x00", "is a spreadsheet or zip file, not a text file"),
        (b"\x1f\x8b\x08\x00", "is a gzip file"),
        (b"\x89PNG\r\n\x1a\n", "is a picture"),
        (b"a,b\n1,\x002\n", "not a text file: byte 0 at position 7"),
        (b"a,b\n1,\x072\n", "byte 7 at position 7"),
        (b"\xff\xfea\x00\x00\xd8", "not readable as UTF-16"),
        ('a,b\n1,2\n"3,4\n5,6\n', "line 3: a quotation mark is never closed"),
        ('a,b\n1,2\n3,"4\n', "line 3: a quotation mark is never closed"),
        ('a,b\n1,2\n3,"' + "4\n" * 100_000, "line 3: a cell is longer than 131,072 characters"),
        ("7" * 1_100_000, "line 1 is longer than a million characters"),
        (",".join("1" * 1001), "has 1,001 columns; at most 1,000 are allowed"),
    ],
)
def test_files_that_are_refused(write: Write, content: str | bytes, told: str) -> None:
    with pytest.raises(DataError) as error:
        read(write(content))
    assert told in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 200


def test_paths_that_are_refused(tmp_path: Path) -> None:
    for path, told in (("", "no file is named"), (tmp_path, "is not a file"), (tmp_path / "none.csv", "does not exist"),
                       (tmp_path / ("x" * 300), "x"), ("a\0b\n.csv", "a?b?.csv does not exist")):  # fmt: skip
        with pytest.raises(DataError) as error:
            read(path)
        assert told in str(error.value) and "\n" not in str(error.value) and len(str(error.value)) < 200
    with pytest.raises(DataError, match="no file is named"):
        load("csv")


def test_a_large_file_is_refused_with_its_size(write: Write) -> None:
    file = write("a,b\n" + "1,2\n" * 500_000)
    with pytest.raises(DataError, match=r"mine.csv has 2.0 MB; at most 1.0 MB are read"):
        read(file, most_bytes=1_000_000)
    assert read(file, most_bytes=2_000_004).rows <= 500_000


def test_many_rows_are_sampled_evenly_with_a_word(write: Write) -> None:
    table = read(write("k,v\n" + "".join(f"{k},{k % 7}\n" for k in range(10_000))), most_rows=100)
    [k] = numbers(table, "k")
    assert 98 <= table.rows <= 100 and set(np.diff(k)) <= {99.0, 100.0, 101.0}
    assert any(note == f"An evenly spaced part is used: {table.rows} of 10,000 rows." for note in table.notes)


@pytest.mark.parametrize(
    ("content", "delimiter", "decimal", "header", "columns"),
    [
        ("a,b\n1,2\n3,4\n", ",", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("1,2\n3,4", ",", ".", False, {"column 1": [1, 3], "column 2": [2, 4]}),
        ("1;2,5\n3;4,25\n", ";", ",", False, {"column 1": [1, 3], "column 2": [2.5, 4.25]}),
        ("a;b\n1.234,5;1\n2,5;3\n", ";", ",", True, {"a": [1234.5, 2.5], "b": [1, 3]}),
        ('p,q\n"1,234",1\n"12,345.5",2\n', ",", ".", True, {"p": [1234, 12345.5], "q": [1, 2]}),
        ('p,q\n"1,5",1\n"12,25",2\n', ",", ",", True, {"p": [1.5, 12.25], "q": [1, 2]}),
        ("a\tb\n1\t2\n3\t4\n", "\t", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("a|b\n1|2\n3|4\n", "|", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("a b\n1 2\n3 4\n", " ", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("  1.0    2.0\n 10.0   3.0\n", "runs of spaces", ".", False, {"column 1": [1, 10], "column 2": [2, 3]}),
        ("a,b\r1,2\r3,4\r", ",", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("a,b\r\n1,2\r\n\r\n3,4\r\n\x1a", ",", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("sep=;\na;b\n1;2\n3;4\n", ";", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("# made by hand\na,b\n1,2\n3,4\n", ",", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("# a,b\n1,2\n3,4\n", ",", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("My measurements\na,b\n1,2\n3,4\n", ",", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("label,0,1\n5,7,2\n3,9,4\n", ",", ".", True, {"label": [5, 3], "0": [7, 9], "1": [2, 4]}),
        ("a,a,,a\n1,2,3,4\n", ",", ".", True, {"a": [1], "a (2)": [2], "column 3": [3], "a (3)": [4]}),
        ("a,b\n1,2,\n3,4,\n", ",", ".", True, {"a": [1, 3], "b": [2, 4]}),
        ("n a\nr1 1 2\nr2 3 4\n", " ", ".", True, {"n": [1, 3], "a": [2, 4]}),
        ("x\n1\n2\n", "\x1f", ".", True, {"x": [1, 2]}),
        (b"\xef\xbb\xbfa,b\n1,2\n", ",", ".", True, {"a": [1], "b": [2]}),
        ("a,b\n1,2\n".encode("utf-16"), ",", ".", True, {"a": [1], "b": [2]}),
        (b"caf\xe9,b\n1,2\n", ",", ".", True, {"café": [1], "b": [2]}),
        (b"a\x81\xe9,b\n1,2\n", ",", ".", True, {"a\x81é": [1], "b": [2]}),
    ],
)
def test_guesses(
    write: Write, content: str | bytes, delimiter: str, decimal: str, header: bool, columns: dict[str, list[float]]
) -> None:
    table = read(write(content))
    assert (table.delimiter, table.decimal, table.header) == (delimiter, decimal, header)
    for name, values in columns.items():
        assert table.column(name).numbers.tolist() == values
    assert ("decimal comma" if decimal == "," else "decimal point") in table.notes[0]
    assert f"{table.rows} row" in table.notes[0]


@pytest.mark.parametrize(
    ("content", "header"),
    [("Paris,red\nRome,blue\nParis,red\n", False), ("city,tone\nParis,red\nRome,blue\n", True),
     ("1,red\n2,blue\n", False),
     ("NA,red\n2,blue\n3,blue\n", False), (",town\n1,Paris\n2,Rome\n", True), ("n,tone\n1,red\n2,blue\n", True)],
)  # fmt: skip
def test_names_in_the_first_row_or_not(write: Write, content: str, header: bool) -> None:
    assert read(write(content)).header is header
    assert read(write(content), header=not header).header is not header


def test_a_guess_can_be_overruled(write: Write) -> None:
    table = read(write("1,5\n2,5\n3,7\n"), delimiter=";")
    assert table.names == ("column 1",) and numbers(table, "column 1") == [[1.5, 2.5, 3.7]] and table.decimal == ","
    with pytest.raises(DataError, match="delimiter 'x' is not allowed"):
        read(write("1,5\n"), delimiter="x")


def test_ragged_rows_are_counted_and_left_out(write: Write) -> None:
    table = read(write("a,b\n1,2\n3\n4,5,6\n7,8\n"))
    assert numbers(table, "a", "b") == [[1, 7], [2, 8]]
    assert "2 rows left out for not having 2 cells (first: line 3)." in table.notes


@pytest.mark.parametrize("word", ["", "NA", "nan", "NaN", "?", "n/a", "null", " "])
def test_missing_values_drop_their_rows(write: Write, word: str) -> None:
    data = read(write(f"a,b\n1,10\n{word},20\n3,30\n4,{word}\n5,55\n")).dataset("b")
    assert data.x.tolist() == [[1], [3], [5]] and data.y.tolist() == [[10], [30], [55]]
    assert "2 of 5 rows dropped: a value is missing." in data.note


def test_only_missing_values_of_chosen_columns_count(write: Write) -> None:
    table = read(write("a,b,y\n1,,1.5\n2,5,2.5\n3,6,3.5\n"))
    assert table.dataset("y").samples == 2 and table.dataset("y", ["a"]).samples == 3


def test_columns_that_are_no_use_are_left_out_and_named(write: Write) -> None:
    rows = "".join(f"{k},{k * k},{'' if k % 3 else k},w{k},same,{k},,{k / 2}\n" for k in range(30))
    data = read(write("id,a,gaps,words,still,w,none,y\n" + rows)).dataset()
    assert data.inputs == ("a", "w") and data.target == "y" and data.samples == 30
    for said in ("only counts the rows: id", "mostly missing: gaps", "more than 12 different texts: words",
                 "always the same text: still", "without any value: none"):  # fmt: skip
        assert f"Left out, {said}." in data.note


def test_a_column_asked_for_is_taken_though_doubtful(write: Write) -> None:
    table = read(write("id,gaps,y\n" + "".join(f"{k},{'' if k % 3 else k},{k / 2}\n" for k in range(30))))
    assert table.dataset("y", ["id"]).samples == 30
    assert table.dataset("y", ["gaps"]).samples == 10


def test_texts_become_columns_of_zero_and_one(write: Write) -> None:
    data = read(write("tone,size,y\nred,1,1.5\nblue,2,2.5\nred,3,3.5\ngreen,4,0.5\n")).dataset("y")
    assert data.inputs == ("tone=blue", "tone=green", "tone=red", "size")
    assert data.x.tolist() == [[0, 0, 1, 1], [1, 0, 0, 2], [0, 0, 1, 3], [0, 1, 0, 4]]


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["a", "b", "a", "b", "a", "b"], "binary", ("a", "b")),
        (["a", "b", "c", "a", "b", "c"], "classes", ("a", "b", "c")),
        (["a"] * 6, "classes", ("a",)),
        ([0, 1, 1, 0, 1, 0], "binary", ("0", "1")),
        ([-1, 1, 1, -1, 1, 1], "binary", ("-1", "1")),
        ([0, 1, 2, 0, 1, 2], "classes", ("0", "1", "2")),
        ([1, 2, 3, 1, 2, 3], "classes", ("1", "2", "3")),
        ([0, 1, 2, 3, 4, 5], "regression", ()),
        ([3, 4, 5, 3, 4, 5], "regression", ()),
        ([0.5, 1, 0.5, 1, 1, 1], "regression", ()),
        ([7] * 6, "regression", ()),
    ],
)
def test_what_kind_a_target_is(write: Write, values: list[Any], kind: str, classes: tuple[str, ...]) -> None:
    content = "x,goal\n" + "".join(f"{k * k},{value}\n" for k, value in enumerate(values))
    data = read(write(content)).dataset("goal")
    assert (data.kind, data.classes) == (kind, classes)
    if classes:
        assert [data.classes[int(k)] for k in data.y.reshape(-1)] == [str(value) for value in values]
    else:
        assert data.y[:, 0].tolist() == values
    if len(set(values)) == 1:
        assert "nothing to" in data.note
    if len(set(values)) > 1 and kind != "regression":
        assert read(write(content)).dataset("goal", kind="classes").y.dtype == np.int64


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        ("x\n1\n2\n", {}, "has one column; a data set needs a target and at least one input"),
        ("a,b\n1,2\n", {"target": "c"}, "has no column 'c'; it has a, b"),
        ("a,b\n1,2\n", {"target": "b", "inputs": ["c"]}, "has no column 'c'"),
        ("a,b\n1,2\n", {"target": "b", "inputs": ["b"]}, "'b' is the target and an input"),
        ("a,b\n1,2\n", {"target": "b", "inputs": ["a", "a"]}, "'a' is twice an input"),
        ("a,b\n,\n,\n", {}, "has no column that can be a target"),
        ("a,b\n1,\n2,\n", {"target": "b"}, "the target 'b' has no values"),
        ("a,b,c\n1,,1\n,2,1\n", {"target": "c"}, "no row has a value in all 3 chosen columns"),
        ("a,b\nx,1.5\nx,2.5\n", {"target": "b"}, "no input is left (left out, always the same text: a)"),
        ("a,b\n1,x\n2,y\n", {"target": "b", "kind": "regression"}, "holds texts, such as 'x'; regression needs"),
        ("a,b\n1,x\n2,y\n3,z\n", {"target": "b", "kind": "binary"}, "has 3 different values; binary needs exactly 2"),
        ("a,b\n" + "".join(f"{k},w{k}\n" for k in range(200)), {"target": "b"}, "200 different values; at most 100"),
        ("a,b\n" + "".join(f"{k},{k}\n" for k in range(200)), {"target": "b", "kind": "classes"}, "at most 100"),
    ],
)
def test_choices_that_make_no_data_set(write: Write, content: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as error:
        read(write(content)).dataset(**options)
    assert told in str(error.value) and "\n" not in str(error.value)


def test_constant_columns_are_kept_and_named(write: Write) -> None:
    data = read(write("a,b,y\n1,5,1.5\n2,5,2.5\n")).dataset("y")
    assert data.inputs == ("a", "b") and "Constant, so they tell nothing: b." in data.note
    assert read(write("a,y\n1,2\n")).dataset().samples == 1  # all is constant in one row


def test_a_few_words_do_not_spoil_a_column_of_numbers(write: Write) -> None:
    table = read(write("a,y\n" + "".join(f"{k / 4},{k}\n" for k in range(50)) + "oops,3\n-,4\n"))
    assert table.column("a").kind == "number" and np.isnan(table.column("a").numbers[-2:]).all()
    assert "Cells that are no numbers (such as 'oops') count as missing: a." in table.notes
    assert read(write("a,y\n1,1\n2,2\nx,3\n1,4\n")).column("a").labels == ("1", "2", "x")


def test_endless_and_huge_values_count_as_missing(write: Write) -> None:
    table = read(write("a,y\n1e400,2\n3,4\n-inf,3\n1e101,3\n5,6\n7,8\n9,9\n"))
    assert table.dataset("y", ["a"]).x.tolist() == [[3], [5], [7], [9]]
    assert "Values that are infinite or beyond 1e100 count as missing: a." in table.notes


def test_texts_that_python_would_take_for_numbers(write: Write) -> None:
    table = read(write("a,b\n" + "".join(f"{k},{k}\n" for k in range(150)) + "1_000,1\n"))
    assert np.isnan(table.column("a").numbers[-1]) and table.column("b").kind == "number"


def test_columns_chosen_while_reading_are_kept(write: Write) -> None:
    file = write("a,b,c\n1,2,3.5\n4,5,6.5\n7,9,8.5\n")
    data = load("csv", path=file, target="a", inputs=["c"])
    assert (data.target, data.inputs, data.name) == ("a", ("c",), "mine.csv")
    assert load("csv", path=file, target="", inputs=()).inputs == ("a", "b")
    with pytest.raises(DataError, match="has no column 'd'"):
        read(file, inputs=["d"])


@pytest.mark.parametrize(("name", "target"), [("label", "label"), ("Species", "Species"), ("other", "last")])
def test_the_target_nobody_named(write: Write, name: str, target: str) -> None:
    assert read(write(f"{name},b,last\n1,2,3\n4,5,6\n")).dataset().target == target


def test_names_stay_on_one_short_line(write: Write) -> None:
    table = read(write('"a\n b",' + "n" * 500 + "\n1,2\n3,4\n"))
    assert table.names == ("a b", "n" * 60)


# Round trips

DELIMITERS = (",", ";", "\t", "|", " ")
finite = st.floats(-1e100, 1e100, allow_nan=False)
word = st.text(string.ascii_letters, min_size=1, max_size=6).filter(lambda w: w.lower() not in MISSING_WORDS)
anything = st.text(string.ascii_letters + " ,;|\t\"'äß€#\n", min_size=1, max_size=8).map(str.strip).filter(
    lambda w: w.lower() not in MISSING_WORDS and not w.lower().startswith("sep=")
)  # fmt: skip
MISSING_WORDS = {"", "na", "n/a", "nan", "null", "?", "inf", "infinity", "e"}


def written(rows: list[list[str]], delimiter: str, encoding: str, end: str, quoting: Any) -> bytes:
    stream = io.StringIO(newline="")
    csv.writer(stream, delimiter=delimiter, lineterminator=end, quoting=quoting).writerows(rows)
    return stream.getvalue().encode(encoding)


def there_and_back(data: bytes, **options: Any) -> Table:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "trip.csv"
        file.write_bytes(data)
        return read(file, **options)


dialects = st.tuples(
    st.sampled_from(DELIMITERS),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)


@settings(max_examples=60)
@given(st.data(), dialects, st.integers(1, 4), st.integers(3, 12), st.booleans(), st.booleans())
def test_a_random_table_is_guessed_right(
    draw: st.DataObject, how: tuple[str, str, str, Any], numbers: int, rows: int, header: bool, comma: bool
) -> None:
    """Columns of numbers (some missing) and one of labels, in any dialect: every value comes back, bit for bit."""
    delimiter = how[0]
    comma = comma and delimiter != ","
    fraction = finite.map(lambda value: value if value % 1 else 0.5)  # 1e22 has no sign to guess from
    values = [draw.draw(st.lists(fraction, min_size=rows, max_size=rows)) for _ in range(numbers)]
    labels = draw.draw(st.lists(st.sampled_from(["red", "green", "blue"]), min_size=rows, max_size=rows))
    hole = draw.draw(st.integers(0, rows - 1))
    gap = draw.draw(st.sampled_from(["NA", "?", "nan"]))
    names = draw.draw(st.lists(word, min_size=numbers + 1, max_size=numbers + 1, unique=True))

    def cell(value: float, row: int, column: int) -> str:
        text = gap if (row, column) == (hole, 0) else repr(value)
        return text.replace(".", ",") if comma and text != gap else text

    body = [[*(cell(values[c][r], r, c) for c in range(numbers)), labels[r]] for r in range(rows)]
    table = there_and_back(written([names, *body] if header else body, *how))
    assert (table.delimiter, table.header, table.rows) == (delimiter, header, rows), table.notes
    assert table.names == (tuple(names) if header else tuple(f"column {k + 1}" for k in range(numbers + 1)))
    for c, column in enumerate(table.columns[:-1]):
        assert column.kind == "number"
        expected = [np.nan if (r, c) == (hole, 0) else values[c][r] for r in range(rows)]
        assert np.array_equal(column.numbers, expected, equal_nan=True)
    read_labels = table.columns[-1]
    assert [read_labels.labels[code] for code in read_labels.codes] == labels
    assert table.decimal == ("," if comma else ".")


@given(st.data(), dialects, st.integers(2, 4), st.integers(1, 8))
def test_any_texts_come_back_in_a_dialect_that_is_told(
    draw: st.DataObject, how: tuple[str, str, str, Any], width: int, rows: int
) -> None:
    """Quotes, delimiters and line ends inside of cells: with delimiter and header told, each text comes back."""
    body = [draw.draw(st.lists(anything, min_size=width, max_size=width)) for _ in range(rows)]
    body[0][0] = "start"  # a first line that begins with # is a comment
    table = there_and_back(written(body, *how), delimiter=how[0], header=False)
    got = [[column.labels[code] for column, code in zip(table.columns, codes, strict=True)]
           for codes in zip(*(column.codes for column in table.columns), strict=True)]  # fmt: skip
    assert got == body


@given(st.binary(max_size=300) | st.text(string.digits + ",;.\"' \t\n|#=abNA?-e", max_size=300).map(str.encode))
def test_whatever_is_in_a_file_it_is_read_or_told_in_one_line(data: bytes) -> None:
    try:
        table = there_and_back(data)
        assert len({len(column.present) for column in table.columns}) == 1
        made = table.dataset()
        assert np.isfinite(made.x).all() and made.samples > 0
    except DataError as error:
        assert "\n" not in str(error) and len(str(error)) < 300
