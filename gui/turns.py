"""Work that is done a little in every turn of the event loop."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, QTimer, Signal, Slot
from shiboken6 import isValid


class Turns(QTimer):
    """Emits `due` again and again until it is stopped, `pause` milliseconds after what `due` called has returned.

    A timer that repeats counts from when it fired. Where its work takes longer than the pause it is due again at once,
    and Qt serves it before all that came due meanwhile: frames and the rest wait for two turns instead of one.
    """

    due = Signal()

    def __init__(self, pause: int, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._on = False
        self.setSingleShot(True)
        self.setTimerType(Qt.TimerType.PreciseTimer)
        self.setInterval(pause)
        self.timeout.connect(self._fire)

    def start(self) -> None:  # type: ignore[override]
        """Begin; where it goes on already, the pause begins anew."""
        self._on = True
        super().start()

    def stop(self) -> None:
        """Go on no more."""
        self._on = False
        super().stop()

    def isActive(self) -> bool:
        """Whether it goes on, in the middle of a turn too."""
        return self._on

    @Slot()
    def _fire(self) -> None:
        self.due.emit()
        if isValid(self) and self._on:
            super().start()
