"""What is looked at in networks.depth: gradients and weights layer by layer, loss over depth, the blocks."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from engine.drawings import Block, Blocks, Box
from engine.experiment import Array
from engine.experiments.networks._depth.network import Run
from engine.experiments.networks._depth.settings import NETWORKS, NORMALIZATIONS, DepthSpec, depths
from engine.experiments.networks._depth.training import Samples, Team, seen
from engine.picture import Dots, Line, Lines, Map, Table

Told = tuple[tuple[int, Array], ...]  # (update, what Team.measured found, [4, contestants, seeds]) of one depth
GRID = 44  # cells a side of the plane
SPAN = 2.5  # of the plane, to either side
STUCK = 0.5  # who ends above this share of what guessing costs has not learnt


def spread(values: Array) -> tuple[Array, Array, Array]:
    """Median, lowest and highest over the last axis; lost seeds are infinite."""
    with np.errstate(all="ignore"):
        return np.median(values, axis=-1), values.min(axis=-1), values.max(axis=-1)


def guessing(data: Samples) -> float:
    """The cross-entropy of who knows but the number of classes."""
    return math.log(data.classes)


def layers(spec: DepthSpec, teams: list[Team], values: list[Array], note: str) -> Lines:
    """Lines over the layers. values: of each team [seeds, depth]."""
    lines = []
    for name, team, own in zip(spec.networks, teams, values, strict=True):
        good = team.lost == 0
        if not good.any():
            continue
        middle, low, high = spread(own[good].T)
        band: dict[str, Any] = {"low": low, "high": high} if good.sum() > 1 else {}
        lines.append(Line(NETWORKS[name], np.arange(1, len(middle) + 1.0), middle, series=name, **band))
    return Lines(tuple(lines), note=note)


def gradient(spec: DepthSpec, teams: list[Team], data: Samples) -> Lines:
    """Norm of the gradient by the weights of every layer, over all training samples."""
    found = []
    for team in teams:
        run = Run(team.net, team.params, seen(data.x, len(team.lost)))
        _, signal = run.loss(seen(data.y, len(team.lost)))
        run.back(signal)
        with np.errstate(all="ignore"):
            sizes = [np.sqrt(np.square(own[0]).sum(axis=(1, 2))) for own in run.by]
        found.append(np.stack(sizes, axis=1))
    return layers(spec, teams, found, f"All training samples; {_seeds(spec)}")


def moved(spec: DepthSpec, teams: list[Team]) -> Lines:
    """How far the weights of every layer have come from where they began, as a share of their first length."""
    found = []
    for team in teams:
        now, then = team.net.views(team.params), team.net.views(team.begin)
        with np.errstate(all="ignore"):
            ways = [
                np.sqrt(np.square(a[0] - b[0]).sum(axis=(1, 2)) / np.square(b[0]).sum(axis=(1, 2)))
                for a, b in zip(now, then, strict=True)
            ]
        found.append(np.stack(ways, axis=1))
    return layers(spec, teams, found, f"1: as far as the first weights are long; {_seeds(spec)}")


def _seeds(spec: DepthSpec) -> str:
    return "one seed" if spec.seeds == 1 else f"median and range of {spec.seeds} seeds"


def ends(spec: DepthSpec, past: tuple[tuple[int, Told], ...], count: int) -> tuple[Array, Array]:
    """The depths that were trained to the end, [D], and the losses there, [D, contestants, seeds]."""
    done = [(depth, told[-1][1][0]) for depth, told in past if told and told[-1][0] == spec.steps]
    if not done:
        return np.empty(0), np.empty((0, count, spec.seeds))
    return np.array([float(depth) for depth, _ in done]), np.stack([losses for _, losses in done])


def stops(depths: Array, losses: Array, least: float) -> Array:
    """The first depth at which each contestant's loss [depths, contestants] is above `least`; nan: at none."""
    found = np.full(losses.shape[1], np.nan)
    for c in range(losses.shape[1]):
        above = np.flatnonzero(~(losses[:, c] <= least))
        if above.size:
            found[c] = depths[above[0]]
    return found


def over_depth(spec: DepthSpec, past: tuple[tuple[int, Told], ...], data: Samples) -> Lines | None:
    """Training loss at the end over depth; where a network has stopped learning is marked."""
    depth, losses = ends(spec, past, len(spec.networks))
    if not depth.size:
        return None
    middle, low, high = spread(losses)
    level = guessing(data)
    lines, marks = [], []
    for c, name in enumerate(spec.networks):
        band: dict[str, Any] = {"low": low[:, c], "high": high[:, c]} if spec.seeds > 1 else {}
        lines.append(Line(NETWORKS[name], depth, np.where(np.isfinite(middle[:, c]), middle[:, c], np.nan), series=name,
                          points=len(depth) == 1, **band))  # fmt: skip
    for name, at in zip(spec.networks, stops(depth, middle, STUCK * level), strict=True):
        if np.isfinite(at):
            marks.append((float(at), f"{NETWORKS[name].lower()} stops learning"))
    order = depths(spec)
    wide = np.array([order[0] - 1.0, order[-1] + 1.0]) if len(order) == 1 else np.array([order[0], order[-1]], float)
    lines.append(Line("guessing", wide, np.full(2, level), dashed=True))
    return Lines(tuple(lines), tuple(marks), f"After {spec.steps:,} updates at every depth; {_seeds(spec)}")


def table(spec: DepthSpec, teams: list[Team], told: Told, past: tuple[tuple[int, Told], ...], data: Samples) -> Table:
    """What is held equal, and what comes of it."""
    now = told[-1][1]
    middle, _, _ = spread(now[0])
    depth, losses = ends(spec, past, len(teams))
    stopped = stops(depth, spread(losses)[0], STUCK * guessing(data)) if depth.size else np.full(len(teams), np.nan)
    rows = []
    for c, (name, team) in enumerate(zip(spec.networks, teams, strict=True)):
        known = now[1, c][np.isfinite(now[1, c])]
        right = f"{100 * float(np.median(known)):.0f} %" if known.size else "–"
        loss = "lost" if np.isinf(middle[c]) else f"{middle[c]:.3g}"
        where = f"{stopped[c]:.0f} layers" if np.isfinite(stopped[c]) else "–" if depth.size else "…"
        rows.append((NETWORKS[name], loss, right, f"{team.net.parameters:,}", str(team.net.depth), where))
    best = tuple(c for c in range(len(rows)) if told[-1][0] and middle[c] == middle.min() < np.inf)
    level = STUCK * guessing(data)
    note = f"Stops at: loss ends above {level:.2f}, half of what guessing costs"
    return Table(("", "loss", "right", "parameters", "layers", "stops at"), tuple(rows), best, note)


def boundary(spec: DepthSpec, teams: list[Team], data: Samples, series: str) -> Map | None:
    """What the first seed of a network answers over the plane; None where there is none, or the seed is lost."""
    c = spec.networks.index(series) if series in spec.networks else 0
    team = teams[c]
    if len(data.x) != 2 or team.lost[0]:
        return None
    side = np.linspace(-SPAN, SPAN, GRID)
    plane = np.stack([part.ravel() for part in np.meshgrid(side, side)])
    params = team.params[:1]
    statistics = Run(team.net, params, data.x[None]).kept.statistics
    logits = Run(team.net, params, plane[None], statistics).logits[0]
    with np.errstate(all="ignore"):
        power = np.exp(logits - logits.max(axis=0))
        share = (power / power.sum(axis=0)).reshape(data.classes, GRID, GRID)
    if not np.isfinite(share).all():
        return None
    names = tuple(f"class {k}" for k in range(data.classes))
    dots = (Dots("training samples", data.x[0], data.x[1], data.y.astype(float)),)
    return Map(share, (-SPAN, SPAN, -SPAN, SPAN), "classes", dots=dots, classes=names,
               note=f"{NETWORKS[spec.networks[c]]}, seed {spec.seed}")  # fmt: skip


def blocks(spec: DepthSpec) -> Blocks:
    """One block of each kind as it is trained here; then two variants that are only drawn."""
    bend = Box("ReLU" if spec.activation == "relu" else "tanh", "bend")
    norm = () if spec.normalization == "none" else (Box(NORMALIZATIONS[spec.normalization], "norm"),)
    layer, top, plus = Box("weights", "weights"), Box("x", "end"), Box("+", "join")
    twice = (top, layer, *norm, bend, layer, *norm)
    before = (top, *norm, bend, layer, *norm, bend, layer, plus)
    around = "x" if spec.branch == 1.0 else f"x,  F × {spec.branch:.3g}"
    narrow = Box("3 × 3", "weights", 4)
    dense = (top, layer, bend, layer, bend, Box("all, side by side", "end"))
    return Blocks(
        (
            Block("Plain", (*twice, bend), (), "plain" in spec.networks, "y = f(F(x)): every signal goes through all"),
            Block("Residual", (*twice, plus, bend), ((0, len(twice), around),), "residual" in spec.networks,
                  "y = f(F(x) + x), He et al. 2016; the chapter's block"),
            Block("Pre-activation", before, ((0, len(before) - 1, around),), "preactivation" in spec.networks,
                  "y = F(x) + x: nothing at all stands in the way around"),
            Block("ResNeXt", (top, Box("1 × 1", "weights", 4), bend, narrow, bend, Box("1 × 1", "weights", 4), plus),
                  ((0, 6, "x"),), False, "many narrow branches side by side are added up; Xie et al. 2017"),
            Block("Dense", dense, ((0, 5, ""), (2, 5, "")), False,
                  "nothing is added: every layer sees all earlier outputs; Huang et al. 2017"),
        ),
        "Bright: trained here, in blocks of two layers. ResNeXt and dense are drawn only",
    )  # fmt: skip
