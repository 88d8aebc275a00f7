"""What a run writes: rows by their pinned meaning, the same numbers in every file, and each contestant's own ending."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.experiments import load
from engine.session.files import read
from engine.session.results import line, measured, rows, summary, write_csv, write_run
from engine.session.session import Session
from engine.spec import build

DESCENT: Any = load("landscapes.descent")
HEADER = "step,series,x,y,loss,grad_x,grad_y,learning_rate"


def run(taken: int = 0, /, **values: Any) -> Session:
    """A session of landscapes.descent, run to its end (or some steps)."""
    one = Session(DESCENT, build(DESCENT.Spec, {key.replace("__", "."): v for key, v in values.items()}), budget=None)
    one.advance(taken or one.steps)
    return one


def table(one: Session, index: int | None = None) -> list[dict[str, str]]:
    """history.csv as a reader of CSV sees it."""
    return list(csv.DictReader(io.StringIO("".join(rows(DESCENT, one.view(), index)))))


DIVERGING = {"optimizers": ("sgd", "adam"), "sgd__learning_rate": 1.0, "surface": "rosenbrock", "steps": 60}


def test_the_columns_are_pinned() -> None:
    assert next(rows(DESCENT, run(1).view())) == HEADER + "\r\n"


def test_a_row_holds_what_is_after_its_step() -> None:
    """sgd on (x^2 + 4 y^2)/2 in plain floats: row k after k steps, gradient there, the rate that step k used."""
    one = run(surface="bowl", condition_number=4.0, start=(1, 2), optimizers=("sgd", "momentum"), learning_rate=0.1,
              steps=6, momentum__learning_rate=0.05)  # fmt: skip
    x, y = 1.0, 2.0
    for k, row in enumerate(r for r in table(one) if r["series"] == "sgd"):
        assert row["step"] == str(k)
        assert (float(row["x"]), float(row["y"])) == pytest.approx((x, y), rel=1e-14)
        assert float(row["loss"]) == pytest.approx((x * x + 4 * y * y) / 2, rel=1e-14)
        assert (float(row["grad_x"]), float(row["grad_y"])) == pytest.approx((x, 4 * y), rel=1e-14)
        assert row["learning_rate"] == ("" if k == 0 else "0.1")
        x, y = x - 0.1 * x, y - 0.1 * 4 * y
    assert {r["learning_rate"] for r in table(one) if r["series"] == "momentum" and r["step"] != "0"} == {"0.05"}


def test_rows_come_step_by_step_and_series_by_series() -> None:
    one = run(optimizers=("adam", "sgd", "cg"), steps=4)
    assert [(r["step"], r["series"]) for r in table(one)] == [
        (str(k), name) for k in range(5) for name in ("adam", "sgd", "cg")
    ]


def test_every_float_is_written_in_full() -> None:
    one = run(optimizers=("adam", "bfgs"), noise=0.1, steps=30)
    _, values = line(one.view())
    for i, row in enumerate(table(one)):
        for name in HEADER.split(",")[2:]:
            if row[name]:
                assert row[name] == repr(float(row[name]))
                assert float(row[name]) == values[name][i // 2, i % 2]


def test_a_contestant_that_ended_has_no_later_rows() -> None:
    one = run(**DIVERGING)
    end = one.branch.endings[0].step
    steps = [int(r["step"]) for r in table(one) if r["series"] == "sgd"]
    assert steps == list(range(end + 1))
    assert [int(r["step"]) for r in table(one) if r["series"] == "adam"] == list(range(61))


def test_only_every_so_many_steps_are_recorded() -> None:
    every = run(steps=50, record_every=7, optimizers=("sgd", "adam"))
    each = run(steps=50, optimizers=("sgd", "adam"))
    assert [r for r in table(each) if int(r["step"]) % 7 == 0] == table(every)


def test_a_branch_is_told_from_its_first_ancestors_on() -> None:
    one = run(20, record_every=3)
    one.seek(13)
    one.set_live("learning_rate", 0.004)
    one.advance(10)
    steps, _ = line(one.view())
    assert steps.tolist() == [0, 3, 6, 9, 12, 15, 18, 21]
    rates = {int(r["step"]): r["learning_rate"] for r in table(one) if r["series"] == "sgd"}
    assert rates == {0: "", 3: "0.001", 6: "0.001", 9: "0.001", 12: "0.001", 15: "0.004", 18: "0.004", 21: "0.004"}
    assert [int(r["step"]) for r in table(one, 0) if r["series"] == "sgd"] == [0, 3, 6, 9, 12, 15, 18]


def test_all_files_hold_the_same_run(tmp_path: Path) -> None:
    one = run(**DIVERGING)
    told = write_run(one, tmp_path / "run")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "experiment.json", "history.csv", "history.npz", "summary.json",
    ]  # fmt: skip
    assert json.loads((tmp_path / "run" / "summary.json").read_text()) == told
    assert read(tmp_path / "run" / "experiment.json").spec == one.spec
    with open(tmp_path / "run" / "history.csv", newline="") as stream:
        assert stream.readline().strip() == HEADER
        stream.seek(0)
        written = list(csv.DictReader(stream))
    with np.load(tmp_path / "run" / "history.npz") as arrays:
        names = arrays["series"].tolist()
        assert names == ["sgd", "adam"] and arrays["step"].tolist() == list(range(61))
        for row in written:
            i, s = int(row["step"]), names.index(row["series"])
            for name in HEADER.split(",")[2:]:
                value = arrays[name][i, s]
                assert float(row[name]) == value or math.isnan(value) if row[name] else math.isnan(value)
        seen = {(int(row["step"]), row["series"]) for row in written}
        for i in range(61):
            assert ((i, "sgd") in seen) or np.isnan(arrays["loss"][i, 0])


@pytest.mark.parametrize("record_every", [1, 9, 1000])
def test_a_summary_tells_each_contestant_apart(record_every: int) -> None:
    one = run(**DIVERGING, record_every=record_every)
    told = summary(DESCENT, one.view())
    each = run(**DIVERGING)
    end = each.branch.endings[0].step
    assert (told["finish"], told["step"], told["experiment"]) == ("done", 60, "landscapes.descent")
    sgd, adam = told["series"]["sgd"], told["series"]["adam"]
    assert (sgd["finish"], sgd["step"]) == ("diverged", end) and f"step {end}" in sgd["reason"]
    assert (adam["finish"], adam["step"], adam["reason"]) == ("done", 60, "all 60 steps taken")
    # Final values are those of the last step, whichever steps have rows.
    final = {r["series"]: r for r in table(each) if int(r["step"]) == {"sgd": end, "adam": 60}[r["series"]]}
    for name, entry in (("sgd", sgd), ("adam", adam)):
        for column in HEADER.split(",")[2:]:
            assert repr(float(entry[column])) == final[name][column]
    json.dumps(told, allow_nan=False)


def test_the_best_step_is_told() -> None:
    told = summary(DESCENT, run(**DIVERGING).view())["series"]
    each = table(run(**DIVERGING))
    for name in ("sgd", "adam"):
        losses = [(float(r["loss"]), int(r["step"])) for r in each if r["series"] == name]
        assert (told[name]["best_loss"], told[name]["best_step"]) == min(t for t in losses if math.isfinite(t[0]))


def test_a_run_that_all_left_has_diverged() -> None:
    told = summary(DESCENT, run(optimizers=("sgd", "momentum"), learning_rate=1.0, steps=100).view())
    assert told["finish"] == "diverged" and {e["finish"] for e in told["series"].values()} == {"diverged"}
    assert told["step"] == max(e["step"] for e in told["series"].values())


def test_a_run_broken_off_was_stopped() -> None:
    one = run(5)
    told = summary(DESCENT, one.view(), "stopped")
    assert told["finish"] == "stopped" and told["step"] == 5
    assert {(e["finish"], e["reason"]) for e in told["series"].values()} == {("stopped", "stopped")}
    assert summary(DESCENT, one.view())["finish"] == "stopped"


def test_a_summary_names_the_changes_made_on_the_way() -> None:
    one = run(5)
    one.set_live("noise", 0.25)
    one.advance(5)
    assert summary(DESCENT, one.view())["events"] == [{"step": 5, "key": "noise", "value": 0.25}]


def test_what_a_prediction_asks_is_measured() -> None:
    told = summary(DESCENT, run(**DIVERGING, target=5.0).view())
    assert told["series"]["sgd"]["finish"] == "diverged"
    assert measured("finish sgd", told, "loss") == "diverged"
    assert measured("lowest", told, "loss") == "adam"
    first = summary(
        DESCENT,
        run(surface="bowl", condition_number=1.0, start=(1, 1), optimizers=("sgd", "newton"), learning_rate=0.1,
            target=0.5).view(),
    )  # fmt: skip
    assert measured("first", first, "loss") == "newton"
    assert measured("first", summary(DESCENT, run(5).view()), "loss") == "none"
    with pytest.raises(ValueError, match="measure: 'worst'"):
        measured("worst", told, "loss")


def test_csv_of_another_branch_can_be_asked_for(tmp_path: Path) -> None:
    one = run(10)
    one.seek(4)
    one.fork()
    one.advance(2)
    write_csv(DESCENT, one.view(), tmp_path / "a.csv", 0)
    write_csv(DESCENT, one.view(), tmp_path / "b.csv")
    lengths = [len((tmp_path / name).read_text().splitlines()) for name in ("a.csv", "b.csv")]
    assert lengths == [1 + 11 * 4, 1 + 7 * 4]
