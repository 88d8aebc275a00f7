"""Take it home: pictures, numbers, the trajectory as a GIF."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Slot
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QFormLayout,
    QLabel,
    QProgressBar,
    QSpinBox,
    QWidget,
)

from engine.atomic import FileError
from engine.session.results import write_csv, write_npz
from gui.answering import answering
from gui.dialogs.dialog import Dialog
from gui.page import Page
from gui.pictures import frames
from gui.plots.export import ExportError, export_picture, to_clipboard
from gui.theme import PRINT, Theme

KINDS = {"PNG picture": ".png", "SVG drawing": ".svg", "PDF page": ".pdf", "Animated GIF": ".gif",
         "CSV numbers": ".csv", "NPZ numbers (NumPy)": ".npz"}  # fmt: skip
SIZES = {"1x": 1.0, "2x": 2.0, "3x": 3.0, "4x": 4.0}
DPI = 96  # of a picture at 1x
FRAMES = 120  # the most frames a GIF has


class ExportDialog(Dialog):
    """What, as what, how large. Pictures are white for print unless asked otherwise."""

    def __init__(self, page: Page, parent: QWidget | None = None) -> None:
        super().__init__("Export", parent)
        self.page = page
        form = QFormLayout()
        form.setHorizontalSpacing(16)
        form.setVerticalSpacing(8)
        self.what = QComboBox()
        self.what.addItems(["All plots", *page.view.plots()])
        self.kind = QComboBox()
        self.kind.addItems(list(KINDS))
        self.scaling = QComboBox()
        self.scaling.addItems([*SIZES, "by dpi"])
        self.scaling.setCurrentText("2x")
        self.dpi = QSpinBox()
        self.dpi.setRange(36, 1200)
        self.dpi.setValue(300)
        self.dpi.setSuffix(" dpi")
        self.light = QCheckBox("Print theme (white, line styles)")
        self.light.setChecked(True)
        for label, widget in (("What", self.what), ("As", self.kind), ("Size", self.scaling), ("", self.dpi)):
            widget.setAccessibleName(label or "Dots per inch")
            form.addRow(label, widget)
        form.addRow("", self.light)
        self.body.addLayout(form)
        self.note = QLabel()
        self.note.setProperty("role", "dim")
        self.note.setWordWrap(True)
        self.body.addWidget(self.note)
        self.bar = QProgressBar()
        self.bar.setVisible(False)
        self.body.addWidget(self.bar)
        self.body.addStretch(1)
        self.kind.currentTextChanged.connect(self._refresh)
        self.scaling.currentTextChanged.connect(self._refresh)
        self.what.currentTextChanged.connect(self._refresh)
        self.dpi.valueChanged.connect(self._refresh)
        self.resize(440, 320)
        self.copy = self.add_button("Copy picture", self._copy)
        self.add_button("Close", self.reject)
        self.save = self.add_button("Save…", self._save, default=True)
        self._cancelled = False
        self._refresh()

    @Slot()
    def _refresh(self) -> None:
        suffix = KINDS[self.kind.currentText()]
        picture = suffix in (".png", ".svg", ".pdf", ".gif")
        for widget in (self.what, self.light):
            widget.setEnabled(picture)
        self.scaling.setEnabled(suffix == ".png")
        self.dpi.setVisible(suffix == ".png" and self.scaling.currentText() == "by dpi")
        self.copy.setEnabled(suffix == ".png")
        self.note.setText({
            ".svg": "Vector drawing; the map inside is a picture.",
            ".pdf": "One page, fonts embedded.",
            ".gif": "The run from its first step to the step in hand.",
            ".csv": "Every recorded step of the branch in hand, in full precision.",
            ".npz": "Every recorded step of the branch in hand as NumPy arrays.",
        }.get(suffix, self._told_size()))  # fmt: skip

    def _told_size(self) -> str:
        size, scale = self._target().size(), self._scale()
        pixels = f"{round(size.width() * scale):,} × {round(size.height() * scale):,} pixels, {round(DPI * scale)} dpi"
        return f"{pixels}. Lines, symbols and type grow with the size."

    def _target(self) -> QWidget:
        name = self._plot()
        return self.page.view.plot(name) if name else self.page.view.panel

    def _plot(self) -> str:
        return self.what.currentText() if self.what.currentIndex() > 0 else ""

    def _theme(self) -> Theme:
        return PRINT if self.light.isChecked() else self.page.theme

    def _scale(self) -> float:
        return SIZES.get(self.scaling.currentText(), self.dpi.value() / DPI)

    @Slot()
    def _copy(self) -> None:
        try:
            with answering():
                to_clipboard(self._target(), scale=self._scale(), theme=self._theme())
            self.tell("Copied")
        except ExportError as error:
            self.tell(str(error), bad=True)

    @Slot()
    def _save(self) -> None:
        suffix = KINDS[self.kind.currentText()]
        proposed = f"{self.page.experiment.id}{suffix}"
        name, _ = QFileDialog.getSaveFileName(self, "Export", proposed, f"{self.kind.currentText()} (*{suffix})")
        if name:
            self.save_to(Path(name if name.endswith(suffix) else name + suffix))

    def save_to(self, path: Path) -> bool:
        """Write what is chosen; tells in one line how it went."""
        try:
            if path.suffix == ".gif":
                if not self._write_gif(path):
                    self.tell("Cancelled; nothing was written")
                    return False
            else:
                with answering():
                    self._write(path)
        except FileError as error:
            self.tell(str(error), bad=True)
            return False
        self.tell(f"Saved {path.name}")
        return True

    def _write(self, path: Path) -> None:
        view = self.page.run.view
        if path.suffix not in (".csv", ".npz"):
            export_picture(self._target(), path, scale=self._scale(), theme=self._theme())
        elif view is None:
            raise FileError("nothing is measured yet")
        elif path.suffix == ".csv":
            write_csv(self.page.experiment, view, path)
        else:
            write_npz(view, path)

    def reject(self) -> None:
        """Close; a GIF that is being written is given up."""
        self._cancelled = True
        super().reject()

    def _write_gif(self, path: Path) -> bool:
        from gui.plots.gif import write_gif

        view = self.page.run.view
        if view is None or view.step == 0:
            raise FileError("run a few steps first: a GIF shows the way from the start to the step in hand")
        count = min(FRAMES, view.step + 1)
        steps = [round(i * view.step / (count - 1)) for i in range(count)]
        self._cancelled = False
        self.bar.setRange(0, count)
        self.bar.setVisible(True)
        self._begin(False)

        def progress(done: int) -> None:
            self.bar.setValue(done)
            QApplication.processEvents()

        try:
            shown = self.page.view
            size, plot, off = shown.size(), self._plot(), shown.panel.hiding
            made = frames(self.page.experiment, view, steps, shown.answers(), self._theme(), size, plot, off)
            return write_gif(made, path, 20, progress, lambda: self._cancelled)
        finally:
            self.bar.setVisible(False)
            self._begin(True)

    def _begin(self, may: bool) -> None:
        """Whether anything may be begun."""
        self.copy.setEnabled(may and KINDS[self.kind.currentText()] == ".png")
        self.save.setEnabled(may)
