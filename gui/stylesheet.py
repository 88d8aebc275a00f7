"""The look of every ordinary control: one Qt style sheet and one palette made from a theme.

Words get their place in the order of things by a property: `label.setProperty("role", "section")`. Roles of QLabel:
title, heading, section, dim, faint, number, good, bad. Of QPushButton: primary. Of QFrame and QWidget: panel,
raised, bar, plots, line. Every length is a multiple of 4 px (borders 1 px), times the theme's scale.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from string import Template

from PySide6.QtGui import QColor, QPalette

from gui.fonts import BODY, FAMILY, SMALL, TITLE
from gui.tokens import Theme, alpha, mix

ICONS = Path(__file__).resolve().parent.parent / "resources" / "icons" / "controls"

SHEET = Template("""
QWidget { color: $text; }
QMainWindow, QDialog, QMessageBox { background: $panel; }
QWidget[role="panel"], QWidget[role="bar"] { background: $panel; }
QWidget[role="raised"] { background: $raised; border-radius: ${r6}px; }
QWidget[role="plots"] { background: $background; }
QFrame[role="line"] { background: $line; border: none; max-height: 1px; }
QLabel { background: transparent; }
QLabel[role="title"] { font-size: ${title}px; font-weight: 600; }
QLabel[role="heading"] { font-weight: 600; }
QLabel[role="section"] { font-size: ${small}px; font-weight: 600; color: $faint; }
QLabel[role="dim"] { color: $dim; }
QLabel[role="faint"], QLabel[role="small"] { font-size: ${small}px; color: $faint; }
QLabel[role="number"] { color: $text; }
QLabel[role="good"] { color: $good; }
QLabel[role="bad"] { color: $bad; font-size: ${small}px; }
QLabel:disabled { color: $off; }

QPushButton { background: $raised; border: 1px solid $line; border-radius: ${r6}px; padding: ${u1}px ${u3}px;
  min-height: ${u5}px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed, QPushButton:checked { background: $hover; border-color: $border; }
QPushButton[chosen="true"] { border-color: $accent; background: $hover; }
QPushButton:focus { border-color: $accent; }
QPushButton:disabled { color: $off; background: $panel; }
QPushButton[role="primary"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[role="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[role="primary"]:focus { border: 2px solid $text; padding: ${u1m}px ${u3m}px; }
QPushButton[role="primary"]:disabled { background: $raised; color: $off; border-color: $line; }
QPushButton[role="link"] { background: transparent; border-color: transparent; color: $link; padding: 0px; }
QPushButton[role="link"]:focus { border-color: $accent; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: ${r6}px; padding: ${u1}px;
  color: $dim; }
QToolButton:hover { background: $raised; color: $text; }
QToolButton:pressed, QToolButton:checked { background: $hover; color: $text; }
QToolButton:focus { border-color: $accent; }
QToolButton:disabled { color: $off; }
QToolButton[popupMode="1"] { padding-right: ${u4}px; }
QToolButton::menu-button { border: none; width: ${u4}px; }
QToolButton::menu-indicator { image: none; }
QToolButton::menu-arrow { image: url("$chevron_down"); width: ${u3}px; height: ${u3}px; }

QLineEdit, QComboBox, QAbstractSpinBox, QPlainTextEdit, QTextEdit { background: $raised; border: 1px solid $line;
  border-radius: ${r6}px; padding: ${u1}px ${u2}px; selection-background-color: $accent;
  selection-color: $on_accent; }
QLineEdit, QComboBox, QAbstractSpinBox { min-height: ${u5}px; }
QLineEdit:hover, QComboBox:hover, QAbstractSpinBox:hover { border-color: $border; }
QLineEdit:focus, QComboBox:focus, QComboBox:on, QAbstractSpinBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
  border-color: $accent; }
QLineEdit[invalid="true"], QComboBox[invalid="true"], QAbstractSpinBox[invalid="true"] { border-color: $bad; }
QLineEdit:disabled, QComboBox:disabled, QAbstractSpinBox:disabled { color: $off; background: $panel; }
QAbstractSpinBox QLineEdit, QComboBox QLineEdit { background: transparent; border: none; min-height: 0px;
  padding: 0px; }
QAbstractSpinBox QLineEdit { padding-left: ${u2}px; }
QComboBox { padding-right: ${u6}px; combobox-popup: 0; }
QComboBox::drop-down { subcontrol-origin: border; subcontrol-position: center right; width: ${u6}px;
  border: none; background: transparent; }
QComboBox::down-arrow { image: url("$chevron_down"); width: ${u4}px; height: ${u4}px; }
QComboBox::down-arrow:disabled { image: url("$chevron_down_off"); }
QComboBox QAbstractItemView { background: $raised; border: 1px solid $border; border-radius: 0px; outline: none;
  padding: ${u1}px; selection-background-color: $hover; selection-color: $text; }
QComboBox QAbstractItemView::item { min-height: ${u6}px; padding: 0px ${u1}px; border-radius: ${r4}px;
  border: none; color: $text; }
QComboBox QAbstractItemView::item:selected { background: $hover; color: $text; }
QAbstractSpinBox { padding: 0px ${u6}px 0px 0px; min-height: ${u7}px; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { subcontrol-origin: border; width: ${u5}px;
  border: none; background: transparent; }
QAbstractSpinBox::up-button { subcontrol-position: top right; margin: 2px 2px 0px 0px; }
QAbstractSpinBox::down-button { subcontrol-position: bottom right; margin: 0px 2px 2px 0px; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: $hover;
  border-radius: ${r4}px; }
QAbstractSpinBox::up-arrow { image: url("$chevron_up"); width: ${u3}px; height: ${u3}px; }
QAbstractSpinBox::down-arrow { image: url("$chevron_down"); width: ${u3}px; height: ${u3}px; }
QAbstractSpinBox::up-arrow:off, QAbstractSpinBox::up-arrow:disabled { image: url("$chevron_up_off"); }
QAbstractSpinBox::down-arrow:off, QAbstractSpinBox::down-arrow:disabled { image: url("$chevron_down_off"); }

QCheckBox, QRadioButton { spacing: ${u2}px; background: transparent; min-height: ${u5}px; }
QCheckBox:disabled, QRadioButton:disabled { color: $off; }
QCheckBox::indicator, QRadioButton::indicator, QAbstractItemView::indicator { width: ${u4i}px; height: ${u4i}px;
  border: 1px solid $border; background: $raised; }
QCheckBox::indicator, QAbstractItemView::indicator { border-radius: ${r4}px; }
QRadioButton::indicator { border-radius: ${u2}px; }
QCheckBox::indicator:hover, QRadioButton::indicator:hover { border-color: $text; }
QCheckBox::indicator:checked, QRadioButton::indicator:checked, QAbstractItemView::indicator:checked {
  background: $accent; border-color: $accent; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { image: url("$check"); }
QCheckBox::indicator:indeterminate { background: $accent; border-color: $accent; image: url("$dash"); }
QRadioButton::indicator:checked { image: url("$dot"); }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border: 2px solid $text; }
QCheckBox::indicator:checked:focus, QRadioButton::indicator:checked:focus { border: 2px solid $text; }
QCheckBox::indicator:disabled, QRadioButton::indicator:disabled { background: $panel; border-color: $line; }

QSlider { background: transparent; min-height: ${u5}px; }
QSlider::groove:horizontal { height: ${u1}px; background: $raised; border-radius: ${r2}px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: ${r2}px; }
QSlider::add-page:horizontal { background: $track; border-radius: ${r2}px; }
QSlider::handle:horizontal { width: ${u3}px; height: ${u3}px; margin: -${u1}px 0px; border-radius: ${r6}px;
  background: $knob; border: none; }
QSlider::handle:horizontal:hover { background: $accent_hover; }
QSlider::handle:horizontal:focus { background: $knob; border: 2px solid $accent; width: ${u3m}px;
  height: ${u3m}px; border-radius: ${r6}px; margin: -${u1}px 0px; }
QSlider::sub-page:horizontal:disabled { background: $border; }
QSlider::handle:horizontal:disabled { background: $border; }
QProgressBar { background: $track; border: none; border-radius: ${r2}px; max-height: ${u1}px; }
QProgressBar::chunk { background: $accent; border-radius: ${r2}px; }

QTabWidget::pane { border: none; }
QTabBar { background: transparent; qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: $dim; padding: ${u2}px ${u4}px; border: none;
  border-bottom: 2px solid transparent; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; font-weight: 600; }
QTabBar::tab:focus { background: $raised; }

QScrollArea { background: transparent; border: none; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QScrollBar:vertical { background: transparent; width: ${u3}px; margin: 0px; }
QScrollBar:horizontal { background: transparent; height: ${u3}px; margin: 0px; }
QScrollBar::handle { background: $track; border-radius: ${r2}px; }
QScrollBar::handle:vertical { min-height: ${u8}px; margin: 0px ${u1}px; }
QScrollBar::handle:horizontal { min-width: ${u8}px; margin: ${u1}px 0px; }
QScrollBar::handle:hover { background: $border; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0px; height: 0px; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }

QAbstractItemView { background: $panel; alternate-background-color: $panel; border: none; outline: none;
  selection-background-color: $raised; selection-color: $text; gridline-color: $line; }
QListView::item, QTreeView::item { min-height: ${u7}px; padding: 0px ${u2}px; border-radius: ${r6}px;
  border: 1px solid transparent; }
QTableView::item { padding: 0px ${u2}px; }
QListView::item:hover, QTreeView::item:hover { background: $hover; }
QListView::item:selected, QTreeView::item:selected, QTableView::item:selected { background: $raised;
  color: $text; }
QListView::item:focus, QTreeView::item:focus { border-color: $accent; }
QHeaderView::section { background: $panel; color: $faint; font-size: ${small}px; font-weight: 600; border: none;
  border-bottom: 1px solid $line; padding: ${u1}px ${u2}px; }
QTableCornerButton::section { background: $panel; border: none; }

QMenuBar { background: $panel; }
QMenuBar::item { background: transparent; padding: ${u1}px ${u2}px; border-radius: ${r4}px; }
QMenuBar::item:selected { background: $raised; }
QMenu { background: $raised; border: 1px solid $border; padding: ${u1}px; }
QMenu::item { padding: ${u1}px ${u6}px ${u1}px ${u3}px; min-height: ${u5}px; border-radius: ${r4}px; }
QMenu::item:selected { background: $hover; }
QMenu::item:disabled { color: $off; }
QMenu::separator { height: 1px; background: $line; margin: ${u1}px ${u2}px; }
QMenu::icon { padding-left: ${u2}px; }
QMenu::right-arrow { image: url("$chevron_right"); width: ${u4}px; height: ${u4}px; }
QToolTip { background: $raised; color: $text; border: 1px solid $border; padding: ${u1}px ${u2}px;
  font-size: ${small}px; }
QStatusBar { background: $panel; color: $dim; }
QStatusBar::item { border: none; }
QGroupBox { border: none; margin-top: ${u6}px; padding: 0px; }
QGroupBox::title { subcontrol-origin: margin; color: $faint; font-size: ${small}px; font-weight: 600; }
QSplitterHandle { background: $line; }
QSplitterHandle:hover { background: $accent; }

Form QLineEdit[role="value"] { padding: 0px ${f5}px; min-height: ${f22}px; }
Form QToolButton[role="glyph"], Form QToolButton[role="glyph"]:hover { padding: 0px; background: transparent; }
Form QSlider { min-height: ${u4}px; max-height: ${u4}px; }
Form QCheckBox { font-size: ${body}px; }
""")


@lru_cache(maxsize=4)  # every part of every page asks
def stylesheet(theme: Theme, scale: float | None = None) -> str:
    """The style sheet of the whole app. `scale` multiplies type and spacing (default: the theme's own)."""
    factor = theme.scale if scale is None else scale
    kind = "dark" if theme.dark else "light"

    def px(value: float) -> str:
        return str(max(1, round(value * factor)))

    names = ("background", "panel", "raised", "hover", "line", "border", "text", "dim", "faint", "accent",
             "accent_hover", "on_accent", "link", "good", "bad")  # fmt: skip
    values = {name: getattr(theme, name) for name in names}
    values |= {"off": mix(theme.dim, theme.panel, 0.6), "track": mix(theme.border, theme.panel, 0.45)}
    values |= {"knob": theme.text, "family": FAMILY}
    values |= {"title": px(TITLE), "body": px(BODY), "small": px(SMALL)}
    values |= {f"u{n}": px(4 * n) for n in range(1, 9)} | {f"r{n}": px(n) for n in (2, 4, 6)}
    values |= {"f5": px(5), "f22": px(22)}  # the fields of a form are lower
    values |= {"u4i": px(14), "u1m": str(max(0, round(4 * factor) - 1)), "u3m": str(round(12 * factor) - 4)}
    files = ("chevron-down", "chevron-up", "chevron-right", "check", "dash", "dot")
    values |= {file.replace("-", "_"): (ICONS / f"{file}-{kind}.svg").as_posix() for file in files}
    for file in ("chevron-down", "chevron-up"):
        values[file.replace("-", "_") + "_off"] = (ICONS / f"{file}-off-{kind}.svg").as_posix()
    return SHEET.substitute(values)


def palette(theme: Theme) -> QPalette:
    """The Qt palette of a theme, for what no style sheet reaches (text selection, placeholder words, links)."""
    made = QPalette()
    role = QPalette.ColorRole
    words = {role.WindowText: theme.text, role.Text: theme.text, role.ButtonText: theme.text,
             role.ToolTipText: theme.text, role.BrightText: theme.on_accent, role.HighlightedText: theme.on_accent,
             role.Link: theme.link, role.LinkVisited: theme.link, role.PlaceholderText: theme.faint}  # fmt: skip
    grounds = {role.Window: theme.panel, role.Base: theme.raised, role.AlternateBase: theme.panel,
               role.Button: theme.raised, role.ToolTipBase: theme.raised, role.Highlight: theme.accent,
               role.Accent: theme.accent, role.Light: theme.hover, role.Midlight: theme.hover,
               role.Mid: theme.line, role.Dark: theme.line, role.Shadow: theme.background}  # fmt: skip
    for key, value in (words | grounds).items():
        made.setColor(key, QColor(value))
    for key in (role.WindowText, role.Text, role.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, key, alpha(theme.dim, 0.6))
    return made
