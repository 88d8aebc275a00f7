"""Make the README's picture from the app itself.

    QT_QPA_PLATFORM=offscreen python tests/smoke/screenshot.py [FILE] [light|dark] [WIDTH HEIGHT] [PRESET] [STEPS]

Defaults: resources/screenshot.png, dark, 1440 x 900, networks.playground: and 420 steps. PRESET is a name of the
opening experiment's, ID:NAME, or ID: for the opening preset of an experiment.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from PySide6.QtCore import QElapsedTimer, QEventLoop, QSettings, Qt  # noqa: E402
from PySide6.QtWidgets import QApplication  # noqa: E402

from gui.window import MainWindow  # noqa: E402


def settle(app: QApplication, ready: object, most: int = 30_000) -> None:
    """Let the window live until `ready()` is true. Raises TimeoutError."""
    clock = QElapsedTimer()
    clock.start()
    while not ready():  # type: ignore[operator]
        app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 20)
        if clock.elapsed() > most:
            raise TimeoutError("the window did not get there")


def main() -> None:
    """Open, run, grab, close."""
    given = sys.argv[1:]
    path = Path(given[0]) if given else ROOT / "resources" / "screenshot.png"
    mode = given[1] if len(given) > 1 else "dark"
    width, height = (int(given[2]), int(given[3])) if len(given) > 3 else (1440, 900)
    id, _, preset = (given[4] if len(given) > 4 else "networks.playground:").rpartition(":")
    steps = int(given[5]) if len(given) > 5 else 420
    app = QApplication.instance() or QApplication(["descent-lab"])
    assert isinstance(app, QApplication)
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"XDG_DATA_HOME": folder, "XDG_STATE_HOME": folder}  # no offer of what a user left unsaved
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        settings.setValue("theme", mode)
        window = MainWindow(settings)
        window.resize(width, height)
        window.show()
        settle(app, lambda: window.page is not None and window.page.run.view is not None)
        page = window.show_experiment(id) if id else window.page
        assert page is not None
        settle(app, lambda: page.run.view is not None and not page.run.busy)
        if preset:
            page.use_preset(preset)
            page.play_when_ready = False
            settle(app, lambda: page.run.view is not None and page.run.view.step == 0 and not page.run.busy)
        if steps:
            page.run.step(steps)
            settle(app, lambda: page.run.view is not None
                   and (page.run.view.step >= steps or page.run.view.finish is not None))  # fmt: skip
        clock = QElapsedTimer()
        clock.start()
        settle(app, lambda: clock.elapsed() > 1200 and not page.run.busy)
        window.grab().save(str(path))
        window.close()
        app.processEvents()
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)


if __name__ == "__main__":
    main()
