"""What walks and stands on a map: paths with heads, marked points, arrows, the ring of the start."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from gui.fonts import MEDIUM, SMALL, font, text_width
from gui.palette import Dash, SeriesStyle, color, dash_of, pen
from gui.plots.geometry import Floats, Frame, clip_polyline
from gui.plots.labels import place_labels
from gui.plots.marks import draw_arrow, draw_line, draw_mark, draw_words, stamp_words
from gui.tokens import Theme, mix

SAME = 4.0  # px between heads that stand at one place
Tip = tuple[float, float, str, str]  # x, y in plot pixels, words, colour


DASHES: tuple[Dash, ...] = ((6, 3), (1.5, 2))  # of overlays


@dataclass
class Trail:
    """A path `x`, `y` [n]; its head is at index `head`, or at the last finite point. `style` None: colour of words.
    `name`: what all plots of a page call it, if not by its label; `order` counts the overlays, each with its dash."""

    label: str
    style: SeriesStyle | None
    x: Floats
    y: Floats
    ghost: bool = False
    head: int | None = None
    overlay: bool = False
    name: str = ""
    order: int = 0

    def colour(self, theme: Theme) -> str:
        """Its colour; ghosts and overlays stand back. Always opaque."""
        own = color(self.style, theme) if self.style is not None else theme.text
        return mix(own, theme.background, 0.55) if self.ghost else own

    def dash(self, theme: Theme) -> Dash:
        """Its line pattern: overlays are always dashed."""
        return DASHES[self.order % len(DASHES)] if self.overlay or self.style is None else dash_of(self.style, theme)

    def looks_like(self, other: Trail, reach: tuple[float, float]) -> bool:
        """Whether a picture could not tell it from `other`: all is the same but for the last point, which lies within
        `reach` of the other's."""
        same = (self.label, self.style, self.ghost, self.overlay, self.head, len(self.x))
        if same != (other.label, other.style, other.ghost, other.overlay, other.head, len(other.x)) or not len(self.x):
            return False
        near = _near(self.x[-1], other.x[-1], reach[0]) and _near(self.y[-1], other.y[-1], reach[1])
        return near and all(
            np.array_equal(mine[:-1], yours[:-1], equal_nan=True)
            for mine, yours in ((self.x, other.x), (self.y, other.y))
        )

    def thickness(self) -> float:
        """Line width in plot pixels."""
        return 1.25 if self.ghost else 1.5 if self.overlay else 2.0

    def head_at(self) -> tuple[float, float] | None:
        """The data point of the head, or None if no point up to there is finite."""
        stop = len(self.x) if self.head is None else min(self.head + 1, len(self.x))
        if stop > 0 and math.isfinite(self.x[stop - 1]) and math.isfinite(self.y[stop - 1]):
            return float(self.x[stop - 1]), float(self.y[stop - 1])
        ok = np.flatnonzero(np.isfinite(self.x[:stop]) & np.isfinite(self.y[:stop]))
        return (float(self.x[ok[-1]]), float(self.y[ok[-1]])) if ok.size else None


@dataclass(frozen=True)
class Points:
    """Marked points `x`, `y` [n] with one mark and one label."""

    x: Floats
    y: Floats
    symbol: str
    label: str


@dataclass(frozen=True)
class Arrow:
    """An arrow from (x, y) by (dx, dy) in data units; `colour` is `#rrggbb` or gradient, step, momentum, text."""

    x: float
    y: float
    dx: float
    dy: float
    label: str
    colour: str

    def ends(self, frame: Frame) -> tuple[Floats, Floats]:
        """Pixels of foot and tip: x [2], y [2]."""
        return frame.px(np.array([self.x, self.x + self.dx])), frame.py(np.array([self.y, self.y + self.dy]))

    def ink(self, theme: Theme) -> str:
        """Its colour in a theme."""
        kinds = {"gradient": theme.bad, "step": theme.accent, "momentum": theme.good, "text": theme.text}
        return kinds.get(self.colour, self.colour if self.colour.startswith("#") else theme.text)


def draw_trail(painter: QPainter, frame: Frame, trail: Trail, theme: Theme, *, whole: bool) -> None:
    """Draw a path; points closer than a third of a pixel are merged, pieces outside the frame are cut away."""
    x, y = frame.px(trail.x), frame.py(trail.y)
    if len(x) > 2:
        cell = 12.0 if whole else 3.0
        with np.errstate(invalid="ignore"):
            moved = (np.diff(np.rint(x * cell)) != 0) | (np.diff(np.rint(y * cell)) != 0)
        keep = np.concatenate([[True], moved])
        keep[-1] = True
        x, y = x[keep], y[keep]
    width = trail.thickness() * theme.scale
    x, y = clip_polyline(x, y, frame.width, frame.height)
    if not (trail.ghost or trail.overlay):  # a thin dark rim parts the path from the map and from other paths
        draw_line(painter, x, y, pen(mix(theme.background, theme.text, 0.96), width + 1.2 * theme.scale), whole=whole)
    draw_line(painter, x, y, pen(trail.colour(theme), width, trail.dash(theme)), whole=whole)


def draw_heads(
    painter: QPainter, frame: Frame, trails: list[Trail], tips: list[Tip], theme: Theme, ratio: float = 0.0
) -> None:
    """Draw the head of each path and all labels, those of arrow tips too. A head outside points at it from the rim.

    `ratio`: device pixels a pixel on a screen, where words are kept as small pictures; 0 draws them anew.
    """
    unit = theme.scale
    named: list[Tip] = []
    for trail in trails:
        at = None if trail.overlay else trail.head_at()
        if at is None:
            continue
        x, y = float(frame.px(at[0])), float(frame.py(at[1]))
        inside = 0 <= x <= frame.width and 0 <= y <= frame.height
        colour = trail.colour(theme)
        if inside:
            symbol = trail.style.symbol if theme.dashes and trail.style is not None else "circle"
            draw_mark(painter, symbol, x, y, (3.5 if trail.ghost else 5.0) * unit, colour, theme.background)
        else:
            x, y = _rim_point(frame, x, y, 10 * unit)
            draw_mark(painter, "circle", x, y, 4 * unit, theme.background, colour)
        if not trail.ghost:
            named.append((x, y, trail.label if inside else f"{trail.label}, outside", colour))
    used = font(SMALL * unit, MEDIUM)
    named = together(named, theme) + tips
    sizes = [(text_width(used, words), 15.0 * unit) for _, _, words, _ in named]
    boxes = place_labels([tip[:2] for tip in named], sizes, frame.width, frame.height, 10 * unit)
    for (x, y, words, colour), box in zip(named, boxes, strict=True):
        near = min(max(x, box.left), box.left + box.width), min(max(y, box.top), box.top + box.height)
        if (near[0] - x) ** 2 + (near[1] - y) ** 2 > (18 * unit) ** 2:
            painter.setPen(pen(mix(colour, theme.background, 0.6), unit))
            side = box.left if box.left > x else box.left + box.width
            painter.drawLine(QPointF(x, y), QPointF(side, box.top + box.height / 2))
        place = QRectF(box.left, box.top, box.width, box.height)
        if ratio:
            stamp_words(painter, words, place, used, colour, theme.background, ratio)
        else:
            draw_words(painter, words, place, used, colour, theme.background)


def together(tips: list[Tip], theme: Theme) -> list[Tip]:
    """Names to draw: where more than two heads stand at one place, as all do at the start, the first and a count."""
    groups: list[list[Tip]] = []
    for tip in tips:
        near = next((g for g in groups if max(abs(g[0][0] - tip[0]), abs(g[0][1] - tip[1])) < SAME), None)
        if near is None:
            groups.append([tip])
        else:
            near.append(tip)
    named: list[Tip] = []
    for group in groups:
        x, y, words, _ = group[0]
        named += group if len(group) <= 2 else [(x, y, f"{words} and {len(group) - 1} more", theme.text)]
    return named


def _rim_point(frame: Frame, x: float, y: float, inset: float) -> tuple[float, float]:
    """Where the ray from the middle to a point outside meets the frame, a little inside."""
    cx, cy = frame.width / 2, frame.height / 2
    reach = max(abs(x - cx) / max(cx - inset, 1.0), abs(y - cy) / max(cy - inset, 1.0))
    return cx + (x - cx) / reach, cy + (y - cy) / reach


def draw_points(painter: QPainter, frame: Frame, groups: list[Points], theme: Theme) -> list[Tip]:
    """Draw marked points and return one label a group, at its first visible point."""
    unit, tips = theme.scale, list[Tip]()
    for group in groups:
        words = group.label
        for x, y in zip(frame.px(group.x), frame.py(group.y), strict=True):
            if not (0 <= x <= frame.width and 0 <= y <= frame.height):
                continue
            draw_mark(painter, group.symbol, float(x), float(y), 6 * unit, theme.text, theme.background)
            if words:
                tips.append((float(x), float(y), words, theme.dim))
                words = ""
    return tips


def draw_arrows(painter: QPainter, frame: Frame, arrows: list[Arrow], theme: Theme) -> list[Tip]:
    """Draw arrows and return their tips, to be labelled together with the heads. Long ones are cut at the frame."""
    tips: list[Tip] = []
    for arrow in arrows:
        x, y = arrow.ends(frame)
        x, y = clip_polyline(x, y, frame.width, frame.height)
        if len(x) != 2 or not np.isfinite(x).all():
            continue
        draw_arrow(painter, x[0], y[0], x[1], y[1], arrow.ink(theme), theme.background)
        if arrow.label:
            tips.append((float(x[1]), float(y[1]), arrow.label, arrow.ink(theme)))
    return tips


def draw_ring(painter: QPainter, frame: Frame, x: float, y: float, theme: Theme) -> None:
    """Draw the ring of the start, if it lies within the frame."""
    at = QPointF(float(frame.px(x)), float(frame.py(y)))
    if not (0 <= at.x() <= frame.width and 0 <= at.y() <= frame.height):
        return
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for colour, width in ((theme.background, 4.5), (theme.text, 2.0)):
        painter.setPen(pen(QColor(colour), width * theme.scale))
        painter.drawEllipse(at, 7 * theme.scale, 7 * theme.scale)


def _near(one: float, other: float, reach: float) -> bool:
    """Whether two numbers are the same or no farther apart than `reach`; infinities too."""
    one, other = float(one), float(other)
    return one == other or abs(one - other) <= reach or (one != one and other != other)
