"""landscapes.descent: its rows against closed forms, who shares what, and what the chapter draws of it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from engine.experiments import everything, ids, load
from engine.session.results import line
from engine.session.session import Session
from engine.spec import SpecError, build, declarations
from engine.surfaces import SURFACES

ID = "landscapes.descent"
DESCENT: Any = load(ID)
OPTIMIZERS = next(d for d in declarations(DESCENT.Spec) if d.key == "optimizers").choices


def run(values: dict[str, Any], taken: int = 0) -> Session:
    """A session run to its end, or some steps."""
    one = Session(DESCENT, build(DESCENT.Spec, values), budget=None)
    one.advance(taken or one.steps)
    return one


def columns(one: Session) -> dict[str, Any]:
    """Every column, [steps + 1, series]."""
    return line(one.view())[1]


def test_it_is_found_by_its_place() -> None:
    assert ID in ids() and ID in [e.id for e in everything()]
    with pytest.raises(SpecError, match=r"did you mean landscapes\.descent"):
        load("landscapes.decent")


# -- closed forms --------------------------------------------------------------------------------------------------


def _ackley(x: Any, y: Any) -> Any:
    r = np.sqrt((x * x + y * y) / 2)
    return 20 + np.e - 20 * np.exp(-0.2 * r) - np.exp((np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y)) / 2)


def _ackley_gradient(x: Any, y: Any) -> Any:
    r = np.sqrt((x * x + y * y) / 2)
    bell = np.exp((np.cos(2 * np.pi * x) + np.cos(2 * np.pi * y)) / 2)
    return [2 * np.exp(-0.2 * r) * c / r + np.pi * np.sin(2 * np.pi * c) * bell for c in (x, y)]


CLOSED: dict[str, tuple[Any, Any]] = {
    "chapter_quadratic": (lambda x, y: 0.01 * x * x + 5 * y * y, lambda x, y: (0.02 * x, 10 * y)),
    "bowl": (lambda x, y: (x * x + 100 * y * y) / 2, lambda x, y: (x, 100 * y)),
    "rosenbrock": (
        lambda x, y: 100 * (y - x * x) ** 2 + (1 - x) ** 2,
        lambda x, y: (-400 * x * (y - x * x) - 2 * (1 - x), 200 * (y - x * x)),
    ),
    "himmelblau": (
        lambda x, y: (x * x + y - 11) ** 2 + (x + y * y - 7) ** 2,
        lambda x, y: (4 * x * (x * x + y - 11) + 2 * (x + y * y - 7), 2 * (x * x + y - 11) + 4 * y * (x + y * y - 7)),
    ),
    "rastrigin": (
        lambda x, y: 20 + x * x - 10 * np.cos(2 * np.pi * x) + y * y - 10 * np.cos(2 * np.pi * y),
        lambda x, y: (2 * x + 20 * np.pi * np.sin(2 * np.pi * x), 2 * y + 20 * np.pi * np.sin(2 * np.pi * y)),
    ),
    "ackley": (_ackley, _ackley_gradient),
    "saddle": (lambda x, y: x * x - y * y, lambda x, y: (2 * x, -2 * y)),
    "monkey_saddle": (lambda x, y: x**3 - 3 * x * y * y, lambda x, y: (3 * x * x - 3 * y * y, -6 * x * y)),
    "plateau": (
        lambda x, y: 1 - np.exp(-(x * x + y * y) / 2),
        lambda x, y: (x * np.exp(-(x * x + y * y) / 2), y * np.exp(-(x * x + y * y) / 2)),
    ),
    "ravine": (
        lambda x, y: 10 * (y - np.sin(x)) ** 2 + 0.1 * x * x,
        lambda x, y: (-20 * (y - np.sin(x)) * np.cos(x) + 0.2 * x, 20 * (y - np.sin(x))),
    ),
}


@pytest.mark.parametrize("name", CLOSED)
def test_loss_and_gradient_are_the_closed_forms_even_under_noise(name: str) -> None:
    """The columns hold the exact gradient; the noise is in the steps alone."""
    f, gradient = CLOSED[name]
    found = columns(run({"surface": name, "optimizers": ("sgd", "adam", "lion"), "noise": 0.3, "steps": 40}))
    x, y = found["x"], found["y"]
    gx, gy = gradient(x, y)
    scale = 1 + np.abs(f(x, y))
    np.testing.assert_allclose(found["loss"] / scale, f(x, y) / scale, atol=1e-12)
    size = 1 + np.hypot(gx, gy)
    np.testing.assert_allclose(found["grad_x"] / size, gx / size, atol=1e-12)
    np.testing.assert_allclose(found["grad_y"] / size, gy / size, atol=1e-12)
    np.testing.assert_allclose(found["gradient_norm"] / size, np.hypot(gx, gy) / size, atol=1e-12)


@pytest.mark.parametrize("name", SURFACES)
def test_everybody_begins_at_the_start(name: str) -> None:
    for start in (None, (0.25, -0.5)):
        one = run({"surface": name, "optimizers": OPTIMIZERS, "start": start}, 1)
        first = columns(one)
        expected = start or SURFACES[name].start
        assert (first["x"][0] == expected[0]).all() and (first["y"][0] == expected[1]).all()
        assert np.isnan(first["learning_rate"][0]).all()


def test_rates_are_shared_unless_one_has_its_own() -> None:
    found = columns(run({"optimizers": ("sgd", "adam", "newton", "bfgs"), "learning_rate": 0.002, "steps": 3,
                         "adam.learning_rate": 0.5, "newton.learning_rate": 0.25}))  # fmt: skip
    assert found["learning_rate"][1:].tolist() == [[0.002, 0.5, 0.25, 1.0]] * 3


# -- noise ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("convention", ["book", "pytorch"])
def test_a_further_contestant_changes_no_other(convention: str) -> None:
    base = {
        "noise": 0.4,
        "seed": 5,
        "steps": 60,
        "surface": "himmelblau",
        "learning_rate": 0.01,
        "convention": convention,
    }
    together = columns(run({**base, "optimizers": OPTIMIZERS}))
    for s, name in enumerate(OPTIMIZERS):
        alone = columns(run({**base, "optimizers": (name,)}))
        for column, values in together.items():
            n = len(alone[column])
            assert values[:n, s].tobytes() == alone[column][:, 0].tobytes(), (name, column)


def test_everybody_gets_the_same_noise() -> None:
    """sgd and momentum without momentum take the very same steps."""
    found = columns(run({"optimizers": ("sgd", "momentum"), "momentum.momentum": 0.0, "noise": 1.0, "steps": 50,
                         "surface": "bowl", "learning_rate": 0.001}))  # fmt: skip
    np.testing.assert_allclose(found["x"][:, 0], found["x"][:, 1], rtol=1e-12)


def test_noise_has_the_size_it_is_given() -> None:
    """Stationary variance of sgd on lambda x^2/2 with additive noise: eta sigma^2 / (lambda (2 - eta lambda))."""
    rate, sigma, curvature = 0.2, 0.5, np.array([1.0, 4.0])
    found = columns(run({"surface": "bowl", "condition_number": 4.0, "optimizers": ("sgd",), "learning_rate": rate,
                         "noise": sigma, "steps": 200_000, "start": (0, 0)}))  # fmt: skip
    measured = [found[name][1000:, 0].var() for name in ("x", "y")]
    np.testing.assert_allclose(measured, rate * sigma**2 / (curvature * (2 - rate * curvature)), rtol=0.03)


def test_another_seed_is_another_noise() -> None:
    paths = {
        columns(run({"noise": 0.1, "seed": seed, "steps": 5, "optimizers": ("sgd",)}))["x"].tobytes()
        for seed in range(4)
    }
    assert len(paths) == 4


# -- endings -------------------------------------------------------------------------------------------------------


def test_who_diverges_ends_and_says_why() -> None:
    one = run({"optimizers": ("sgd", "adam", "newton"), "sgd.learning_rate": 1.0, "steps": 40})
    (ending,) = one.branch.endings
    assert (ending.series, ending.finish) == (0, "diverged")
    x = columns(one)["x"][: ending.step + 1, 0]
    assert not np.isfinite([columns(one)[c][ending.step, 0] for c in ("x", "y", "loss")]).all()
    assert np.isfinite(x[:-1]).all()


def test_newton_says_where_its_matrix_is_singular() -> None:
    one = run(
        {"optimizers": ("newton", "adam"), "surface": "custom", "formula": "x^4 + y", "start": (1, 1), "steps": 5}
    )
    (ending,) = one.branch.endings
    assert ending.series == 0 and "singular" in ending.reason and "step 1" in ending.reason
    assert one.finish == "done"


def test_a_start_where_there_is_no_loss_ends_everybody() -> None:
    one = run({"optimizers": OPTIMIZERS, "surface": "custom", "formula": "log(x) + y^2", "start": (-1, 1), "steps": 5})
    assert one.finish == "diverged" and len(one.branch.endings) == len(OPTIMIZERS)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_target_stops_each_optimizer(name: str) -> None:
    one = run({"optimizers": (name,), "surface": "bowl", "condition_number": 2.0, "start": (1, 1), "target": 0.7,
               "learning_rate": 0.01, "adadelta.learning_rate": 1.0, "steps": 20_000})  # fmt: skip
    loss = columns(one)["loss"][:, 0]
    assert one.finish == "target" and loss[-1] <= 0.7 and (loss[:-1] > 0.7).all()


# -- the chapter ---------------------------------------------------------------------------------------------------

CHAPTER = {"surface": "chapter_quadratic", "start": (10, 2), "optimizers": ("sgd", "newton"), "learning_rate": 0.1}


def test_the_chapters_listing() -> None:
    """CHAPTER 10.2.4: sgd is on y = 0 after one step and at x = 10 * .998^20 after twenty; Newton is there at once."""
    found = columns(run({**CHAPTER, "steps": 20}))
    assert found["y"][1, 0] == 0.0 and found["x"][20, 0] == pytest.approx(9.6075096, abs=5e-8)
    assert (found["x"][1, 1], found["y"][1, 1]) == (0.0, 0.0)
    assert (found["x"][20, 1], found["y"][20, 1]) == (0.0, 0.0)


def test_what_the_chapter_draws_is_laid_beside_it() -> None:
    one = run({**CHAPTER, "steps": 20})
    listing, caption = DESCENT.drawn(one.spec, one.view())
    assert (listing.section, caption.section) == ("10.2.4", "10.2")
    paths = {o.label: o for o in listing.overlays if o.plot == "map"}
    assert all(o.kind == "chapter" for o in listing.overlays) and len(paths) == 2
    sgd = paths["chapter: SGD"]
    np.testing.assert_allclose([sgd.x, sgd.y], [columns(one)["x"][:, 0], columns(one)["y"][:, 0]], atol=1e-14)
    assert "SGD: at most" in listing.verdict and "over 20 steps" in listing.verdict
    apart = float(listing.verdict.split("SGD: at most ")[1].split()[0])
    assert apart < 1e-13
    assert "Newton: at most 0 apart" in listing.verdict
    assert caption.overlays == () and "caption" in caption.claim


def test_a_run_that_is_not_the_chapters_is_said_to_be_apart() -> None:
    one = run({**CHAPTER, "learning_rate": 0.19, "steps": 20})
    apart = float(DESCENT.drawn(one.spec, one.view())[0].verdict.split("SGD: at most ")[1].split()[0])
    expected = max(abs(2 * (1 - 1.9) ** k) for k in range(1, 21))  # the zig-zag against y = 0
    assert apart == pytest.approx(expected, rel=0.01)


def test_nothing_is_compared_before_anything_was_measured() -> None:
    one = Session(DESCENT, build(DESCENT.Spec, CHAPTER))
    listing, caption = DESCENT.drawn(one.spec, one.view())
    assert listing.verdict.startswith("Run SGD and Newton") and caption.verdict.startswith("Run SGD beside")


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"adam.learning_rate": 0.05}, "So in this run"),
        ({"adam.learning_rate": 1e-8}, "Not in this run"),
        (
            {"adam.learning_rate": 0.05, "optimizers": ("sgd", "adam", "rmsprop"), "rmsprop.learning_rate": 1e-9},
            "In part",
        ),
        ({"sgd.learning_rate": 1.0}, "So in this run"),  # sgd diverges: it has no loss to show
    ],
)
def test_the_caption_is_tested_on_what_was_measured(values: dict[str, Any], word: str) -> None:
    one = run({"optimizers": ("sgd", "adam"), "steps": 200, "surface": "rosenbrock", **values})
    (caption,) = DESCENT.drawn(one.spec, one.view())
    assert caption.verdict.startswith(word) and "200 steps" in caption.verdict
    final = one.branch.final["loss"]
    losses = {name: final[s] for s, name in enumerate(one.series)}
    if "sgd.learning_rate" not in values:
        better = [losses[n] < losses["sgd"] for n in one.series if n != "sgd"]
        assert {"So": all(better), "No": not any(better), "In": any(better) and not all(better)}[word[:2]]


# -- looking -------------------------------------------------------------------------------------------------------


def test_the_field_is_the_loss_on_a_grid() -> None:
    one = run({"surface": "himmelblau"}, 1)
    field = one.probe("field", extent=(-5.0, 5.0, -4.0, 4.0), n=21)
    x, y = np.meshgrid(np.linspace(-5, 5, 21), np.linspace(-4, 4, 21))
    np.testing.assert_allclose(field, CLOSED["himmelblau"][0](x, y), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("convention", ["book", "pytorch"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_looking_inside_changes_nothing(name: str, convention: str) -> None:
    other = "lion" if name == "sgd" else "sgd"
    values = {"optimizers": (name, other), "noise": 0.2, "surface": "himmelblau", "start": (0.3, 0.4),
              "learning_rate": 0.01, "convention": convention}  # fmt: skip
    looked, plain = run(values, 3), run(values, 3)
    inside = looked.probe("inside", series=name)
    assert inside.series == name and inside.quantities and inside.formulas
    looked.advance(5)
    plain.advance(5)
    assert looked.row["x"].tobytes() == plain.row["x"].tobytes()


def test_inside_one_who_ended_there_is_nothing() -> None:
    one = run({"optimizers": ("sgd", "adam"), "sgd.learning_rate": 1.0, "steps": 30})
    assert "has ended" in one.probe("inside", series="sgd").note
    one.seek(2)
    assert one.probe("inside", series="sgd").quantities


def test_what_it_does_not_know_is_a_key_error() -> None:
    one = run({}, 1)
    for name, asked in (("histogram", {}), ("inside", {"series": "lion"})):
        with pytest.raises(KeyError):
            one.probe(name, **asked)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_difference_of_the_conventions_is_told_where_there_is_one(name: str) -> None:
    values = {"optimizers": (name,), "surface": "himmelblau", "steps": 30, "learning_rate": 0.01, "start": (0.3, 0.4)}
    if any(d.key == f"{name}.weight_decay" for d in declarations(DESCENT.Spec)):
        values[f"{name}.weight_decay"] = 0.1
    one, other = (run({**values, "convention": c}) for c in ("book", "pytorch"))
    told = DESCENT.difference(one.spec, name)
    assert bool(told) == (columns(one)["x"].tobytes() != columns(other)["x"].tobytes())


def test_the_settings_of_a_contestant_come_from_its_rule() -> None:
    declared = {d.key: d for d in declarations(DESCENT.Spec)}
    assert declared["lbfgs.history"].kind == "int" and declared["bfgs.max_evaluations"].kind == "int"
    assert all(d.live for key, d in declared.items() if "." in key)
    live = {key for key, d in declared.items() if d.live and "." not in key}
    assert live == {"learning_rate", "noise", "steps"}


def test_a_spec_without_optimizers_is_refused() -> None:
    with pytest.raises(SpecError, match="at least one"):
        Session(DESCENT, build(DESCENT.Spec, {"optimizers": ()}))


def test_a_state_is_plain_data() -> None:
    """Everything in it is what a snapshot can copy and a fingerprint can read."""
    one = run({"optimizers": OPTIMIZERS}, 3)
    assert {f.name for f in dataclasses.fields(one.state)} == {"step", "p", "numbers", "methods", "ended"}
