"""The PyTorch script of a double-descent run: it draws the data again, fits again and asserts every test error."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from engine.experiment import Array
from engine.experiments.dynamics._double_descent import data
from engine.experiments.dynamics._double_descent.settings import LINEAR, penalties
from engine.experiments.dynamics._double_descent.training import Networks, inputs_of
from engine.spec import changed
from engine.torch_code import header, plain, section, sources
from engine.torch_code.training_run import UNPACKED, numbers

NUDGE = 1e-15  # what the rehearsal adds to the first weights of a network
SURE = 1e-7  # a test error that the nudge moves by more, relatively, is shown and not asserted

_SOLVE = '''
def solve(x, y, penalty):
    """||y - x w||^2 + penalty ||w||^2 at its minimum; without a penalty the minimum of smallest norm."""
    if penalty > 0:
        x = torch.cat([x, math.sqrt(penalty) * torch.eye(x.shape[1])])
        y = torch.cat([y, torch.zeros(len(x) - len(y))])
    return torch.linalg.lstsq(x, y[:, None], driver="gelsd").solution[:, 0]


'''

_ISOTROPIC_SEEN = '''\
def repetition(seed):
    """Columns and noise of one repetition."""
    return torch.from_numpy(design(seed, SAMPLES, WIDEST).copy()), torch.from_numpy(noise(seed, SAMPLES, NOISE))


def error(seed, drawn, p, penalty):
    """Excess risk at p columns: inputs are standard normal, so it is the squared distance of the weights."""
    x, missed = drawn
    true = torch.from_numpy(seen_signal(seed, p, SIGNAL))
    return float(((solve(x[:, :p], x[:, :p] @ true + missed, penalty) - true) ** 2).sum())
'''

_ISOTROPIC_UNSEEN = '''\
def repetition(seed):
    """Columns, targets and true weights of one repetition."""
    x = torch.from_numpy(design(seed, SAMPLES, WIDEST).copy())
    true = torch.from_numpy(fading_signal(seed, WIDEST, SIGNAL))
    return x, x @ true + torch.from_numpy(noise(seed, SAMPLES, NOISE)), true


def error(seed, drawn, p, penalty):
    """Excess risk at p columns: the squared distance from all true weights, those not yet seen included."""
    x, y, true = drawn
    return float(((solve(x[:, :p], y, penalty) - true[:p]) ** 2).sum() + (true[p:] ** 2).sum())
'''

_FEATURES = '''\
def repetition(seed):
    """Features and noisy targets to fit, features and targets to test on, of one repetition."""
    x, f, others, wanted = TASK
    y = f + noise(seed, SAMPLES, NOISE)
    every = features(seed, WIDEST, x), y, features(seed, WIDEST, others), wanted
    return [torch.from_numpy(part.copy()) for part in every]


def error(seed, drawn, p, penalty):
    """Mean squared error on the test set with the first p features."""
    x, y, tests, wanted = drawn
    return float(((tests[:, :p] @ solve(x[:, :p], y, penalty) - wanted) ** 2).mean())
'''

_SWEEP = """

REPETITIONS = [repetition(SEED + s) for s in range(SEEDS)]
for p, row in APP.items():
    for name, expected in row.items():
        errors = [error(SEED + s, drawn, p, PENALTIES[p][name]) for s, drawn in enumerate(REPETITIONS)]
        found = sum(errors) / len(errors)
        print(f"{p:6} columns  {name:12} test error {found:.9g}")
        apart = abs(found - expected)
        assert apart <= TOLERANCE * abs(expected), f"{name} at {p} columns: {found}, in the app {expected}"
print("The test errors are the app's.")
"""

_TRAIN = '''\
def repetition(seed):
    """Inputs and noisy targets to fit, inputs and targets to test on, of one repetition."""
    x, f, others, wanted = TASK
    y = f + noise(seed, SAMPLES, NOISE)
    return [torch.tensor(part) for part in (x, y[:, None], others, wanted[:, None])]


def network(seed, units):
    """A network before training."""
    flat = torch.from_numpy(first_weights(seed, INPUTS, units))
    model = torch.nn.Sequential(torch.nn.Linear(INPUTS, units), torch.nn.ReLU(), torch.nn.Linear(units, 1))
    torch.nn.utils.vector_to_parameters(flat, model.parameters())
    return model


def train(units, penalty):
    """Train every repetition's network; yields the mean test error after each piece of the run."""
    models = [network(SEED + s, units) for s in range(SEEDS)]
    optimizers = [OPTIMIZER(model.parameters()) for model in models]
    for epochs, rate in PIECES[units]:
        errors = []
        for s, (model, optimizer) in enumerate(zip(models, optimizers)):
            x, y, tests, wanted = REPETITIONS[s]
            optimizer.param_groups[0]["lr"] = rate
            for _ in range(epochs):
                optimizer.zero_grad()
                squares = sum((p**2).sum() for p in model.parameters())
                (torch.nn.functional.mse_loss(model(x), y) + penalty / SAMPLES * squares).backward()
                optimizer.step()
            with torch.no_grad():
                errors.append(float(((model(tests) - wanted) ** 2).mean()))
        yield sum(errors) / len(errors)


REPETITIONS = [repetition(SEED + s) for s in range(SEEDS)]
for (units, name), row in APP.items():
    for piece, (found, (expected, sure)) in enumerate(zip(train(units, PENALTIES[name]), row)):
        if expected is None:  # no end of a network
            continue
        words = "" if sure else f"  (in the app {expected:.9g}; rounding alone moves it)"
        print(f"{units:4} units  {name:12} piece {piece}: test error {found:.9g}{words}")
        apart = abs(found - expected)
        assert not sure or apart <= TOLERANCE * abs(expected), f"{name}, {units} units: {found}, in the app {expected}"
print("The test errors are the app's.")
'''


def write(experiment: Any, spec: Any, events: Sequence[Any], steps: int) -> str:
    """The script of a run up to step `steps` under `spec` and its live `events`."""
    imports = ["import math", "import zlib", "", "import numpy as np", "import torch", "",
               "torch.set_default_dtype(torch.float64)", "torch.set_num_threads(1)"]  # fmt: skip
    told = [
        experiment.summary,
        "Written by Descent Lab. The data are drawn as in the app (Philox), the fits are torch's own. The script "
        "asserts the mean test errors of the app to one part in a million. It needs torch and NumPy and nothing else.",
    ]
    body = _linear(experiment, spec, steps) if spec.family in LINEAR else _trained(experiment, spec, events, steps)
    if "unpacked(" in body:
        imports.insert(0, "import base64")
    if "math." not in body:
        imports.remove("import math")
    return header("Double descent: the run from the app, made again with torch.", told, imports) + "\n" + body


def _numbers(spec: Any) -> list[str]:
    return [
        section("The run") + f"SAMPLES, SEEDS, SEED = {spec.samples}, {spec.seeds}, {spec.seed}",
        f"NOISE = {spec.noise!r}", "TOLERANCE = 1e-6",
    ]  # fmt: skip


def _drawing(spec: Any, *functions: str) -> str:
    made = {name: getattr(data, name) for name in functions}
    lines = ["", section("The data"), "", *([f"TESTED = {data.TESTED}"] if spec.family != "isotropic" else [])]
    extra = ""
    if spec.family != "isotropic" and spec.data == "digits":
        from engine.data.digits import digits

        shipped = digits()
        extra = "\n\n" + UNPACKED + "\n\n" + numbers("PICTURES", shipped.x)
        extra += "\n" + numbers("LABELS", shipped.y.astype(float)) + "\n"
    return "\n".join(lines) + "\n\n" + sources(made, "engine").strip("\n") + "\n" + extra


def _task(spec: Any) -> tuple[str, str]:
    """The function that draws the task, and the call that makes it."""
    if spec.data == "digits":
        return "pictures", "pictures(seed, SAMPLES, PICTURES, LABELS)"
    return "made", f"made(seed, SAMPLES, {spec.inputs}, {spec.scale!r})"


def _linear(experiment: Any, spec: Any, steps: int) -> str:
    state = experiment.start(spec)
    rows: dict[int, dict[str, float]] = {}
    while True:
        row = experiment.measure(state, spec).values
        if np.isfinite(row["test_error"]).all():
            rows[int(row["width"][0, 0])] = dict(zip(spec.fits, row["test_error"][0].tolist(), strict=True))
        if state.step >= steps:
            break
        experiment.advance(state, spec, 1)
    given = _numbers(spec)
    widest = state.work.sizes[-1]
    given.append(f"WIDEST = {widest}")
    if spec.family == "isotropic":
        given.append(f"SIGNAL = {spec.signal!r}")
        seen = spec.spread == "seen"
        drawing = _drawing(spec, "design", "noise", "seen_signal" if seen else "fading_signal")
        fit = _ISOTROPIC_SEEN if seen else _ISOTROPIC_UNSEEN
    else:
        name, call = _task(spec)
        drawing, fit = _drawing(spec, name, "noise", "features"), _FEATURES.replace("TASK", call)
    table = ["PENALTIES = {  # of each fit at each width", *(f"    {p}: {penalties(spec, p)!r}," for p in rows), "}"]
    app = ["APP = {  # the app's mean test errors", *(f"    {p}: {row!r}," for p, row in rows.items()), "}"]
    parts = ["\n".join([*given, *table]), drawing, "\n" + section("The fits") + _SOLVE + fit]
    return "\n".join(parts) + "\n\n" + section("The end") + "\n".join(app) + _SWEEP


# -- trained ---------------------------------------------------------------------------------------------------------

_Rows = dict[tuple[int, str], list[tuple[float, bool]]]


def _trained(experiment: Any, spec: Any, events: Sequence[Any], steps: int) -> str:
    live = sorted((e for e in events if e.step < steps), key=lambda e: e.step)
    settings = [(0, spec)]
    for event in live:
        settings.append((event.step + 1, changed(settings[-1][1], event.key, event.value)))
    specs = [next(s for first, s in reversed(settings) if first <= step) for step in range(steps + 1)]
    once, again = (_errors(experiment, specs, nudge) for nudge in (0.0, NUDGE))
    work = Networks(spec)
    pieces: dict[int, list[tuple[int, float]]] = {}
    rows: _Rows = {}
    for step, piece in enumerate(work.plan[: steps + 1]):
        units = work.sizes[piece.size]
        pieces.setdefault(units, []).append((piece.epochs, specs[step].learning_rate))
        for f, name in enumerate(spec.fits):
            value, other = float(once[step, f]), float(again[step, f])
            rows.setdefault((units, name), []).append((value, abs(value - other) <= SURE * abs(value)))
    name, call = _task(spec)
    made = {"adam": "torch.optim.Adam(parameters)", "momentum": "torch.optim.SGD(parameters, lr=1.0, momentum=0.9)",
            "sgd": "torch.optim.SGD(parameters, lr=1.0)"}[spec.optimizer]  # fmt: skip
    given = [*_numbers(spec), f"INPUTS = {inputs_of(spec)}", f"PENALTIES = {penalties(spec, 0)!r}",
             f"PIECES = {plain(pieces)}  # of each network: epochs, learning rate"]  # fmt: skip
    app = ["APP = {  # (units, fit): the app's mean test error after each piece, and whether rounding leaves it alone"]
    for (units, fit), errors in rows.items():
        cells = ", ".join(f"({value!r}, {sure})" if np.isfinite(value) else "(None, False)" for value, sure in errors)
        app.append(f'    ({units}, "{fit}"): [{cells}],')
    training = "def OPTIMIZER(parameters):\n" + f"    return {made}\n\n\n" + _TRAIN.replace("TASK", call)
    parts = ["\n".join(given), _drawing(spec, name, "noise", "first_weights"), section("The app's end")]
    return "\n".join([*parts, *app, "}", "", section("The networks"), "", training])


def _errors(experiment: Any, specs: Sequence[Any], nudge: float) -> Array:
    """The mean test errors of a run, [steps, fits]; its networks begin `nudge` away from where they should."""
    state = experiment.begin(specs[0], Networks(specs[0], nudge))
    rows = [experiment.measure(state, specs[0]).values["test_error"]]
    for spec in specs[1:]:
        rows.append(experiment.advance(state, spec, 1).values["test_error"])
    fits = len(specs[0].fits)
    return np.array([row[0] if len(row) else np.full(fits, np.nan) for row in rows])
