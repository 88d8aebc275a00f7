"""The part of a descent script that walks in the app's own arithmetic: our rules, methods and gradient, as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from engine.formula.derive import derive
from engine.optimizers import RULES
from engine.second_order import METHODS
from engine.spec import value_of
from engine.torch_code import array, changes, derivatives, listed, math_library, plain, section, sources

_WHY = {
    "search": "{names}: a line search branches on comparisons, where the last bit decides.",
    "rounding": "{names}: on this walk a difference in the last bit of one number grows beyond 1e-10, and no two "
    "libraries round alike.",
    "singular": "{names}: the walk meets a place where the derivative is singular, or ends in one.",
}
_SO = (
    "Below is the app's own arithmetic, number by number, with the derivatives worked out instruction by instruction "
    "as the app does. Where another machine's exp, sin or pow differ in the last bit, this may end elsewhere there."
)

_RULES = '''\
def walk_exactly(rule, look_ahead, kept, settings, steps, changes):
    """Like walk, for a rule on single numbers; kept: the numbers it remembers for x and for y."""
    p = [np.float64(value) for value in START]
    for step in range(steps):
        settings = {**settings, **changes.get(step, {})}
        lr, h = settings["lr"], settings["h"]
        at = [look_ahead(p[i], kept[i][0], lr, h) for i in (0, 1)] if look_ahead else p
        _, *gradient = derivatives(*at)
        for i in (0, 1):
            g = gradient[i] + NOISE[step, i]
            p[i], *kept[i] = rule(p[i], g, *kept[i], float(step + 1), lr, h)
        if not np.isfinite([*p, derivatives(*p)[0]]).all():
            return p, step + 1, False
    return p, steps, True
'''

_METHODS = '''\
class Objective:
    """What a method sees during one step: the surface."""

    def value_gradient(self, p):
        f, f_x, f_y = derivatives(*p)
        return float(f), np.array([f_x, f_y], float)

    def hessian(self, p):
        *_, xx, xy, yy = second_derivatives(*p)
        return np.array([[xx, xy], [xy, yy]], float)


def walk_method(take, state, settings, steps, changes):
    """Like walk, for a method that changes its state with each step."""
    for step in range(steps):
        settings.update(changes.get(step, {}))
        try:
            take(state, Objective(), settings)
        except StepFailed:
            return state["p"], step + 1, False
        if not np.isfinite([*state["p"], derivatives(*state["p"])[0]]).all():
            return state["p"], step + 1, False
    return state["p"], steps, True
'''

_NOISY = '''\
class Objective:
    """What a method sees during one step: f(p) + noise . p, one function with a noisy gradient."""

    def __init__(self, noise):
        self.noise = noise

    def value_gradient(self, p):
        f, f_x, f_y = derivatives(*p)
        return float(f) + float(self.noise @ p), np.array([f_x, f_y], float) + self.noise
'''

_LOOP = """\
with np.errstate(all="ignore"):
    for name, (walk_it, *own) in EXACTLY.items():
        (x, y), taken, finite = walk_it(*own, MOST, EXACT_CHANGES.get(name, {}))
        FOUND[name] = (float(x), float(y)), taken, finite
        print(f"{name:10} step {taken:6}  x {x:.12g}  y {y:.12g}  f {derivatives(x, y)[0]:.6g}")
"""


def exact_walks(
    experiment: Any, pieces: Sequence[tuple[int, Any]], why: Mapping[str, str], noisy: bool, most: str
) -> str:
    """The section for the contestants in `why`; empty when there are none.

    `most` is the expression for how many steps the contestant `name` takes.
    """
    if not why:
        return ""
    spec = pieces[0][1]
    told = [
        _WHY[kind].format(names=", ".join(name for name in why if why[name] == kind))
        for kind in _WHY
        if kind in why.values()
    ]
    rules = [name for name in why if name in RULES]
    methods = [name for name in why if name in METHODS]
    table = _table(experiment, pieces, list(why))
    live = "EXACT_CHANGES = {" in table
    parts = [section("Bit for bit", " ".join([*told, _SO]))]
    parts += _derivatives(experiment, spec, bool({"newton"} & set(why)))
    if rules:
        functions = {}
        for name in rules:
            for function in (RULES[name].function(spec.convention), RULES[name].point(spec.convention)):
                if function is not None:
                    functions[function.__name__] = function
        parts += [sources(functions, "engine.optimizers"), _without(_RULES, noisy, live)]
    if methods:
        code = sources({f"{name}_step": METHODS[name].step for name in methods}, "engine.second_order")
        parts += ["Vector = np.ndarray  # [2]"] if "Vector" in code else []
        parts.append(code)
        parts.append(_without(_methods("newton" in why, noisy), noisy, live))
    parts += ["\n".join(table), _without(_LOOP, noisy, live).replace("MOST", most)]
    return "\n\n\n".join(part.strip("\n") for part in parts) + "\n"


def _derivatives(experiment: Any, spec: Any, second: bool) -> list[str]:
    tree = experiment.surface(spec).formula.tree
    programs = [derive(tree, 1)] + ([derive(tree, 2)] if second else [])
    parts = [math_library(*programs), derivatives(programs[0], "derivatives", "f, f_x and f_y.")]
    if second:
        parts.append(derivatives(programs[1], "second_derivatives", "f, f_x, f_y, f_xx, f_xy and f_yy."))
    return [part for part in parts if part]


def _without(code: str, noisy: bool, live: bool) -> str:
    """The code of a walk without what this run does not need."""
    if not noisy:
        code = code.replace(" + NOISE[step, i]", "")
    if not live:
        code = "\n".join(line for line in code.split("\n") if "changes.get" not in line)
        code = code.replace("steps, changes)", "steps)").replace(", EXACT_CHANGES.get(name, {})", "")
    return code


def _methods(newton: bool, noisy: bool) -> str:
    code = _METHODS
    if noisy:
        start, end = code.index("class Objective"), code.index("    def hessian")
        code = code[:start] + _NOISY + "\n" + code[end:]
        code = code.replace("Objective(), settings", "Objective(NOISE[step]), settings")
    if not newton:
        start, end = code.index("    def hessian"), code.index("def walk_method")
        code = code[:start].rstrip("\n") + "\n\n\n" + code[end:]
    return code


def _table(experiment: Any, pieces: Sequence[tuple[int, Any]], names: Sequence[str]) -> list[str]:
    spec = pieces[0][1]
    lines, changing = ["EXACTLY = {"], {}
    for name in names:
        own = [(step, _settings(experiment, piece, name)) for step, piece in pieces]
        changing[name] = changes(own)
        if name in RULES:
            rule, point = RULES[name], RULES[name].point(spec.convention)
            kept = [list(rule.initial), list(rule.initial)]
            function = rule.function(spec.convention).__name__
            made = [f"walk_exactly, {function}, {point.__name__ if point else None}, {kept}"]
        else:
            start = METHODS[name].start(experiment.start(spec).p[0])
            state = [f'    "{key}": {_value(value)},' for key, value in start.items()]
            made = [f"walk_method, {name}_step, {{", *state, "}"]
        made = [f"        {line}" for line in made]
        lines += [f'    "{name}": (', *made[:-1], f"{made[-1]},", f"        {plain(own[0][1])},", "    ),"]
    return [*lines, "}", *listed("EXACT_CHANGES", changing, "Before which step (counted from 0), and to what.")]


def _settings(experiment: Any, spec: Any, name: str) -> dict[str, Any]:
    hypers = (RULES[name] if name in RULES else METHODS[name]).hypers
    values = {hyper.name: value_of(spec, f"{name}.{hyper.name}") for hyper in hypers}
    if name in METHODS:
        return values
    factors = RULES[name].scales(spec.convention)
    scaled = tuple(value * factor for value, factor in zip(values.values(), factors, strict=True))
    return {"lr": experiment.rate(spec, name), "h": scaled}


def _value(value: Any) -> str:
    return array(value) if hasattr(value, "shape") else repr(value)
