"""Pictures to take home, measured in pixels and read by other programs."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import threading
import zlib
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QTimer
from PySide6.QtGui import QGuiApplication, QImage
from pytestqt.qtbot import QtBot

from gui.palette import SeriesStyle, color, series_style
from gui.plots.curves import Curves
from gui.plots.export import ExportError, export_picture, paint_image, prepared, to_clipboard
from gui.plots.field import Field
from gui.plots.gif import to_pillow, write_gif
from gui.plots.panel import Panel
from gui.plots.render import render
from gui.plots.surface3d import Surface3D
from gui.tokens import DARK, PRINT

STEPS = np.arange(200.0)
SVG = "{http://www.w3.org/2000/svg}"
PLAIN = SeriesStyle("#ff0000", "#ff0000")


@pytest.fixture
def panel(qtbot: QtBot) -> Panel:
    """A map, a curve and a surface, dark, as a window shows them."""
    field = Field("Bowl", "x", "y", DARK)
    surface = Surface3D("Bowl in space", theme=DARK)
    x, y = np.meshgrid(np.linspace(-2, 2, 61), np.linspace(-1, 1, 41))
    path = np.stack([2 * np.exp(-0.02 * STEPS) * np.cos(0.1 * STEPS), np.exp(-0.04 * STEPS) * np.sin(0.2 * STEPS)])
    for plot in (field, surface):
        plot.set_field((x**2 + 9 * y**2) / 2, (-2, 2, -1, 1))
        plot.set_path("adam", "Adam", series_style("adam"), *path)
        plot.set_start(1.9, 0.0)
    field.set_points("minimum", 0, 0, "plus", "minimum")
    curves = Curves("Loss", "step", "loss", True, DARK)
    for name in ("sgd", "momentum"):
        curves.set_series(name, name, series_style(name))
        curves.set_data(name, STEPS, np.exp(-0.05 * STEPS * len(name)))
    curves.set_cursor(50)
    made = Panel(field, [curves, surface], "Descent", "What was measured, and how: 200 steps.", DARK)
    qtbot.addWidget(made)
    made.resize(720, 600)
    made.grab()
    qtbot.waitUntil(lambda: not any(timer.isActive() for timer in made.findChildren(QTimer)))  # all is drawn
    return made


@pytest.fixture
def line(qtbot: QtBot) -> Curves:
    """One level line, 2 px wide, in pure red."""
    plot = Curves("", "", "", False, DARK)
    qtbot.addWidget(plot)
    plot.set_series("a", "a", PLAIN, width=2.0)
    plot.set_data("a", [0, 1], [0.5, 0.5])
    plot.set_x_range(0, 1)
    plot.resize(400, 300)
    plot.grab()
    return plot


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"), float)


@pytest.mark.parametrize(
    ("asked", "scale"), [({}, 1.0), ({"scale": 2}, 2.0), ({"scale": 4}, 4.0), ({"dpi": 300}, 3.125)]
)
def test_png_lines_scale_with_the_picture(line: Curves, tmp_path: Path, asked: dict[str, float], scale: float) -> None:
    target = export_picture(line, tmp_path / "a.png", **asked)  # type: ignore[arg-type]
    image = pixels(target)
    assert image.shape == (round(300 * scale), round(400 * scale), 3)
    # Ink of the line in columns through the plot: on white and grey, red exceeds green by the share covered.
    columns = image[:, round(200 * scale) : round(260 * scale) : 7]
    ink = (columns[:, :, 0] - columns[:, :, 1]) / 255
    assert ink.sum(axis=0) == pytest.approx(np.full(ink.shape[1], 2 * scale), abs=0.2)
    with Image.open(target) as opened:
        assert opened.info["dpi"][0] == pytest.approx(96 * scale, rel=0.001)


def test_type_scales_with_the_picture(line: Curves, tmp_path: Path) -> None:
    heights = []
    for scale in (1, 2, 4):
        left = pixels(export_picture(line, tmp_path / "a.png", scale=scale))[:, : 44 * scale]
        rows = np.flatnonzero(left.min(axis=(1, 2)) < 128)
        runs = np.split(rows, np.flatnonzero(np.diff(rows) > 1) + 1)
        heights.append(np.median([len(run) for run in runs]))
    assert heights[1] == pytest.approx(2 * heights[0], abs=1.5)
    assert heights[2] == pytest.approx(4 * heights[0], abs=3)


def test_print_is_white_while_the_screen_stays_dark(panel: Panel, tmp_path: Path) -> None:
    before = panel.grab().toImage()
    image = pixels(export_picture(panel, tmp_path / "a.png"))
    for y, x in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        assert image[y, x].tolist() == [255, 255, 255]
    after = panel.grab().toImage()
    assert after == before
    assert after.pixelColor(2, 2).name() == DARK.background
    assert panel.theme is DARK and all(plot.theme is DARK for plot in panel.plots)  # type: ignore[attr-defined]


def test_print_has_line_styles_and_no_cursor(panel: Panel) -> None:
    curves = panel.plots[1]
    assert isinstance(curves, Curves)
    twin = curves.clone(PRINT)
    dashes = [entry.dash for entry in twin.entries()]
    assert len(set(dashes)) == len(dashes)
    twin.resize(curves.size())
    image = to_pillow(prepared(curves, PRINT).grab().toImage())
    accent = tuple(int(PRINT.accent[i : i + 2], 16) for i in (1, 3, 5))
    assert accent not in {value for _, value in image.getcolors(1 << 20) or []}
    twin.deleteLater()


def test_hidden_series_are_not_in_the_picture(panel: Panel) -> None:
    curves = panel.plots[1]
    assert isinstance(curves, Curves)
    curves.set_hidden("sgd", True)
    twin = curves.clone(PRINT)
    assert [entry.key for entry in twin.entries()] == ["sgd", "momentum"]
    with pytest.raises(KeyError):
        twin.header.chip("sgd")
    twin.deleteLater()


def test_size_can_be_chosen(panel: Panel, tmp_path: Path) -> None:
    image = pixels(export_picture(panel, tmp_path / "a.png", size=(1000, 500), theme=DARK))
    assert image.shape == (500, 1000, 3)
    assert image[0, 0].tolist() == [16, 20, 24]
    assert (panel.width(), panel.height()) == (720, 600)


@pytest.fixture
def svg(panel: Panel, tmp_path: Path) -> Path:
    return export_picture(panel, tmp_path / "a.svg")


def test_svg_stands_alone(svg: Path) -> None:
    root = ElementTree.fromstring(svg.read_bytes())
    assert (root.tag, root.get("width"), root.get("height")) == (f"{SVG}svg", "720", "600")
    assert root.get("viewBox") == "0 0 720 600"
    kinds = {element.tag for element in root.iter()}
    assert f"{SVG}text" not in kinds and f"{SVG}clipPath" not in kinds and f"{SVG}image" in kinds
    words = {element.get("aria-label") for element in root.iter() if element.get("aria-label")}
    assert {"Descent", "Loss", "Adam", "step", "minimum", "x", "y", "f"} <= words
    text = svg.read_text()
    assert not re.search(r'(href|src)="(?!data:)', text)
    assert "nan" not in re.sub(r"base64,[^\"]+", "", text)


def test_nothing_in_the_svg_reaches_beyond_its_plot(qtbot: QtBot, tmp_path: Path) -> None:
    field = Field(theme=DARK)
    qtbot.addWidget(field)
    x, y = np.meshgrid(np.linspace(-2, 2, 41), np.linspace(-2, 2, 41))
    field.set_field(x**2 + y**2, (-2, 2, -2, 2))
    field.set_path("sgd", "SGD", series_style("sgd"), [0, 1, 1e300, -1e300, 0.5], [0, 1, 1e300, 1e9, np.inf])
    field.resize(400, 300)
    field.grab()
    field.zoom(field.canvas.place(field.canvas.on_screen(0, 0).toPointF()), 0.5)
    root = ElementTree.fromstring(export_picture(field, tmp_path / "a.svg").read_bytes())
    for element in root.iter():
        points = element.get("points") or element.get("d") or ""
        values = [float(v) for v in re.findall(r"-?\d+(?:\.\d+)?(?:e[+-]?\d+)?", points)]
        assert all(abs(v) < 1000 for v in values)


@pytest.mark.skipif(shutil.which("rsvg-convert") is None, reason="needs librsvg")
def test_librsvg_sees_the_same_picture(panel: Panel, svg: Path, tmp_path: Path) -> None:
    subprocess.run(["rsvg-convert", str(svg), "-o", str(tmp_path / "b.png")], check=True)
    ours, theirs = pixels(export_picture(panel, tmp_path / "a.png")), pixels(tmp_path / "b.png")
    assert theirs.shape == ours.shape

    def coarse(image: np.ndarray) -> np.ndarray:
        return np.asarray(image[:600, :720].reshape(150, 4, 180, 4, 3).mean(axis=(1, 3)))

    a, b = coarse(ours), coarse(theirs)
    assert np.corrcoef(a.ravel(), b.ravel())[0, 1] > 0.99
    # Nothing is missing: no part of the picture differs much.
    assert np.abs(a - b).max() < 90
    assert np.abs(a - b).mean() < 2


def test_pdf_has_text_in_embedded_fonts(panel: Panel, tmp_path: Path) -> None:
    data = export_picture(panel, tmp_path / "a.pdf").read_bytes()
    assert data.startswith(b"%PDF-")
    box = re.search(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", data)
    assert box is not None and [float(v) for v in box.groups()] == [540, 450]  # points: 720 x 600 px at 96 dpi
    streams = re.findall(rb"stream\r?\n(.*?)endstream", data, re.S)
    whole = data + b"".join(_inflated(stream) for stream in streams)
    assert b"/FontFile2" in whole or b"/FontFile3" in whole
    assert b"Inter" in whole


def _inflated(stream: bytes) -> bytes:
    try:
        return zlib.decompress(stream)
    except zlib.error:
        return b""


@pytest.mark.skipif(shutil.which("pdffonts") is None, reason="needs poppler")
def test_poppler_finds_every_font_embedded(panel: Panel, tmp_path: Path) -> None:
    target = export_picture(panel, tmp_path / "a.pdf")
    done = subprocess.run(["pdffonts", str(target)], check=True, capture_output=True, text=True)
    rows = [row.split() for row in done.stdout.splitlines()[2:]]
    assert {row[0].split("+")[-1] for row in rows} >= {"Inter-Regular", "Inter-SemiBold"}
    assert all(row[-5] == "yes" for row in rows)
    words = subprocess.run(["pdftotext", str(target), "-"], check=True, capture_output=True, text=True).stdout
    assert "Descent" in words and "minimum" in words


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.jpeg"])
def test_other_formats_are_refused(panel: Panel, tmp_path: Path, name: str) -> None:
    with pytest.raises(ExportError, match=r"is not one of \.png, \.svg, \.pdf"):
        export_picture(panel, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("scale", [0.0, -1.0, 100.0])
def test_absurd_sizes_are_refused(panel: Panel, tmp_path: Path, scale: float) -> None:
    with pytest.raises(ExportError, match="each side must lie between 1 and 20000"):
        export_picture(panel, tmp_path / "a.png", scale=scale)


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_failures_are_one_line_and_leave_nothing(
    panel: Panel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    with pytest.raises(ExportError, match="the folder does not exist") as told:
        export_picture(panel, tmp_path / "no" / f"a.{ending}")
    assert "\n" not in str(told.value)
    old = tmp_path / f"a.{ending}"
    old.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExportError, match="the disk is full"):
        export_picture(panel, old)
    assert old.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [old]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may write anywhere")
def test_a_read_only_folder_is_told(panel: Panel, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ExportError, match="no permission to write there"):
        export_picture(panel, tmp_path / "a.png")
    tmp_path.chmod(0o700)


def test_clipboard_holds_the_picture(panel: Panel) -> None:
    to_clipboard(panel, scale=2)
    mime = QGuiApplication.clipboard().mimeData()
    image = QGuiApplication.clipboard().image()
    assert (image.width(), image.height()) == (1440, 1200)
    assert b"<svg" in bytes(mime.data("image/svg+xml").data())
    QGuiApplication.clipboard().clear()


def test_render_writes_every_format(panel: Panel, tmp_path: Path) -> None:
    done = render(panel, [tmp_path / "figure.png", tmp_path / "figure.svg"], size=(600, 450), scale=2)
    assert [path.name for path in done] == ["figure.png", "figure.svg"]
    assert pixels(done[0]).shape == (900, 1200, 3)


@pytest.fixture
def frames(panel: Panel) -> list[QImage]:
    twin = prepared(panel.plots[0], DARK, (200, 150))
    assert isinstance(twin, Field)
    made = []
    for n in (10, 60, 190):
        twin.set_path("adam", "Adam", series_style("adam"), np.linspace(-1, 1, n), np.linspace(-0.5, 0.5, n) ** 2)
        twin.set_start(n / 100 - 1, 0)
        made.append(paint_image(twin))
    twin.deleteLater()
    return made


def test_gif_has_every_frame_and_its_time(frames: list[QImage], tmp_path: Path) -> None:
    told: list[int] = []
    assert write_gif(iter(frames), tmp_path / "a.gif", 10, told.append)
    assert told == [1, 2, 3]
    with Image.open(tmp_path / "a.gif") as image:
        assert getattr(image, "n_frames", 1) == 3
        assert (image.size, image.info["duration"], image.info["loop"]) == ((200, 150), 100, 0)
        image.seek(2)
        last = np.asarray(image.convert("RGB"), float)
    expected = np.asarray(to_pillow(frames[2]), float)
    assert np.abs(last - expected).mean() < 8
    assert list(tmp_path.iterdir()) == [tmp_path / "a.gif"]


def test_gif_can_be_cancelled_and_refused(frames: list[QImage], tmp_path: Path) -> None:
    stop = threading.Event()
    assert not write_gif(frames, tmp_path / "a.gif", 10, lambda n: stop.set(), stop.is_set)
    for bad, message in (([], "there are no frames"), (frames, "0 frames a second")):
        with pytest.raises(ExportError, match=message):
            write_gif(bad, tmp_path / "a.gif", 10 if not bad else 0)
    with pytest.raises(ExportError, match="the folder does not exist"):
        write_gif(frames, tmp_path / "no" / "a.gif")
    assert list(tmp_path.iterdir()) == []


def test_frames_become_pillow_images_without_a_shift(frames: list[QImage]) -> None:
    buffer = io.BytesIO()
    to_pillow(frames[0]).save(buffer, "PNG")
    back = QImage.fromData(buffer.getvalue()).convertToFormat(QImage.Format.Format_RGB32)
    assert back == frames[0].convertToFormat(QImage.Format.Format_RGB32)


def test_the_colours_of_a_picture_are_those_of_print(line: Curves) -> None:
    assert color(PLAIN, PRINT) == "#ff0000"
    twin = prepared(line, PRINT)
    assert to_pillow(paint_image(twin)).getpixel((1, 1)) == (255, 255, 255)
    twin.deleteLater()
