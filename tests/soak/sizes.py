"""How much of everything: the stated sizes, and the variables that make a run shorter."""

from __future__ import annotations

import os

from engine.experiments import everything


def stated(name: str, full: int) -> int:
    """What DESCENT_<name> says, or the stated size."""
    return int(os.environ.get(f"DESCENT_{name}", full))


def chosen() -> tuple[str, ...]:
    """Every experiment; DESCENT_ONLY names those to try, DESCENT_SKIP those to leave out, with commas between."""
    known = [one.id for one in everything()]
    only, skipped = (os.environ.get(f"DESCENT_{word}", "").split(",") for word in ("ONLY", "SKIP"))
    unknown = {*only, *skipped} - {*known, ""}
    if unknown:
        raise ValueError(f"no experiment is named {', '.join(sorted(unknown))}")
    return tuple(id for id in known if (only == [""] or id in only) and id not in skipped)
