"""Presets and predict-then-run questions, as data in resources/presets."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from engine.experiment import Experiment, Prediction, Preset
from engine.spec import Spec, SpecError, build, shorten, unknown

RESOURCES = Path(__file__).parents[2] / "resources"


def _read(id: str) -> dict[str, Any]:
    path = RESOURCES / "presets" / (id.replace(".", "/") + ".json")
    if not path.is_file():
        return {}
    try:
        body = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise SpecError("preset", f"{path.name} is not readable ({shorten(str(error))})") from None
    if not isinstance(body, dict):
        raise SpecError("preset", f"{path.name} is not readable (an object is wanted)")
    return body


def presets(id: str) -> tuple[Preset, ...]:
    """The presets of an experiment, the opening one first. Raises SpecError for a broken file."""
    try:
        found = _read(id).get("presets", [])
        return tuple(Preset(**{**entry, "settings": {**entry.get("settings", {})}}) for entry in found)
    except TypeError as error:
        raise SpecError("preset", f"{id}: {shorten(str(error), 200)}") from None


def predictions(id: str) -> tuple[Prediction, ...]:
    """The predict-then-run questions of an experiment."""
    try:
        found = _read(id).get("predictions", [])
        return tuple(Prediction(**{**entry, "choices": tuple(entry["choices"])}) for entry in found)
    except (TypeError, KeyError) as error:
        raise SpecError("prediction", f"{id}: {error}") from None


def figures(id: str) -> tuple[str, ...]:
    """The presets that make the chapter's figures."""
    return tuple(str(name) for name in _read(id).get("figures", []))


def preset_values(id: str, name: str) -> dict[str, Any]:
    """A preset's dotted settings. Raises SpecError for an unknown name."""
    known = {preset.name: preset for preset in presets(id)}
    if name not in known:
        raise unknown(name, known, "preset")
    return dict(known[name].settings)


def preset_spec(experiment: Experiment, name: str) -> Spec:
    """The settings of a preset, all else at its default."""
    spec = build(experiment.Spec, preset_values(experiment.id, name))
    experiment.check(spec)
    return spec
