"""The lesson panel."""

from __future__ import annotations

from gui.lesson.panel import Lesson

__all__ = ["Lesson"]
