"""schedules.curves: its rows against torch and the chapter, the plateau's real run, live changes, scripts, knots."""

from __future__ import annotations

import csv
import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from engine.experiments import load
from engine.randomness import normals
from engine.schedules import SCHEDULES, chapter_rates, rates
from engine.session.commands import main, script
from engine.session.files import from_json, saved, to_json
from engine.session.presets import figures, predictions, preset_spec, presets
from engine.session.results import line, measured, summary
from engine.session.session import Session
from engine.spec import SpecError, build, declarations, read_text, write_text
from tests.alone import Alone

ID = "schedules.curves"
CURVES: Any = load(ID)
ALL = tuple(SCHEDULES)
PURE = tuple(name for name in ALL if name != "plateau")
TORCH = torch.optim.lr_scheduler


def run(values: dict[str, Any], taken: int = 10**9) -> Session:
    """A session run to its end, or some steps."""
    one = Session(CURVES, build(CURVES.Spec, values), budget=None)
    one.advance(taken)
    return one


def column(one: Session, name: str = "learning_rate") -> Any:
    """One column, [steps, series]."""
    return line(one.view())[1][name]


def test_it_is_found_by_its_place_and_its_choices_are_the_schedules() -> None:
    declared = {d.key: d for d in declarations(CURVES.Spec)}
    assert declared["schedules"].choices == ALL
    assert {"base_lr", "total_steps", "warmup_steps", "cosine.T_max", "cyclic.base_lr", "linear.total_iters"} <= set(
        declared
    )
    for key, d in declared.items():  # every default can be typed
        assert d.help and d.title
        if d.kind in ("numbers", "points", "choices"):
            assert read_text(d, write_text(d, d.default)) == d.default, key


def walked(make: Any, lr: float, n: int, key: str = "lr") -> Any:
    one = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=lr, momentum=0.9)
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scheduler = make(one)
        for _ in range(n):
            found.append(float(one.param_groups[0][key]))
            scheduler.step()
    return np.array(found)


@pytest.mark.parametrize("total", [1, 2, 100, 731])
def test_the_rows_are_torchs_rates(total: int) -> None:
    """Row k is the rate in force at step k, from 0 to total_steps - 1, with what defaults to total_steps so."""
    theirs = {
        "constant": lambda o: TORCH.ConstantLR(o, factor=1.0, total_iters=0),
        "step": lambda o: TORCH.StepLR(o, step_size=13, gamma=0.5),
        "multi_step": lambda o: TORCH.MultiStepLR(o, milestones=[20, 60], gamma=0.3),
        "exponential": lambda o: TORCH.ExponentialLR(o, gamma=0.99),
        "cosine": lambda o: TORCH.CosineAnnealingLR(o, T_max=total),
        "cosine_restarts": lambda o: TORCH.CosineAnnealingWarmRestarts(o, T_0=11, T_mult=2),
        "polynomial": lambda o: TORCH.PolynomialLR(o, total_iters=total, power=2.0),
        "linear": lambda o: TORCH.LinearLR(o, total_iters=total),
        "cyclic": lambda o: TORCH.CyclicLR(o, base_lr=0.02, max_lr=0.2, step_size_up=9, mode="triangular2"),
        "one_cycle": lambda o: TORCH.OneCycleLR(o, max_lr=0.2, total_steps=total, three_phase=True),
    }
    one = run({"schedules": tuple(theirs), "base_lr": 0.2, "total_steps": total, "step.step_size": 13,
               "step.gamma": 0.5, "multi_step.milestones": (20, 60), "multi_step.gamma": 0.3,
               "exponential.gamma": 0.99, "cosine_restarts.T_0": 11, "cosine_restarts.T_mult": 2,
               "polynomial.power": 2.0, "cyclic.step_size_up": 9, "cyclic.mode": "triangular2",
               "one_cycle.three_phase": True})  # fmt: skip
    assert one.finish == "done" and line(one.view())[0].tolist() == list(range(total))
    for s, (name, make) in enumerate(theirs.items()):
        np.testing.assert_allclose(column(one)[:, s], walked(make, 0.2, total), rtol=0, atol=1e-10, err_msg=name)
        momentum = column(one, "momentum")[:, s]
        if name in ("cyclic", "one_cycle"):
            np.testing.assert_allclose(momentum, walked(make, 0.2, total, "momentum"), rtol=0, atol=1e-12)
        else:
            assert np.isnan(momentum).all()


def test_any_may_stand_behind_a_warm_up() -> None:
    names = ("constant", "exponential", "polynomial")
    one = run({"schedules": names, "warmup_steps": 8, "total_steps": 50, **{f"{n}.warmup": True for n in names}})
    expected = [
        0.1 * np.minimum(np.arange(50) / 8, 1.0),
        np.where(np.arange(50) < 8, 0.1 * np.arange(50) / 8, 0.1 * np.exp(-0.03 * (np.arange(50) - 8))),
        0.1 * np.where(np.arange(50) < 8, np.arange(50) / 8, (50 - np.arange(50)) / 42),
    ]
    np.testing.assert_allclose(column(one), np.stack(expected, axis=1), rtol=1e-12)


def test_the_chapters_preset_keeps_its_numbering() -> None:
    one = Session(CURVES, preset_spec(CURVES, "chapter"))
    one.advance(1000)
    steps, values = line(one.view())
    assert steps.tolist() == list(range(101))
    for s, (name, theirs) in enumerate(chapter_rates(steps[1:]).items()):
        assert one.series[s] == name
        np.testing.assert_allclose(values["learning_rate"][1:, s], theirs, rtol=1e-13, atol=1e-16)
    assert values["learning_rate"][100, 3:].tolist() == [0.0, 0.0]
    (drawn,) = CURVES.drawn(one.spec, one.view())
    assert drawn.section == "10.2.3" and len(drawn.overlays) == 5 and figures(ID) == ("chapter",)
    for overlay, theirs in zip(drawn.overlays, chapter_rates(np.arange(1, 101)).values(), strict=True):
        assert (overlay.plot, overlay.kind) == ("learning_rate", "chapter")
        assert overlay.x.tolist() == list(range(1, 101)) and overlay.y.tolist() == theirs.tolist()
    assert drawn.verdict.count("over 100 epochs") == 5
    apart = [float(part.split("at most ")[1].split()[0]) for part in drawn.verdict.split("; ")]
    assert max(apart) < 1e-15
    other = run({"total_steps": 100, "schedules": ("cosine", "drawn")})
    told = float(CURVES.drawn(other.spec, other.view())[0].verdict.split("at most ")[1].split()[0])
    assert told < 1e-15, "T_max is the total: the same curve but for the last epoch"
    fresh = Session(CURVES, build(CURVES.Spec, {"schedules": ("drawn",)}))
    assert CURVES.drawn(fresh.spec, fresh.view())[0].verdict.startswith("Run the preset")


# -- the plateau -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("seed", [0, 5])
def test_the_plateau_follows_the_loss_of_a_real_run(seed: int) -> None:
    """The same run by torch: autograd on the bowl, the same noise, ReduceLROnPlateau on its loss."""
    n, sigma = 150, 0.4
    one = run({"schedules": ("cosine", "plateau"), "total_steps": n, "seed": seed, "plateau.noise": sigma,
               "plateau.patience": 6, "plateau.factor": 0.5, "plateau.cooldown": 2, "base_lr": 0.15})  # fmt: skip
    p = torch.tensor([1.0, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([p], lr=0.15)
    scheduler = TORCH.ReduceLROnPlateau(optimizer, patience=6, factor=0.5, cooldown=2)
    noise = torch.from_numpy(sigma * normals(seed, "plateau", 0, n))
    curvature = torch.tensor([1.0, 10.0], dtype=torch.float64)
    rate, loss = [0.15], [5.5]
    for k in range(n - 1):
        optimizer.zero_grad()
        torch.autograd.backward((curvature * p * p).sum() / 2)
        assert p.grad is not None
        p.grad += noise[k]
        optimizer.step()
        loss.append(((curvature * p * p).sum() / 2).item())
        scheduler.step(loss[-1])
        rate.append(optimizer.param_groups[0]["lr"])
    np.testing.assert_allclose(column(one)[:, 1], rate, rtol=1e-12)
    np.testing.assert_allclose(column(one, "loss")[:, 1], loss, rtol=1e-9)
    assert np.isnan(column(one, "loss")[:, 0]).all() and len(set(rate)) > 3


def test_patience_pays() -> None:
    """What the presets claim."""
    last = {}
    for name in ("patient", "impatient"):
        one = Session(CURVES, preset_spec(CURVES, name))
        one.advance(1000)
        last[name] = column(one, "loss")[-50:, 0].mean()
    assert 30 < last["impatient"] / last["patient"] < 50


def test_a_plateau_whose_loss_is_lost_ends_and_the_others_go_on() -> None:
    values = {"schedules": ("plateau", "cosine"), "total_steps": 400, "base_lr": 5.0, "plateau.patience": 1000}
    one = run(values)
    (ending,) = one.branch.endings
    assert (ending.series, ending.finish, one.finish) == (0, "diverged", "done") and "overflowed" in ending.reason
    assert np.isfinite(column(one, "loss")[: ending.step, 0]).all() and np.isfinite(column(one)[:, 1]).all()
    assert np.isnan(column(one)[ending.step + 1 :, 0]).all()
    assert "step back" in one.probe("inside", series="plateau").note
    alone = run({**values, "schedules": ("plateau",)})
    assert (alone.finish, alone.step) == ("diverged", ending.step)


# -- exactness -------------------------------------------------------------------------------------------------------
def test_steps_cut_anyhow_and_steps_back_give_the_same_bits() -> None:
    values = {"schedules": ALL, "total_steps": 90, "drawn.smooth": True}
    whole = run(values)
    cut = Session(CURVES, build(CURVES.Spec, values), budget=None)
    while cut.finish is None:
        cut.advance(1 + cut.step % 7)
        cut.back(2)
        cut.advance(3)
    for name in ("learning_rate", "momentum", "loss"):
        assert column(cut, name).tobytes() == column(whole, name).tobytes(), name


def test_a_further_schedule_changes_no_other() -> None:
    together = run({"schedules": ALL, "total_steps": 60})
    for s, name in enumerate(ALL):
        alone = run({"schedules": (name,), "total_steps": 60})
        assert column(alone)[:, 0].tobytes() == column(together)[:, s].tobytes(), name


def test_a_live_change_of_the_peak_holds_from_the_next_step_on() -> None:
    one = run({"schedules": ("cosine", "plateau"), "total_steps": 60, "plateau.patience": 3}, 20)
    before = column(one)[20].copy()
    one.set_live("base_lr", 0.05)
    one.advance(100)
    own = rates("cosine", np.arange(60), 60, 0.1), rates("cosine", np.arange(60), 60, 0.05)
    assert column(one)[:21, 0].tobytes() == own[0][:21].tobytes()
    assert column(one)[21:, 0].tobytes() == own[1][21:].tobytes()
    assert column(one)[21, 1] <= before[1] / 2
    one.seek(30)
    assert one.set_live("base_lr", 0.2)
    one.advance(5)
    assert one.branch.parent == 0 and one.row["learning_rate"][0] == rates("cosine", [35], 60, 0.2)[0]
    again = from_json(to_json(saved(one.view())))
    assert again.branches[1].events[-1].value == 0.2


# -- what is refused, what is told -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("values", "key", "words"),
    [
        ({"schedules": ()}, "schedules", "at least one"),
        ({"schedules": ("drawn",), "drawn.knots": ((0.5, 1.0), (0.5, 0.5))}, "drawn.knots", "to the right"),
        ({"schedules": ("drawn",), "drawn.knots": ()}, "drawn.knots", "at least one knot"),
        ({"schedules": ("one_cycle",), "one_cycle.total_steps": 50}, "one_cycle.total_steps", "at least 100"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(values: dict[str, Any], key: str, words: str) -> None:
    with pytest.raises(SpecError, match=words) as told:
        run(values)
    assert told.value.key == key and "\n" not in str(told.value)


def test_the_command_line_writes_the_columns_and_takes_lists(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = ["schedules=multi_step,drawn,one_cycle", "multi_step.milestones=3,5", "drawn.knots=0:1, 1:0.5",
                "total_steps=8", "base_lr=0.5"]  # fmt: skip
    assert main(["run", ID, *(part for one in settings for part in ("--set", one)), "--out", str(tmp_path)]) == 0
    rows = list(csv.reader((tmp_path / "history.csv").read_text().splitlines()))
    assert rows[0] == ["step", "series", "learning_rate"] and len(rows) == 1 + 3 * 8
    drawn = [float(r[2]) for r in rows[1:] if r[1] == "drawn"]
    np.testing.assert_allclose(drawn, 0.5 * np.linspace(1, 0.5, 8), rtol=1e-12)
    assert [float(r[2]) for r in rows[1:] if r[1] == "multi_step"] == pytest.approx(
        [0.5] * 3 + [0.05] * 2 + [0.005] * 3
    )
    assert json.loads((tmp_path / "summary.json").read_text())["finish"] == "done"
    capsys.readouterr()
    assert main(["run", ID, "--set", "drawn.knots=0:3", "--out", str(tmp_path)]) == 2
    assert "drawn.knots" in capsys.readouterr().err


def test_every_preset_runs_and_every_question_has_a_measured_answer() -> None:
    for preset in presets(ID):
        assert preset.why and Session(CURVES, preset_spec(CURVES, preset.name)).advance(10**6) > 0
    for question in predictions(ID):
        one = Session(CURVES, preset_spec(CURVES, question.preset))
        one.advance(10**6)
        if question.measure.startswith("own "):
            found = CURVES.answer(one.spec, one.view(), question.measure.removeprefix("own "))
        else:
            found = measured(question.measure, summary(CURVES, one.view()), CURVES.loss)
        assert question.answers[found] in question.choices, (question.question, found)


@pytest.mark.parametrize(
    ("preset", "words", "answer"),
    [("chapter", "highest 30", "warmup_cosine"), ("cycle_cut_short", "end one_cycle", "most"),
     ("impatient", "cuts", "7"), ("gamma_too_small", "end exponential", "nothing"),
     ("restart_too_late", "end cosine_restarts", "most"),
     ("warmup_too_long", "end warmup_cosine", "most"), ("cosine_rises_again", "end cosine", "most")],
)  # fmt: skip
def test_what_the_presets_say_is_so(preset: str, words: str, answer: str) -> None:
    one = Session(CURVES, preset_spec(CURVES, preset))
    one.advance(10**6)
    assert CURVES.answer(one.spec, one.view(), words) == answer


def test_ahead_is_the_whole_run_and_long_runs_keep_their_peaks() -> None:
    one = run({"schedules": ALL, "total_steps": 300}, 5)
    lines = {found.name: found for found in one.probe("ahead").lines}
    assert tuple(lines) == PURE
    for name, found in lines.items():
        np.testing.assert_array_equal(found.y, rates(name, np.arange(300), 300, 0.1))
    long = run({"schedules": ("cyclic",), "total_steps": 100_000, "cyclic.step_size_up": 3}, 1).probe("ahead").lines[0]
    assert len(long.x) <= 1024 and long.high.max() == pytest.approx(0.1) and long.low.min() == pytest.approx(0.01)


def test_inside_tells_the_rate_in_force() -> None:
    one = run({"schedules": ALL, "total_steps": 50}, 12)
    for s, name in enumerate(ALL):
        inside = one.probe("inside", series=name)
        told = {q.name: q.value[0] for q in inside.quantities}
        assert told["step"] == 12 and told["learning rate"] == column(one)[12, s]
        assert inside.formulas == SCHEDULES[name].formula
        assert ("momentum" in told) == (name in ("cyclic", "one_cycle"))
    with pytest.raises(KeyError):
        one.probe("inside", series="adam")


# -- scripts ---------------------------------------------------------------------------------------------------------
ODD: tuple[dict[str, Any], ...] = (
    {"schedules": ("plateau",), "total_steps": 400, "base_lr": 5.0, "plateau.patience": 1000},
    {"schedules": ("cosine", "plateau"), "total_steps": 1, "plateau.noise": 0.0},
    {"schedules": ("plateau", "one_cycle"), "total_steps": 40, "plateau.noise": 0.0},
)


def test_scripts_agree_with_the_app_and_notice_what_does_not(alone: Alone) -> None:
    """After a live change and a step back; of odd runs; and one that is wrong."""
    one = run({"schedules": ALL, "total_steps": 150, "cosine.warmup": True, "drawn.smooth": True, "linear.warmup": True,
               "plateau.patience": 4, "wsd.decay": "sqrt"}, 60)  # fmt: skip
    one.set_live("base_lr", 0.03)
    one.advance(1000)
    one.seek(120)
    text = script(one)
    assert text == script(one)
    told = [alone.says(words) for words in (text, *(script(run(values)) for values in ODD))]
    assert "".join(told).count("rates agree; at step 120") >= len(ALL)
    wrong = text.replace("gamma=0.9704455335485082", "gamma=0.97")
    assert alone.fails(wrong).startswith("AssertionError: exponential has the rate")
