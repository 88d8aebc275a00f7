"""Taking widgets out of layouts. `takeAt` is not for it: Python never frees the item it hands over."""

from __future__ import annotations

from PySide6.QtWidgets import QLayout, QWidget


def emptied(layout: QLayout, first: int = 0) -> list[QWidget]:
    """Take every widget from place `first` on out of a layout of widgets; returns them."""
    widgets = [_widget(layout, place) for place in range(first, layout.count())]
    found = [widget for widget in widgets if widget is not None]
    for widget in found:
        layout.removeWidget(widget)
    return found


def _widget(layout: QLayout, place: int) -> QWidget | None:
    item = layout.itemAt(place)  # let go of before the layout deletes it, or that too is never freed
    return item.widget() if item is not None else None


def clear(layout: QLayout, first: int = 0) -> None:
    """Take every widget from place `first` on out of a layout of widgets and delete it."""
    for widget in emptied(layout, first):
        widget.hide()
        widget.deleteLater()
