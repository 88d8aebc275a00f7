"""Where Numba keeps its machine code: one folder for each state of the engine's sources.

Numba notices a change of the file that holds a kernel, but not of a file the kernel calls into: after
editing a rule it would go on running the old one. So the folder is named by a hash of every source that kernels
of other files are made of (and of Numba's version), and an edited one simply starts a new folder.
"""

from __future__ import annotations

import atexit
import functools
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

from engine.kernel_memory import keep_little

ENGINE = Path(__file__).resolve().parent
# Kernels of other files are made of what these hold; a test sees to it. Of all other files Numba notices every change.
SHARED = ("formula/", "networks/", "lanes.py", "optimizers/catalogue.py", "optimizers/rule.py", "optimizers/rules.py")
LEAVES = ("networks/slices.py", "networks/torch_", "networks/warm.py", "networks/conv_description.py")
KEPT_SIBLINGS = 2
KEY_LENGTH = 20


def is_shared(name: str) -> bool:
    """Whether kernels of other files may be made of the file `name` (below the engine, with slashes)."""
    return name.startswith(SHARED) and not name.startswith(LEAVES)


def source_key(root: Path = ENGINE) -> str:
    """Hash of the names and bytes of the sources that kernels of several files are made of, and of Numba's version, as
    20 hexadecimal digits."""
    digest = hashlib.blake2b(digest_size=KEY_LENGTH // 2)
    for path in sorted(root.rglob("*.py")):
        if not is_shared(path.relative_to(root).as_posix()):
            continue
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    # Numba names its version in this file; reading it is far cheaper than importing Numba.
    numba = find_spec("numba")
    if numba is not None and numba.origin is not None:
        version = Path(numba.origin).with_name("_version.py")
        if version.exists():
            digest.update(version.read_bytes())
    return digest.hexdigest()


def user_cache(environ: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """The folder in which this user's programs keep caches, by the habit of the platform."""
    if platform == "win32":
        local = environ.get("LOCALAPPDATA", "")
        return Path(local) if local else Path.home() / "AppData" / "Local"
    if platform == "darwin":
        return Path.home() / "Library" / "Caches"
    wanted = environ.get("XDG_CACHE_HOME", "")
    # The XDG rules say that a relative path is to be ignored.
    return Path(wanted) if wanted and Path(wanted).is_absolute() else Path.home() / ".cache"


def cache_folder(base: Path, key: str) -> Path:
    """Make and return `base/descent-lab/key`; a temporary folder of this process when that cannot be written.

    The temporary folder has a fresh, private name: Numba's cache holds pickles, and a name that others can
    guess in a shared folder would let them run their code here.
    """
    folder = base / "descent-lab" / key
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        os.utime(folder)  # the time of last use, by which old folders are chosen for removal
    except OSError:
        folder = Path(tempfile.mkdtemp(prefix="descent-lab-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        return folder
    _prune(folder)
    return folder


def _prune(folder: Path) -> None:
    """Remove the folders of older sources beside `folder`, all but the newest two, which may still run."""
    siblings: list[tuple[float, Path]] = []
    for path in folder.parent.iterdir():
        is_key = len(path.name) == KEY_LENGTH and set(path.name) <= set("0123456789abcdef")
        if is_key and path.name != folder.name:
            try:
                siblings.append((path.stat().st_mtime, path))
            except OSError:
                continue  # removed by another process meanwhile
    for _, path in sorted(siblings, reverse=True)[KEPT_SIBLINGS:]:
        shutil.rmtree(path, ignore_errors=True)


@functools.cache
def _prepared() -> Path:
    try:
        base = user_cache()
    except RuntimeError:  # a user without a home folder
        base = Path(os.devnull)
    return cache_folder(base, source_key())


def use_cache() -> Path:
    """Tell Numba to cache in the folder of these sources, and to keep little of what it loads; return the folder. To
    be called by what is about to import Numba: here it is.

    Idempotent: the sources are read once in a process. If Numba was there before, its setting is changed too; it then
    holds for everything compiled from now on.
    """
    folder = _prepared()
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    loaded = sys.modules.get("numba.core.config")
    if loaded is not None:
        loaded.CACHE_DIR = str(folder)  # type: ignore[attr-defined]
    keep_little()
    return folder
