"""Moving pictures: frames into one animated GIF."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import IO

from PIL import Image
from PySide6.QtGui import QImage

from gui.plots.export import ExportError, write

FASTEST = 50.0  # frames/s: GIF counts in hundredths of a second, and players slow down what is under two


class _Cancelled(Exception):
    pass


def write_gif(
    frames: Iterable[QImage],
    path: str | os.PathLike[str],
    fps: float = 20.0,
    progress: Callable[[int], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> bool:
    """Write frames of one size as a GIF that runs for ever; True when done, False when cancelled.

    Frames are taken one by one, so a generator may paint them meanwhile. `progress(n)` after n frames. `fps` is
    rounded to hundredths of a second a frame, the time of all frames together staying right. Written at once or not
    at all. Raises ExportError, also for no frames.
    """
    target = Path(path)
    if not 0 < fps <= FASTEST:
        raise ExportError(f"gif: {fps} frames a second; allowed are more than 0 and at most {FASTEST:g}")

    def fill(file: IO[bytes]) -> None:
        stream = _pictures(frames, progress, cancelled)
        first = next(stream, None)
        if first is None:
            raise ExportError("gif: there are no frames")
        second = next(stream, None)
        rest = chain([second], stream) if second is not None else stream
        duration = max(20, round(100 / fps) * 10)
        first.save(file, "GIF", save_all=True, append_images=rest, duration=duration, loop=0, disposal=1)

    try:
        write(target, fill)
    except _Cancelled:
        return False
    return True


def _pictures(
    frames: Iterable[QImage], progress: Callable[[int], None] | None, cancelled: Callable[[], bool] | None
) -> Iterator[Image.Image]:
    for count, frame in enumerate(frames, 1):
        if cancelled is not None and cancelled():
            raise _Cancelled
        # No dithering: flat grounds stay flat and the file small.
        yield to_pillow(frame).quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
        if progress is not None:
            progress(count)


def to_pillow(image: QImage) -> Image.Image:
    """A Qt image as a Pillow image in RGB."""
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    data = bytes(plain.constBits())
    return Image.frombytes("RGB", (plain.width(), plain.height()), data, "raw", "RGB", plain.bytesPerLine())
