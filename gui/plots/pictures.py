"""Which widget draws which kind of picture."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from engine.picture import Kind
from gui.tokens import Theme


def plot_for(
    kind: Kind, title: str, x_label: str, y_label: str, log: bool, theme: Theme, log_x: bool = False
) -> QWidget:
    """An empty plot for pictures of this kind (see engine.picture); it has `show_picture`."""
    match kind:  # each is loaded with the first page that shows one
        case "lines":
            from gui.plots.lines import LinesPlot

            return LinesPlot(title, x_label, y_label, log, theme, log_x=log_x)
        case "map":
            from gui.plots.decision import DecisionMap

            return DecisionMap(title, x_label, y_label, theme)
        case "regions":
            from gui.plots.basinmap import BasinMap

            return BasinMap(title, x_label, y_label, theme)
        case "bars":
            from gui.plots.bars import BarsPlot

            return BarsPlot(title, theme)
        case "matrix":
            from gui.plots.matrix import MatrixPlot

            return MatrixPlot(title, theme)
        case "images":
            from gui.plots.images import ImagesPlot

            return ImagesPlot(title, theme)
        case "diagram":
            from gui.plots.diagram import DiagramPlot

            return DiagramPlot(title, theme)
        case "table":
            from gui.plots.table import TablePlot

            return TablePlot(title, theme)
        case "blocks":
            from gui.plots.blocks import BlocksPlot

            return BlocksPlot(title, theme)
        case "cube":
            from gui.plots.cube import CubePlot

            return CubePlot(title, theme)
        case "architecture":
            from gui.plots.architecture import ArchitecturePlot

            return ArchitecturePlot(title, theme)
        case "grid":
            from gui.plots.grid import GridPlot

            return GridPlot(title, theme)
        case "stack":
            from gui.plots.stack import StackPlot

            return StackPlot(title, theme)
        case "sketch":
            from gui.plots.drawing import SketchPlot

            return SketchPlot(title, theme)
