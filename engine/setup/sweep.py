"""Finds what a killed pip left in an environment, so that pip does not take it for installed.

pip writes a distribution's RECORD (the list of its files) last. A distribution without a whole RECORD, or
with a file missing or of the wrong size, is unfinished: its metadata is removed, and pip then installs it
again over what is there.
"""

from __future__ import annotations

import csv
import os
import shutil
from pathlib import Path


def sweep(site_packages: Path) -> list[str]:
    """Remove the metadata of unfinished distributions and pip's leftovers; returns the names removed."""
    removed = []
    for entry in sorted(site_packages.iterdir()):
        # A killed upgrade leaves the old version's folders under names that begin with "~".
        if entry.name.startswith("~") or (entry.name.endswith(".dist-info") and not finished(entry)):
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
            removed.append(entry.name)
    return removed


def finished(dist_info: Path) -> bool:
    """Whether all files that the RECORD of a distribution lists are there, with the sizes that it lists."""
    try:
        with (dist_info / "RECORD").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error):
        return False
    root = str(dist_info.parent)
    # The RECORD inside a wheel does not name INSTALLER: pip adds it when it writes its own.
    if not any(row and row[0].endswith(".dist-info/INSTALLER") for row in rows):
        return False
    for row in rows:
        if len(row) != 3:
            return False
        name, _, size = row
        if name.endswith(".pyc"):  # Python makes these anew
            continue
        try:
            found = os.stat(os.path.join(root, name)).st_size
        except OSError:
            return False
        if size and int(size) != found:
            return False
    return True
