"""Builds the compiled kernels once: `python -m engine.setup.warm`, run by the environment's own Python."""

from __future__ import annotations

import importlib


def main() -> int:
    """Build what the optimizers keep compiled on disk; prints one line for each. Returns the exit status."""
    # By name, not by an import at the top: this folder must load on a bare Python.
    optimizers = importlib.import_module("engine.optimizers")
    optimizers.warm(lambda done, total, what: print(f"{done} of {total}: {what}", flush=True))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
