"""One experiment on screen: controls, plots, lesson, transport. Knows no experiment by name."""

from __future__ import annotations

from gui.page.page import MOST_PINS, Page

__all__ = ["MOST_PINS", "Page"]
