"""Files written whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO

from engine.spec import shorten
from engine.turns import beside

REASONS = {
    errno.ENOENT: "the folder does not exist",
    errno.ENOTDIR: "the folder does not exist",
    errno.EACCES: "no permission to write there",
    errno.EPERM: "no permission to write there",
    errno.EROFS: "the folder is read-only",
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EISDIR: "a folder has that name",
}


class FileError(ValueError):
    """A file that cannot be read or written, told in one line."""


def reason(error: OSError) -> str:
    """Why the system would not write, in the same words everywhere."""
    return REASONS.get(error.errno or 0, error.strerror or str(error))


def write_atomic(
    path: Path, write: Callable[[IO[bytes]], object], *, make_folders: bool = True, sync: bool = True
) -> None:
    """Write through a temporary file in the same folder, so that a killed run leaves the old file or the new one.

    Missing folders are made unless told otherwise; a link is followed. `sync`: wait until it is on the disk, however
    busy that is; without, it outlives this process, but not a power cut. Raises FileError; whatever is raised, the
    old file is still there.
    """
    part: Path | None = None
    try:
        target = Path(os.path.realpath(path))
        if target.exists() and not target.is_file():
            raise FileError(f"{shorten(str(path), 200)}: cannot be written (it is no file)")
        if make_folders:
            target.parent.mkdir(parents=True, exist_ok=True)
        name = f".{target.name[:40]}.{secrets.token_hex(6)}.part"
        with open(target.with_name(name), "xb") as stream:
            part = target.with_name(name)
            write(stream)
            stream.flush()
            if sync:
                beside(partial(os.fsync, stream.fileno()))
        os.replace(part, target)
        part = None
    except OSError as error:
        raise FileError(f"{shorten(str(path), 200)}: cannot be written ({reason(error)})") from None
    finally:
        if part is not None:
            part.unlink(missing_ok=True)
