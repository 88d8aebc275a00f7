"""Starts the app by main.py in a real window, presses Play, takes a picture of the screen, closes the window.

    xvfb-run -a PYTHON tests/smoke/real_window.py build/smoke/window.png

The app's own process runs main.py unchanged: the driver waits inside QApplication.exec, where the window is
open. Passes if the window was shown and drew something, the run moved the picture, and closing ended the app
in time, with status 0 and not a word on stderr.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90.0  # seconds for the window to open, the first time kernels may be built
ENDS_WITHIN = 3.0  # seconds from the close of the window to the end of the process
COLOURS = 16  # fewer in the picture than this is an empty window


def watch(picture: Path) -> int:
    """Run the app in a process of its own and judge how it went. Returns the exit status."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "QT_QPA_PLATFORM": "xcb", "PYTHONWARNINGS": "default"}
        for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR"):
            environ[name] = str(Path(home, name.lower()))
            Path(environ[name]).mkdir(mode=0o700)
        app = subprocess.run(
            [sys.executable, __file__, "--inside", str(picture)],
            cwd=home,
            env=environ,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
        )
        ended = time.time()
    print(app.stdout, end="")
    print(app.stderr, end="", file=sys.stderr)
    faults = []
    if app.returncode != 0:
        faults.append(f"exit status {app.returncode}")
    if app.stderr:
        faults.append("words on stderr")
    closed = [line.split()[1] for line in app.stdout.splitlines() if line.startswith("closed ")]
    if not closed:
        faults.append("the window was never closed by the driver")
    elif ended - float(closed[0]) > ENDS_WITHIN:
        faults.append(f"the end took {ended - float(closed[0]):.1f} s after closing")
    for fault in faults:
        print(f"smoke test: {fault}", file=sys.stderr)
    print(f"{int(not faults)} passed, {int(bool(faults))} failed")
    return 1 if faults else 0


def inside(picture: Path) -> None:
    """Be the app: main.py without arguments, with the driver in its event loop."""
    from PySide6.QtWidgets import QApplication

    started = time.monotonic()
    original: Callable[..., int] = QApplication.exec
    keep: list[object] = []

    def exec_and_drive(*_: object) -> int:  # Qt's own takes nothing, also on an instance
        keep.append(drive(picture, started))
        return original()

    QApplication.exec = exec_and_drive  # type: ignore[method-assign]
    sys.argv = [str(ROOT / "main.py")]
    sys.path.insert(0, str(ROOT))
    runpy.run_path(sys.argv[0], run_name="__main__")


def drive(picture: Path, started: float) -> object:
    """Let the steps go on from a timer in the app's own loop; gives what must be kept alive."""
    from PySide6.QtCore import QTimer

    steps = play_and_close(picture, started)
    timer = QTimer()

    def go_on() -> None:
        try:
            timer.start(next(steps))
        except StopIteration:
            pass
        except BaseException as error:
            print(f"driver: {type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(3)

    timer.setSingleShot(True)
    timer.timeout.connect(go_on)
    timer.start(0)
    return timer


def play_and_close(picture: Path, started: float) -> Iterator[int]:
    """The steps; each yields the milliseconds until the next."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QAbstractButton, QApplication, QMainWindow

    def window_and_play() -> tuple[QMainWindow, QAbstractButton] | None:
        for window in QApplication.topLevelWidgets():
            if isinstance(window, QMainWindow) and window.isVisible():
                play = window.findChild(QAbstractButton, "play")
                if play is not None and play.isVisible() and play.isEnabled():
                    return window, play
        return None

    while (found := window_and_play()) is None:
        if time.monotonic() - started > PATIENCE:
            raise TimeoutError("no window with an enabled button named 'play'")
        yield 20
    window, play = found
    print(f"shown after {time.monotonic() - started:.2f} s, {window.width()} x {window.height()}")
    yield 1000
    before = window.screen().grabWindow(window.winId()).toImage()
    QTest.mouseClick(play, Qt.MouseButton.LeftButton)
    yield 2500
    shot = window.screen().grabWindow(window.winId())
    image = shot.toImage()
    if not shot.save(str(picture)):
        raise OSError(f"the picture could not be written to {picture}")
    colours = {image.pixel(x, y) for x in range(0, image.width(), 7) for y in range(0, image.height(), 7)}
    if len(colours) < COLOURS:
        raise AssertionError(f"the window shows {len(colours)} colours: nothing is drawn")
    if image == before:
        raise AssertionError("after Play the window looks as before")
    print(f"picture: {picture}, {image.width()} x {image.height()}, {len(colours)} colours")
    print(f"closed {time.time()}", flush=True)
    window.close()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(Path(sys.argv[2]))
    else:
        raise SystemExit(watch(Path(sys.argv[1] if sys.argv[1:] else "build/smoke/window.png").resolve()))
