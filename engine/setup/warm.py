"""Builds the compiled kernels once: `python -m engine.setup.warm`, run by the environment's own Python."""

from __future__ import annotations

import importlib


def _tell(done: int, total: int, what: str) -> None:
    print(f"{done} of {total}: {what}", flush=True)


def main() -> int:
    """Build what is kept compiled on disk: every rule, and what each experiment needs for its first steps.

    Prints a line for each. Returns the exit status.
    """
    # By name, not by imports at the top: this folder must load on a bare Python.
    optimizers = importlib.import_module("engine.optimizers")
    optimizers.warm(_tell)
    importlib.import_module("engine.networks.warm").warm(_tell)
    for experiment in importlib.import_module("engine.experiments").everything():
        print(experiment.title, flush=True)
        spec = experiment.Spec()
        state = experiment.start(spec)
        most = experiment.steps(spec) if experiment.eager else 2
        while state.step < most and experiment.advance(state, spec, most - state.step).rows:
            pass
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
