"""Pictures to take home: PNG, SVG and PDF of a plot or a panel, white in print theme whatever the screen shows.

A picture is painted from an off-screen twin, so the screen neither changes nor flickers. Plots paint in pixels with
pens and type that scale, cut their lines themselves, and so need no clip in any format. In SVG words are outlines;
in PDF they are text with embedded fonts.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import IO

from PySide6.QtCore import QBuffer, QIODevice, QMarginsF, QMimeData, QPoint, QRect, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QImage, QPageLayout, QPageSize, QPainter, QPdfWriter, QRegion
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QWidget

from engine.atomic import FileError, write_atomic
from engine.turns import beside, give_way
from gui.fonts import load_fonts
from gui.plots.outlines import outline_words
from gui.tokens import PRINT, Theme

DPI = 96  # of a picture at scale 1
FORMATS = (".png", ".svg", ".pdf")
LARGEST = 20_000  # px a side
DEFAULT_SIZE = (960, 720)


class ExportError(FileError):
    """A picture could not be made or written; the message is one line for people."""


def export_picture(
    widget: QWidget,
    path: str | os.PathLike[str],
    *,
    scale: float = 1.0,
    dpi: float | None = None,
    theme: Theme = PRINT,
    size: tuple[int, int] | None = None,
) -> Path:
    """Write a plot or a panel as .png, .svg or .pdf and return the path.

    `scale` (or `dpi`: scale = dpi / 96) multiplies the pixels of a PNG, and lines, marks and type with them; SVG and
    PDF have no pixels. `size`: the picture's own size in px at scale 1 (default: as on screen). Written at once or
    not at all. Raises ExportError.
    """
    target = Path(path)
    if target.suffix.lower() not in FORMATS:
        raise ExportError(f"{target.name}: {target.suffix or 'no ending'} is not one of {', '.join(FORMATS)}")
    twin = prepared(widget, theme, size)
    try:
        give_way()
        if target.suffix.lower() == ".png":
            image = paint_image(twin, scale if dpi is None else dpi / DPI)
            data = beside(lambda: _png(image))
        elif target.suffix.lower() == ".svg":
            data = _svg(twin)
        else:
            data = _pdf(twin)
    finally:
        twin.deleteLater()
    write(target, lambda stream: stream.write(data))
    return target


def write(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    """Write a file whole or not at all. Raises ExportError, also where the folder does not exist."""
    try:
        write_atomic(path, fill, make_folders=False)
    except FileError as error:
        raise error if isinstance(error, ExportError) else ExportError(str(error)) from None


def to_clipboard(widget: QWidget, *, scale: float = 2.0, theme: Theme = PRINT) -> None:
    """Put the picture of a plot or a panel on the clipboard, as an image and as SVG."""
    twin = prepared(widget, theme, None)
    mime = QMimeData()
    give_way()
    mime.setImageData(paint_image(twin, scale))
    mime.setData("image/svg+xml", _svg(twin))
    twin.deleteLater()
    QGuiApplication.clipboard().setMimeData(mime)


def prepared(widget: QWidget, theme: Theme, size: tuple[int, int] | None = None) -> QWidget:
    """An off-screen twin, laid out and ready to be painted by `paint_image` any number of times."""
    load_fonts()
    twin: QWidget = widget.clone(theme)  # type: ignore[attr-defined]
    shown = widget.size() if widget.testAttribute(Qt.WidgetAttribute.WA_Resized) or widget.isVisible() else None
    wanted = QSize(*size) if size else shown if shown is not None else QSize(*DEFAULT_SIZE)
    twin.resize(wanted.expandedTo(QSize(160, 100)))
    twin.grab(QRect(0, 0, 1, 1))  # lays out what was never shown
    return twin


def paint_image(twin: QWidget, scale: float = 1.0) -> QImage:
    """Paint a twin. Pixels are its size times `scale`; the image knows its resolution. Raises ExportError."""
    width, height = round(twin.width() * scale), round(twin.height() * scale)
    if not 1 <= min(width, height) <= max(width, height) <= LARGEST:
        raise ExportError(f"picture: {width} x {height} pixels; each side must lie between 1 and {LARGEST}")
    image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
    if image.isNull():
        raise ExportError(f"picture: not enough memory for {width} x {height} pixels")
    image.setDevicePixelRatio(scale)
    image.fill(QColor(getattr(twin, "theme", PRINT).background))
    with QPainter(image) as painter:
        _render(twin, painter)
    image.setDevicePixelRatio(1.0)
    image.setDotsPerMeterX(round(scale * DPI / 0.0254))
    image.setDotsPerMeterY(round(scale * DPI / 0.0254))
    return image.convertToFormat(QImage.Format.Format_RGB32)


def _render(twin: QWidget, painter: QPainter) -> None:
    """The ground, then part after part."""
    twin.render(painter, QPoint(0, 0), QRegion(), QWidget.RenderFlag(0))
    for part in twin.children():
        if isinstance(part, QWidget) and not part.isHidden():
            give_way()
            QWidget.render(part, painter, part.pos(), QRegion(), QWidget.RenderFlag.DrawChildren)  # a view has its own


def _png(image: QImage) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):  # type: ignore[call-overload]
        raise ExportError("picture: PNG could not be made")
    return bytes(buffer.data().data())


def _svg(twin: QWidget) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    made = QSvgGenerator()
    made.setOutputDevice(buffer)
    made.setResolution(DPI)
    made.setSize(twin.size())
    made.setViewBox(QRect(QPoint(0, 0), twin.size()))
    made.setTitle(twin.accessibleName() or "Descent Lab")
    made.setDescription("Made with Descent Lab")
    with QPainter(made) as painter:
        painter.fillRect(twin.rect(), QColor(getattr(twin, "theme", PRINT).background))
        _render(twin, painter)
    give_way()
    return outline_words(bytes(buffer.data().data()), twin.width(), twin.height())


def _pdf(twin: QWidget) -> bytes:
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setResolution(DPI)
    points = QSizeF(twin.width() * 72 / DPI, twin.height() * 72 / DPI)
    page = QPageSize(points, QPageSize.Unit.Point, "picture", QPageSize.SizeMatchPolicy.ExactMatch)
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF(0, 0, 0, 0)))
    writer.setTitle(twin.accessibleName() or "Descent Lab")
    writer.setCreator("Descent Lab")
    with QPainter(writer) as painter:
        _render(twin, painter)
    return bytes(buffer.data().data())
