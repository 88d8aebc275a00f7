"""Samples on a map: dots and rings, and the key that says which are which and what the colours mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent, QPixmap
from PySide6.QtWidgets import QAbstractButton, QWidget

from engine.picture import Dots
from gui.fonts import BODY, MEDIUM, SMALL, font, text_width
from gui.palette import pen
from gui.plots.geometry import Floats, Frame
from gui.plots.header import Header
from gui.plots.shaded import Shaded, class_colour
from gui.plots.ticks import number
from gui.tokens import Theme, mix

BAR = 72.0  # px at scale 1: length of the colour bar
RIM = 1.2  # px at scale 1 around a dot


@dataclass(frozen=True)
class Group:
    """Dots ready to be drawn: x, y [n], `colours` [n] as 0xRRGGBB; `hollow` draws rings."""

    name: str
    x: Floats
    y: Floats
    colours: NDArray[np.uint32]
    hollow: bool = False


def grouped(dots: Dots, field: Shaded | None, classes: int, theme: Theme) -> Group:
    """Dots with their colours: of so many classes, or on the scale of a map; faint where the value is not finite."""
    values = np.asarray(dots.value, float)
    if classes:
        inks = np.array([int(class_colour(k, theme)[1:], 16) for k in range(classes)], np.uint32)
        colours = inks[np.where(np.isfinite(values), values, 0).clip(0, 1e6).astype(np.intp) % classes]
    elif field is not None:
        colours = field.strong(theme)[field.places(values)] & np.uint32(0xFFFFFF)
    else:
        colours = np.full(values.shape, int(theme.text[1:], 16), np.uint32)
    faint = np.uint32(int(mix(theme.text, theme.background, 0.5)[1:], 16))
    colours = np.where(np.isfinite(values), colours, faint)
    return Group(dots.name, np.asarray(dots.x, float), np.asarray(dots.y, float), colours, dots.hollow)


def same_dots(one: Sequence[Group], other: Sequence[Group]) -> bool:
    """Whether two pictures have the same samples in the same colours."""
    return len(one) == len(other) and all(
        a.hollow == b.hollow
        and np.array_equal(a.colours, b.colours)
        and np.array_equal(a.x, b.x, equal_nan=True)
        and np.array_equal(a.y, b.y, equal_nan=True)
        for a, b in zip(one, other, strict=True)
    )


def radius(count: int, frame: Frame, theme: Theme) -> float:
    """How large a dot is among so many, px; smaller in a small frame."""
    least = min(frame.width, frame.height) / (360 * theme.scale)
    among = float(np.clip(4.6 - 0.75 * np.log10(max(count, 30) / 30), 2.6, 4.6))
    return among * min(1.0, max(0.6, least)) * theme.scale


def draw_dots(painter: QPainter, frame: Frame, groups: Sequence[Group], theme: Theme, ratio: float = 0.0) -> None:
    """Draw dots with a rim of the background's colour; those that reach beyond the frame are left out.

    `ratio`: device pixels a pixel on a screen, where every kind of dot is a small picture put on quarter pixels; 0
    draws true circles.
    """
    r = radius(sum(len(group.x) for group in groups), frame, theme)
    kept: dict[object, QPixmap] = {}
    for group in groups:
        px, py = frame.px(group.x), frame.py(group.y)
        with np.errstate(invalid="ignore"):
            seen = (px >= r) & (px <= frame.width - r) & (py >= r) & (py <= frame.height - r)
        if not ratio:
            for x, y, ink in zip(px[seen], py[seen], group.colours[seen], strict=True):
                _dot(painter, QPointF(x, y), r, f"#{int(ink):06x}", group.hollow, theme)
            continue
        margin = r + 2 * theme.scale
        left, top = px[seen] - margin, py[seen] - margin
        cells_x, cells_y = np.rint(left * ratio * 4).astype(int), np.rint(top * ratio * 4).astype(int)
        for cx, cy, ink in zip(cells_x.tolist(), cells_y.tolist(), group.colours[seen].tolist(), strict=True):
            key = (ink, cx & 3, cy & 3, group.hollow)
            stamp = kept.get(key)
            if stamp is None:
                side = int(2 * margin * ratio) + 3
                stamp = QPixmap(side, side)
                stamp.setDevicePixelRatio(ratio)
                stamp.fill(Qt.GlobalColor.transparent)
                with QPainter(stamp) as inner:
                    inner.setRenderHint(QPainter.RenderHint.Antialiasing)
                    shift_x, shift_y = (cx & 3) / 4 / ratio, (cy & 3) / 4 / ratio
                    _dot(inner, QPointF(margin + shift_x, margin + shift_y), r, f"#{ink:06x}", group.hollow, theme)
                kept[key] = stamp
            painter.drawPixmap(QPointF((cx >> 2) / ratio, (cy >> 2) / ratio), stamp)


def _dot(painter: QPainter, at: QPointF, r: float, colour: str, hollow: bool, theme: Theme) -> None:
    unit = theme.scale
    if hollow:
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for ink, width in ((theme.background, 3.4), (colour, 1.6)):
            painter.setPen(pen(ink, width * unit))
            painter.drawEllipse(at, r - 0.6 * unit, r - 0.6 * unit)
        return
    painter.setPen(pen(theme.background, RIM * unit))
    painter.setBrush(QColor(colour))
    painter.drawEllipse(at, r, r)


class Key(QAbstractButton):
    """The names of dots and rings, and a bar of colours between two numbers; a switch's place, but nothing to press."""

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.theme = theme
        self.names: tuple[tuple[str, bool], ...] = ()
        self.bar: tuple[float, float, QImage] | None = None
        self.word = ""
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def show_key(
        self, names: tuple[tuple[str, bool], ...], bar: tuple[float, float, QImage] | None, word: str = ""
    ) -> None:
        """Take these over; `word` says what the bar's numbers are."""
        self.names, self.bar, self.word = names, bar, word if bar is not None else ""
        ends = f"colours from {number(bar[0], 3)} to {number(bar[1], 3)}" if bar is not None else ""
        if self.word:
            ends += f", {word}"
        rings = ", ".join(f"{name}: {'rings' if hollow else 'dots'}" for name, hollow in names)
        self.setAccessibleName("; ".join(part for part in (rings, ends) if part) or "Key")
        self.update()

    def sizeHint(self) -> QSize:
        """As wide as what it tells, as far as that leaves the title its place."""
        names, bar, word = self._told()
        wide = self._names_width() * names + self._bar_width() * bar + self._word_width() * word
        return QSize(round(wide), round(20 * self.theme.scale))

    def _told(self) -> tuple[bool, bool, bool]:
        """Whether there is room for the names, for the bar, and for its word. Names come first: what a colour means is
        in the legend or can be read off."""
        parent = self.parentWidget()
        title = text_width(font(BODY * self.theme.scale, MEDIUM), parent.title) if isinstance(parent, Header) else 0.0
        room = (parent.width() if parent is not None else 0) - title - 48 * self.theme.scale
        told = []
        for there, width in (
            (bool(self.names), self._names_width()), (self.bar is not None, self._bar_width()),
            (bool(self.word), self._word_width()),
        ):  # fmt: skip
            told.append(there and width <= room)
            room -= width * told[-1]
        return told[0], told[1], told[1] and told[2]

    def _word_width(self) -> float:
        return text_width(font(SMALL * self.theme.scale), self.word) + 8 * self.theme.scale if self.word else 0.0

    def _names_width(self) -> float:
        used, unit = font(SMALL * self.theme.scale), self.theme.scale
        return sum(text_width(used, name) + 20 * unit for name, _ in self.names)

    def _bar_width(self) -> float:
        unit = self.theme.scale
        return BAR * unit + sum(self._room(value) for value in self.bar[:2]) + 14 * unit if self.bar else 0.0

    def _room(self, value: float) -> float:
        """Width of a number at the bar; short ones have a fixed place, so that they may change without a jump."""
        used = font(SMALL * self.theme.scale)
        return max(text_width(used, number(value, 2)), text_width(used, "0.00"))

    def paintEvent(self, event: QPaintEvent) -> None:
        """Draw it."""
        with QPainter(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            theme, unit, middle = self.theme, self.theme.scale, self.height() / 2
            used = font(SMALL * unit)
            painter.setFont(used)
            left, (named, barred, worded) = 0.0, self._told()
            for name, hollow in self.names if named else ():
                _dot(painter, QPointF(left + 5 * unit, middle), 4 * unit, theme.dim, hollow, theme)
                wide = text_width(used, name)
                painter.setPen(QColor(theme.dim))
                painter.drawText(
                    QRectF(left + 12 * unit, 0, wide + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, name
                )
                left += wide + 20 * unit
            if worded:
                painter.setPen(QColor(theme.dim))
                box = QRectF(left, 0, self._word_width(), self.height())
                painter.drawText(box, Qt.AlignmentFlag.AlignVCenter, self.word)
                left += self._word_width()
            if self.bar is not None and barred:
                self._paint_bar(painter, left, middle, *self.bar)

    def _paint_bar(self, painter: QPainter, left: float, middle: float, low: float, high: float, bar: QImage) -> None:
        theme, unit, room = self.theme, self.theme.scale, self._room(low)
        strip = QRectF(left + room + 6 * unit, middle - 4 * unit, BAR * unit, 8 * unit)
        painter.setPen(QColor(theme.dim))
        box, right = QRectF(left, 0, room, self.height()), Qt.AlignmentFlag.AlignRight
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | right, number(low, 2))
        box = QRectF(strip.right() + 6 * unit, 0, self._room(high) + 2, self.height())
        painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, number(high, 2))
        painter.drawImage(strip, bar)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(pen(theme.line, unit))
        painter.drawRect(strip)
