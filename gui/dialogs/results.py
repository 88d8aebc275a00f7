"""Pinned runs side by side: results, and what differs between any two of them."""

from __future__ import annotations

import math
from collections.abc import Collection

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from engine.spec import told
from gui.dialogs.dialog import Dialog
from gui.page import Page
from gui.runs import Pinned, results, what_differs

ABSENT = "—"
HEADS = ("run", "contestant", "final {0}", "best {0}", "at {1}", "{1}s to target", "finish", "seconds of the run")
NUMBERS = (2, 3, 4, 5, 7)  # the columns that hold them
LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class Loss(QDoubleSpinBox):
    """A box for a loss, without the noughts behind it."""

    def textFromValue(self, value: float) -> str:
        """As short as it can be told."""
        return f"{value:.9g}" if abs(value) >= 1e-4 or value == 0 else f"{value:.9f}".rstrip("0")


class ResultsDialog(Dialog):
    """The table of pinned runs and the run in hand; unpin, and compare two."""

    def __init__(self, page: Page, parent: QWidget | None = None) -> None:
        super().__init__("Pinned runs", parent)
        self.page = page
        row = QHBoxLayout()
        row.addWidget(QLabel("Target loss"))
        self.target = Loss()
        self.target.setDecimals(9)
        self.target.setRange(-1e12, 1e12)
        self.target.setValue(1e-3)
        self.target.setAccessibleName("Target loss")
        self.target.valueChanged.connect(self._fill)
        row.addWidget(self.target)
        row.addStretch(1)
        self.body.addLayout(row)
        loss = page.experiment.loss.replace("_", " ") or "loss"
        self.table = self._table(tuple(head.format(loss, page.experiment.unit) for head in HEADS), NUMBERS)
        self.table.setAccessibleName("Results of pinned runs")
        self.body.addWidget(self.table, 2)
        pick = QHBoxLayout()
        self.one, self.other = QComboBox(), QComboBox()
        for label, box in (("What differs between", self.one), ("and", self.other)):
            pick.addWidget(QLabel(label))
            box.setAccessibleName(f"{label} run")
            box.currentIndexChanged.connect(self._compare)
            pick.addWidget(box)
        pick.addStretch(1)
        self.body.addLayout(pick)
        self.differences = self._table(("setting", "in the first", "in the second"), ())
        self.differences.setAccessibleName("Settings that differ")
        self.body.addWidget(self.differences, 1)
        self.resize(860, 560)
        self.add_button("Unpin the first", self._unpin)
        self.add_button("Close", self.accept, default=True)
        self._load()

    def _table(self, heads: tuple[str, ...], numbers: Collection[int]) -> QTableWidget:
        """An empty table; columns of `numbers` stand at the right, like their heads."""
        table = QTableWidget(0, len(heads))
        for column, words in enumerate(heads):
            head = QTableWidgetItem(words)
            head.setTextAlignment(RIGHT if column in numbers else LEFT)
            table.setHorizontalHeaderItem(column, head)
        table.verticalHeader().setVisible(False)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.horizontalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        return table

    def _runs(self) -> list[Pinned]:
        view = self.page.run.view
        return [*self.page.pinned, *([Pinned("in hand", view)] if view is not None else [])]

    def _load(self) -> None:
        names = [pin.name for pin in self._runs()]
        for box, index in ((self.one, 0), (self.other, len(names) - 1)):
            box.blockSignals(True)
            box.clear()
            box.addItems(names)
            box.setCurrentIndex(index)
            box.blockSignals(False)
        self._fill()
        self._compare()
        if not self.page.pinned:
            self.tell("No run is pinned yet. Press the pin (P) to keep the run in hand as a ghost.")

    @Slot()
    def _fill(self) -> None:
        found = [r for pin in self._runs() for r in results(self.page.experiment, pin, self.target.value())]
        self.table.setRowCount(len(found))
        for row, r in enumerate(found):
            cells = (
                r.run, self.page.view.label(r.series), _number(r.final), _number(r.best), str(r.best_step),
                "—" if r.to_target is None else str(r.to_target), r.finish, f"{r.seconds:.3g}",
            )  # fmt: skip
            self._row(self.table, row, cells, NUMBERS)

    def _row(self, table: QTableWidget, row: int, cells: tuple[str, ...], numbers: Collection[int]) -> None:
        for column, words in enumerate(cells):
            item = QTableWidgetItem(words)
            if column in numbers:
                item.setTextAlignment(RIGHT)
            table.setItem(row, column, item)

    @Slot()
    def _compare(self) -> None:
        runs = {pin.name: pin for pin in self._runs()}
        one, other = runs.get(self.one.currentText()), runs.get(self.other.currentText())
        found = what_differs(one, other) if one is not None and other is not None else []
        cells = [self._told(*three) for three in found] or [("nothing differs", "", "")]
        self.differences.setRowCount(len(cells))
        for row, words in enumerate(cells):
            self._row(self.differences, row, words, ())

    def _told(self, key: str, one: object, other: object) -> tuple[str, str, str]:
        """A setting that differs, as the form names it; behind a live change stands from which step on."""
        key, since, step = key.partition(" from step ")
        spec = self.page.experiment.Spec()
        words = [ABSENT if value == ABSENT else told(spec, key, value)[1] for value in (one, other)]
        return told(spec, key, one)[0] + since + step, words[0], words[1]

    @Slot()
    def _unpin(self) -> None:
        self.page.unpin(self.one.currentText())
        self._load()


def _number(value: float) -> str:
    return f"{value:.6g}" if math.isfinite(value) else "—" if math.isnan(value) else str(value)
