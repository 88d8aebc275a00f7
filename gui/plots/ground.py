"""The ground of a map: its colours and contour lines, kept as a picture from one painting to the next."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple

from PySide6.QtCore import QObject, QPointF, QRectF, Qt
from PySide6.QtGui import QPainter, QPixmap

from gui.palette import pen
from gui.plots.geometry import Frame, pieces
from gui.plots.marks import draw_line
from gui.plots.relief import Relief, contours, paint_map
from gui.plots.slices import Slices, finished
from gui.tokens import Theme, alpha

RUN = 200  # points of a contour line drawn in one go on screen


class Look(NamedTuple):
    """All a picture of the ground depends on. Two are alike where they are of one and the same field."""

    relief: Relief
    frame: Frame
    theme: Theme
    ratio: float  # device pixels a pixel

    def like(self, other: Look) -> bool:
        """Whether both give the same picture."""
        return self.relief is other.relief and self[1:] == other[1:]


class Ground(QObject):
    """Paints the ground. One that looks otherwise than the last is made bit by bit. The last one is shown meanwhile,
    where it belongs or, after `stretch`, all over the new range. `changed` is called when the new one is there."""

    def __init__(self, changed: Callable[[], None], parent: QObject) -> None:
        super().__init__(parent)
        self._shown: tuple[Look, QPixmap] | None = None
        self._wanted: Look | None = None
        self._stretched = False
        self._slices = Slices(self._make, self._old, self)
        self._slices.made.connect(changed)

    @property
    def busy(self) -> bool:
        """Whether the picture shown is one of before."""
        return self._slices.busy

    def stretch(self) -> None:
        """The next picture is of another range: until it is there, show the last one all over it."""
        self._stretched = True

    def paint(self, painter: QPainter, look: Look, *, at_once: bool, waits: bool) -> None:
        """Draw on screen. `at_once`: make what is not there now; `waits`: there soon is another field, make nothing."""
        if self._shown is None or not (waits or self._shown[0].like(look)):
            self._wanted = look
            if at_once:
                self._slices.now()
            else:
                self._slices.ask()
        if self._shown is None:
            return
        (relief, frame, _, _), made = self._shown
        if relief is look.relief and frame == look.frame:
            painter.drawPixmap(QPointF(0, 0), made)
        elif self._stretched:
            painter.drawPixmap(_whole(look.frame), made, QRectF(made.rect()))
        else:
            _draw_part(painter, look.frame, frame, made)

    def _old(self) -> bool:
        assert self._shown is not None and self._wanted is not None
        return not self._shown[0].like(self._wanted)

    def _make(self) -> Iterator[None]:
        assert self._wanted is not None
        look, stretched = self._wanted, self._stretched
        width, height = (max(1, round(side * look.ratio)) for side in (look.frame.width, look.frame.height))
        made = QPixmap(width, height)
        made.setDevicePixelRatio(look.ratio)
        painter = QPainter(made)
        try:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            yield from _drawn(painter, look.relief, look.frame, look.theme, detail=1.0, run=RUN)
        finally:
            painter.end()
        self._shown, self._stretched = (look, made), self._stretched and not stretched


def draw_ground(painter: QPainter, relief: Relief, frame: Frame, theme: Theme) -> None:
    """Draw the ground for a picture: finely, and each contour line as one path."""
    finished(_drawn(painter, relief, frame, theme, detail=2.0, run=None))


def _drawn(
    painter: QPainter, relief: Relief, frame: Frame, theme: Theme, detail: float, run: int | None
) -> Generator[None, None, None]:
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.drawImage(_whole(frame), (yield from paint_map(relief, frame, theme, detail)))
    used = pen(alpha(theme.text, 0.25), theme.scale)
    used.setCapStyle(Qt.PenCapStyle.FlatCap)  # where two runs meet nothing lies twice
    for x, y in pieces(*(yield from contours(relief, frame))):
        step = run or len(x)
        for first in range(0, len(x) - 1, step):
            draw_line(painter, x[first : first + step + 1], y[first : first + step + 1], used, whole=True)
            yield


def _whole(frame: Frame) -> QRectF:
    return QRectF(0, 0, frame.width, frame.height)


def _draw_part(painter: QPainter, frame: Frame, old: Frame, made: QPixmap) -> None:
    """Draw of a picture of another range what `frame` shows too, where it is now."""
    x0, x1, y0, y1 = max(frame.x0, old.x0), min(frame.x1, old.x1), max(frame.y0, old.y0), min(frame.y1, old.y1)
    if x0 >= x1 or y0 >= y1:
        return
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    now, was = (
        QRectF(QPointF(float(f.px(x0)), float(f.py(y1))), QPointF(float(f.px(x1)), float(f.py(y0))))
        for f in (frame, old)
    )
    ratio = made.devicePixelRatio()
    painter.drawPixmap(now, made, QRectF(was.topLeft() * ratio, was.size() * ratio))
