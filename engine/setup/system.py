"""Which shared libraries of the system Qt needs, which are missing, how to get them. Linux only; no Qt."""

from __future__ import annotations

import ctypes
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping

# soname -> Debian's package, as the libraries and platform plugins of PySide6-Essentials 6.11 name them.
OFFSCREEN = {
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libX11.so.6": "libx11-6",
}
XCB = {
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb.so.1": "libxcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render.so.0": "libxcb-render0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-shm.so.0": "libxcb-shm0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-util.so.1": "libxcb-util1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
}
WAYLAND = {
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
_PLATFORMS = {"xcb": XCB, "wayland": WAYLAND}


def loads(soname: str) -> bool:
    """Whether the loader finds the library and all that it needs itself."""
    try:
        ctypes.CDLL(soname)
    except OSError:
        return False
    return True


def qt_trouble(environ: Mapping[str, str], load: Callable[[str], bool] = loads) -> str | None:
    """Why Qt cannot start here, in one line that says what to do; None if it can.

    Qt's own choice of platform is followed: QT_QPA_PLATFORM, then X11 by DISPLAY, then Wayland.
    """
    if not sys.platform.startswith("linux"):
        return None
    platform = environ.get("QT_QPA_PLATFORM", "").split(";")[0].split(":")[0]
    if not platform:
        if environ.get("DISPLAY"):
            platform = "xcb"
        elif environ.get("WAYLAND_DISPLAY"):
            platform = "wayland"
        else:
            return (
                "No display: DISPLAY and WAYLAND_DISPLAY are not set. Start the window from a desktop "
                "session, or use the command line (python3 main.py --help)."
            )
    purpose = "Drawing pictures" if platform == "offscreen" else "The window"
    return missing_line(purpose, {**OFFSCREEN, **_PLATFORMS.get(platform, {})}, load)


def missing_line(purpose: str, libraries: Mapping[str, str], load: Callable[[str], bool]) -> str | None:
    """One line that names the libraries that do not load and the packages that bring them."""
    missing = [soname for soname in libraries if not load(soname)]
    if not missing:
        return None
    packages = " ".join(unique(libraries[soname] for soname in missing))
    if shutil.which("apt-get"):
        remedy = f"Install: sudo apt-get install {packages}"
    else:
        remedy = f"Install them with your system's package manager (Debian calls them: {packages})"
    return f"{purpose} needs system libraries that are missing: {', '.join(missing)}. {remedy}"


def packages() -> list[str]:
    """Debian's packages for everything: window and offscreen."""
    return unique({**OFFSCREEN, **XCB}.values())


def unique(names: Iterable[str]) -> list[str]:
    """Each name once, in order of first use."""
    return list(dict.fromkeys(names))
