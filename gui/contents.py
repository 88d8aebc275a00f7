"""The table of contents: the chapter's tabs, and the experiments of the tab in hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QListWidget, QTabBar

from engine.experiments import TABS, ids

if TYPE_CHECKING:
    from engine.experiment import Experiment

ROWS = 10  # experiments of a tab that are listed without a scroll bar


class Contents(QObject):
    """`tabs` and `list`, kept in step with each other. `chosen(id)`: the reader wants another experiment."""

    chosen = Signal(str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.experiments: tuple[Experiment, ...] = ()
        self.names = [tab for tab in TABS if any(id.startswith(f"{tab}.") for id in ids())]
        self.tabs = QTabBar()
        self.tabs.setObjectName("tabs")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        self.tabs.setElideMode(Qt.TextElideMode.ElideNone)
        self.tabs.setAccessibleName("Tabs of the chapter")
        for tab in self.names:
            self.tabs.addTab(tab.capitalize())
        self.list = QListWidget()
        self.list.setObjectName("experiments")
        self.list.setAccessibleName("Experiments of this tab")
        self.tabs.currentChanged.connect(self._tab_changed)
        self.list.currentRowChanged.connect(self._row_changed)

    def inside(self, tab: str) -> list[Experiment]:
        """The experiments of a tab, in their order."""
        return [e for e in self.experiments if e.id.startswith(f"{tab}.")]

    def show_tab(self, id: str) -> None:
        """Mark the tab of an experiment; tells nobody."""
        self.tabs.blockSignals(True)
        self.tabs.setCurrentIndex(self.names.index(id.partition(".")[0]))
        self.tabs.blockSignals(False)

    def fill(self, id: str, scale: float) -> None:
        """List the experiments beside this one, at the theme's scale, and mark it; tells nobody."""
        inside = self.inside(id.partition(".")[0])
        self.list.blockSignals(True)
        self.list.clear()
        for experiment in inside:
            self.list.addItem(f"{experiment.title}   {experiment.section}")
        self.list.setCurrentRow([e.id for e in inside].index(id))
        self.list.setFixedHeight(min(ROWS, len(inside)) * self.list.sizeHintForRow(0) + round(8 * scale))
        self.list.blockSignals(False)

    @Slot(int)
    def _tab_changed(self, index: int) -> None:
        for first in self.inside(self.names[index])[:1]:
            self.chosen.emit(first.id)

    @Slot(int)
    def _row_changed(self, row: int) -> None:
        inside = self.inside(self.names[self.tabs.currentIndex()])
        if 0 <= row < len(inside):
            self.chosen.emit(inside[row].id)
