"""Colours, type and style sheets."""

from __future__ import annotations

import re
import subprocess
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QFontInfo, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QComboBox

from gui.fonts import FOLDER, font, load_fonts, text_width
from gui.palette import GENERAL, OPTIMIZERS, SeriesStyle, color, dash_of, pen, series_style
from gui.stylesheet import palette, stylesheet
from gui.theme import Appearance
from gui.tokens import DARK, LIGHT, PRINT, Theme, contrast, mix

ROOT = Path(__file__).resolve().parents[2]
THEMES = (DARK, LIGHT, PRINT)
EVERYDAY = ("sgd", "momentum", "nesterov", "rmsprop", "adam", "newton")

# The tokens of the look that were agreed, dark and light.
AGREED = {
    "background": ("#101418", "#ffffff"),
    "panel": ("#161b21", "#f6f7f9"),
    "raised": ("#1d242c", "#eceff3"),
    "line": ("#29323c", "#dbe0e6"),
    "text": ("#e6eaee", "#161b21"),
    "dim": ("#93a0ad", "#566270"),
    "accent": ("#4cc2ff", "#0078c8"),
    "good": ("#5bd48a", "#17803d"),
    "bad": ("#ff7a6b", "#c9382a"),
}
AGREED_SERIES = {
    "sgd": ("#e69f00", "#b87300"),
    "momentum": ("#56b4e9", "#0072b2"),
    "nesterov": ("#f0e442", "#9c8b00"),
    "rmsprop": ("#00c49a", "#00805f"),
    "adam": ("#ff7eb6", "#c2357a"),
    "newton": ("#c9b8ff", "#6b4fc4"),
}

# Machado, Oliveira and Fernandes 2009, "A physiologically-based model for simulation of color vision deficiency",
# severity 1, on linear RGB.
SIGHT = {
    "normal": np.eye(3),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
}
# Ottosson 2020, "A perceptual color space for image processing" (Oklab).
TO_LMS = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def seen(colour: str, sight: str) -> np.ndarray:
    """Oklab coordinates of a colour as somebody sees it."""
    c = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return np.asarray(TO_LAB @ np.cbrt(TO_LMS @ np.clip(SIGHT[sight] @ linear, 0, 1)))


def distance(a: str, b: str, sight: str) -> float:
    return float(np.linalg.norm(seen(a, sight) - seen(b, sight)))


@pytest.mark.parametrize(("first", "second", "ratio"), [("#000000", "#ffffff", 21.0), ("#777777", "#ffffff", 4.48)])
def test_contrast_equals_published_ratios(first: str, second: str, ratio: float) -> None:
    assert contrast(first, second) == pytest.approx(ratio, abs=0.005)
    assert contrast(second, first) == contrast(first, second)


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
@pytest.mark.parametrize("words", ["text", "dim", "faint", "link"])
@pytest.mark.parametrize("ground", ["background", "panel", "raised"])
def test_words_can_be_read(theme: Theme, words: str, ground: str) -> None:
    assert contrast(getattr(theme, words), getattr(theme, ground)) >= 4.5


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_marks_and_buttons_can_be_seen(theme: Theme) -> None:
    for words in (theme.good, theme.bad):
        assert min(contrast(words, theme.background), contrast(words, theme.panel)) >= 4.5
    assert contrast(theme.on_accent, theme.accent) >= 4.5
    assert contrast(theme.accent, theme.panel) >= 3  # focus rings (WCAG 2.2, 1.4.11)
    for style in OPTIMIZERS.values():
        assert contrast(color(style, theme), theme.background) >= 3


@pytest.mark.parametrize("token", AGREED)
def test_tokens_are_the_agreed_ones(token: str) -> None:
    assert (getattr(DARK, token), getattr(LIGHT, token)) == AGREED[token]


@pytest.mark.parametrize("name", AGREED_SERIES)
def test_series_colours_are_the_agreed_ones(name: str) -> None:
    style = series_style(name)
    assert (color(style, DARK), color(style, LIGHT), color(style, PRINT)) == (
        AGREED_SERIES[name][0],
        AGREED_SERIES[name][1],
        AGREED_SERIES[name][1],
    )


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
def test_all_optimizers_differ_in_colour(theme: Theme) -> None:
    for a, b in combinations(OPTIMIZERS.values(), 2):
        assert distance(color(a, theme), color(b, theme), "normal") >= 0.07


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda t: t.name)
@pytest.mark.parametrize("sight", ["deuteranopia", "protanopia"])
def test_everyday_optimizers_differ_for_colour_blind_viewers(theme: Theme, sight: str) -> None:
    for a, b in combinations((OPTIMIZERS[name] for name in EVERYDAY), 2):
        apart = distance(color(a, theme), color(b, theme), sight) >= 0.06
        assert apart or dash_of(a, theme) != dash_of(b, theme), (a, b)


def test_in_print_every_optimizer_has_its_own_line() -> None:
    looks = [dash_of(style, PRINT) for style in OPTIMIZERS.values()]
    assert len(set(looks)) == len(looks)
    assert len({style.symbol for style in OPTIMIZERS.values()}) >= 6


def test_styles_by_name_and_by_index() -> None:
    assert series_style("Adam") is series_style("adam (branch 2)") is OPTIMIZERS["adam"]
    assert series_style("adamw") is OPTIMIZERS["adamw"]
    assert [series_style("he_normal", i) for i in range(3)] == list(GENERAL[:3])
    assert series_style("other", len(GENERAL)) is GENERAL[0]
    assert len(set(GENERAL)) == len(GENERAL) == len(OPTIMIZERS)


def test_pens_grow_with_the_picture() -> None:
    made = pen("#123456", 2.0, (4, 2))
    assert not made.isCosmetic()
    assert made.dashPattern() == [4, 2]


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_mix_lies_between(share: float) -> None:
    assert mix("#ff0000", "#0000ff", share) == f"#{round(255 * share):02x}00{round(255 * (1 - share)):02x}"


def test_the_shipped_font_is_used_and_its_figures_are_tabular(qapp: QApplication) -> None:
    assert load_fonts() and load_fonts()
    for weight in (400, 500, 600):
        assert QFontInfo(font(13, weight)).family() == "Inter"
    assert text_width(font(26), "1111") == text_width(font(26), "8888")
    assert text_width(font(26, tabular=False), "1111") < text_width(font(26, tabular=False), "8888")
    assert "SIL OPEN FONT LICENSE Version 1.1" in (FOLDER / "OFL.txt").read_text()
    assert (FOLDER / "ORIGIN.md").exists()


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
@pytest.mark.parametrize("scale", [1.0, 1.4])
def test_style_sheet_is_complete(theme: Theme, scale: float) -> None:
    sheet = stylesheet(theme, scale)
    assert "$" not in sheet
    assert sheet.count("{") == sheet.count("}")
    pictures = re.findall(r'url\("([^"]+)"\)', sheet)
    assert len(pictures) > 10
    assert all(Path(picture).is_file() for picture in pictures)
    assert f"font-size: {round(20 * scale)}px" in sheet
    assert stylesheet(theme.scaled(scale)) == sheet


def test_a_combo_box_takes_the_style_sheet(qapp: QApplication) -> None:
    box = QComboBox()
    box.addItems(["Rosenbrock valley", "Beale"])
    plain = box.sizeHint().height()
    box.setStyleSheet(stylesheet(DARK))
    image = box.grab().toImage()
    assert box.sizeHint().height() >= max(28, plain)
    inside = image.pixelColor(image.width() - 30, image.height() // 2)
    assert inside.name() == DARK.raised
    # The arrow: some pixels at the right are as bright as the dim words it is drawn in.
    right = [
        image.pixelColor(x, y).lightness() for x in range(image.width() - 22, image.width() - 2) for y in range(6, 24)
    ]
    assert max(right) > inside.lightness() + 60


@pytest.mark.parametrize("theme", THEMES, ids=lambda t: t.name)
def test_palette(theme: Theme) -> None:
    made = palette(theme)
    assert made.color(QPalette.ColorRole.WindowText).name() == theme.text
    assert made.color(QPalette.ColorRole.Window).name() == theme.panel
    assert made.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text).alphaF() < 1


def test_appearance_tells_changes_and_only_those(qapp: QApplication) -> None:
    look = Appearance("dark")
    told: list[Theme] = []
    look.changed.connect(told.append)
    look.mode = "dark"
    assert told == []
    look.mode = "light"
    look.presentation = True
    look.presentation = True
    assert [theme.name for theme in told] == ["light", "light"]
    assert told[-1].scale > 1 and told[-1] == look.theme
    look.presentation = False
    assert look.theme == LIGHT


def test_appearance_follows_the_system(qapp: QApplication) -> None:
    look = Appearance("system")
    scheme = QGuiApplication.styleHints().colorScheme()
    assert look.theme == (LIGHT if scheme == Qt.ColorScheme.Light else DARK)


def test_appearance_refuses_other_modes(qapp: QApplication) -> None:
    with pytest.raises(ValueError, match="'blue' is not one of system, light, dark"):
        Appearance("blue")  # type: ignore[arg-type]


def test_styles_are_values() -> None:
    assert SeriesStyle("#ffffff", "#000000") == SeriesStyle("#ffffff", "#000000")


def test_looks_and_plots_load_no_torch_and_no_session() -> None:
    code = (
        "import sys, gui.theme, gui.plots.panel, gui.plots.field, gui.plots.surface3d, gui.plots.gif;"
        "bad = {'torch', 'numba', 'scipy', 'sympy'} & set(sys.modules);"
        # of the engine only how a file is written (with how a line of words is cut) and how long work gives way: no
        # session, no experiment
        "ours = {'.'.join(m.split('.')[:2]) for m in sys.modules if m.startswith('engine.')};"
        "bad |= ours - {'engine.atomic', 'engine.spec', 'engine.turns'};"
        "sys.exit(', '.join(sorted(bad)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
