"""What holds for every test: drawn off screen, settings kept apart, and nothing left running afterwards."""

from __future__ import annotations

import atexit
import gc
import itertools
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

# pytest-qt imports Qt while it is set up, after this file: the environment is settled here.
os.environ["QT_QPA_PLATFORM"] = "offscreen"
os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # as main.py has it
if sys.platform == "win32":
    from main import load_torch_first

    load_torch_first()
if not os.environ.get("XDG_RUNTIME_DIR"):
    # Qt warns without it.
    _runtime = tempfile.TemporaryDirectory(prefix="descent-lab-tests-")
    atexit.register(_runtime.cleanup)
    os.environ["XDG_RUNTIME_DIR"] = _runtime.name

import weakref

from PySide6 import QtCore

# Every timer and thread made from Python. (shiboken6.getAllValidWrappers would know them too, but it has been seen to
# hand out objects that were gone, and to crash.)
_WATCHED: weakref.WeakSet[QtCore.QObject] = weakref.WeakSet()


def _watched(kind: type[QtCore.QObject]) -> type[QtCore.QObject]:
    """The same class, but its objects are known to the check for leftovers."""

    def begin(self: QtCore.QObject, *given: object, **named: object) -> None:
        kind.__init__(self, *given, **named)
        _WATCHED.add(self)

    return type(kind.__name__, (kind,), {"__init__": begin})


QtCore.QTimer, QtCore.QThread = _watched(QtCore.QTimer), _watched(QtCore.QThread)  # type: ignore[misc, assignment]

from hypothesis import HealthCheck, settings  # noqa: E402

from tests.alone import Alone  # noqa: E402

# The first example of a test may build kernels: a deadline would judge the compiler.
settings.register_profile("here", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("ci", settings.get_profile("here"), derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# Left alone the collector may begin in the middle of a paint event, and delete widgets under the painter's feet. It
# looks for garbage between tests, as the app's own (gui.memory.Collector) does between events.
gc.disable()
ROUND = 60  # tests
_RUN = [0]


def pytest_runtest_logfinish() -> None:
    """Now and then, after a test is over, look for garbage."""
    _RUN[0] += 1
    if _RUN[0] % ROUND == 0:
        gc.collect()


GRACE = 2.0  # seconds that a thread which was told to stop may take


def _folders(base: Path) -> Iterator[Path]:
    """One new folder after the other. (To find a free number pytest lists all there are, for each of thousands.)"""
    for number in itertools.count():
        (base / str(number)).mkdir()
        yield base / str(number)


@pytest.fixture(scope="session")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Alone]:
    """Runs exported scripts by themselves; what it needs for that ends with the tests."""
    folders = _folders(tmp_path_factory.mktemp("alone"))
    with Alone(lambda: next(folders)) as one:
        yield one


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder for each test's settings and data."""
    return _folders(tmp_path_factory.mktemp("homes"))


@pytest.fixture(autouse=True)
def own_settings(homes: Iterator[Path]) -> Iterator[Path]:
    """Settings and data of the app go to a folder of this test alone.

    The cache folder stays the user's: it holds the compiled kernels, named by a hash of the sources.
    """
    folder = next(homes)
    patch = pytest.MonkeyPatch()
    for name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "APPDATA"):
        patch.setenv(name, str(folder / name.lower()))
    if "PySide6.QtCore" in sys.modules:
        from PySide6.QtCore import QSettings

        for form in (QSettings.Format.NativeFormat, QSettings.Format.IniFormat):
            QSettings.setPath(form, QSettings.Scope.UserScope, str(folder / "settings"))
    yield folder
    patch.undo()


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread behind, or one with a window that leaves an active timer or a visible widget."""
    threads = set(threading.enumerate())
    windows = "qtbot" in request.fixturenames
    before = set(_left_in_qt()) if windows else set()
    yield
    left = [_join(thread) for thread in threading.enumerate() if thread not in threads]
    found = [name for name in left if name]
    if windows and set(_left_in_qt()) - before:
        gc.collect()  # what only a reference cycle keeps alive is not a leak
        found += sorted(name for key, name in _left_in_qt().items() if key not in before)
    if windows:
        _plain_looks()
    if found:
        pytest.fail(f"left behind: {', '.join(found)}", pytrace=False)


def _plain_looks() -> None:
    """A window gives the whole application its colours: the next test begins without.

    An empty QPalette() is no way back: made while an application lives, it is that application's own.
    """
    from PySide6.QtWidgets import QApplication

    app = QApplication.instance()
    if isinstance(app, QApplication) and app.palette() != app.style().standardPalette():
        app.setPalette(app.style().standardPalette())


def _join(thread: threading.Thread) -> str:
    """The thread's name if it goes on, else an empty string. Dummy threads are Qt's; see _left_in_qt."""
    if isinstance(thread, threading._DummyThread):
        return ""
    thread.join(GRACE)
    return f"thread {thread.name}" if thread.is_alive() else ""


def _left_in_qt() -> dict[int, str]:
    """What is alive in Qt now, as {id: name}; empty as long as no application exists."""
    widgets = sys.modules.get("PySide6.QtWidgets")
    if widgets is None or widgets.QApplication.instance() is None:
        return {}
    import shiboken6
    from PySide6.QtCore import QCoreApplication, QEvent, QThread, QTimer

    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    main = widgets.QApplication.instance().thread()
    left = {
        id(widget): f"visible {type(widget).__name__} {widget.objectName()}".rstrip()
        for widget in widgets.QApplication.topLevelWidgets()
        if widget.isVisible()
    }
    for thing in list(_WATCHED):
        if not shiboken6.isValid(thing):
            continue
        if isinstance(thing, QThread) and thing is not main and thing.isRunning():
            left[id(thing)] = f"QThread {thing.objectName()}".rstrip()
        elif isinstance(thing, QTimer) and thing.isActive():
            left[id(thing)] = f"active QTimer of {type(thing.parent()).__name__}"
    return left
