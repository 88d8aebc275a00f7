"""The dialogs: code, export, results, keyboard, diagnostics."""

from __future__ import annotations

from gui.dialogs.code import CodeDialog
from gui.dialogs.diagnostics import DiagnosticsDialog
from gui.dialogs.export import ExportDialog
from gui.dialogs.results import ResultsDialog
from gui.dialogs.shortcuts import ShortcutsDialog

__all__ = ["CodeDialog", "DiagnosticsDialog", "ExportDialog", "ResultsDialog", "ShortcutsDialog"]
