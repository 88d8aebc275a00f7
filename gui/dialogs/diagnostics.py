"""What a bug report needs, on one page with one button to copy it."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Mapping
from importlib import metadata

from PySide6.QtCore import Slot, qVersion
from PySide6.QtGui import QFontDatabase, QGuiApplication
from PySide6.QtWidgets import QLabel, QPlainTextEdit, QWidget

from gui.dialogs.dialog import Dialog

PACKAGES = (
    "PySide6-Essentials", "pyqtgraph", "numpy", "numba", "llvmlite", "torch", "pydantic", "contourpy", "ziamath",
    "pillow",
)  # fmt: skip
GOAL = "goal: p99 at most 5 ms while a run streams"


def report(version: str, runs: Iterable[str], late: Mapping[int, float], log: Iterable[str]) -> str:
    """The whole page as text: versions, platform, fluidity, runs, log.

    `runs`: a line for each run in hand; `late`: lateness of the event loop by percentile, in milliseconds; `log`: its
    latest records.
    """
    parts = [("Versions", _versions(version)), ("Platform", _platform())]
    fluid = ", ".join(f"p{p} {value:.1f} ms" for p, value in late.items()) or "not measured yet"
    parts.append(("Lateness of the event loop, last minute", [f"{fluid} ({GOAL})"]))
    parts.append(("Runs", list(runs) or ["none"]))
    parts.append(("Log", list(log) or ["empty: no warning and no error"]))
    return "\n\n".join("\n".join((title, *(f"  {line}" for line in lines))) for title, lines in parts) + "\n"


def _versions(version: str) -> list[str]:
    lines = [f"Descent Lab {version}", f"Python {sys.version.split()[0]} ({platform.python_implementation()})"]
    for name in PACKAGES:
        try:
            lines.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            lines.append(f"{name} missing")
    return lines


def _platform() -> list[str]:
    lines = [platform.platform(), f"{os.cpu_count()} cores, {platform.machine()}", f"Qt {qVersion()} on {_plugin()}"]
    lines += [
        f"screen {s.size().width()} x {s.size().height()} at {s.devicePixelRatio():g}x, {s.refreshRate():.0f} Hz"
        for s in QGuiApplication.screens()
    ]
    if (memory := _memory()) is not None:
        lines.append(f"memory in use: {memory:.0f} MiB")
    return lines


def _plugin() -> str:
    return QGuiApplication.platformName() or "no platform"


def _memory() -> float | None:
    """Resident memory in MiB, where the system tells it without a further package."""
    try:
        with open("/proc/self/statm") as stream:
            return int(stream.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    except (OSError, ValueError, AttributeError):
        return None


class DiagnosticsDialog(Dialog):
    """Shows the report and copies it."""

    def __init__(self, text: str, parent: QWidget | None = None) -> None:
        super().__init__("Diagnostics", parent)
        words = QLabel("Copy this into a bug report. It holds nothing but what you see here.")
        words.setWordWrap(True)
        self.body.addWidget(words)
        self.text = text
        editor = QPlainTextEdit(text)
        editor.setReadOnly(True)
        editor.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        editor.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        editor.setAccessibleName("Diagnostics")
        self.body.addWidget(editor, 1)
        self.resize(760, 600)
        self.add_button("Copy all", self._copy)
        self.add_button("Close", self.accept, default=True)

    @Slot()
    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.text)
        self.tell("Copied")
