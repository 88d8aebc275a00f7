"""The dependency lists of pyproject.toml, and whether this interpreter meets them.

Looks at the metadata of installed packages and imports none of them: this runs before every start.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

APP = "app"

# The bundle named first brings the package named last under another name.
_ALSO_KNOWN_AS = {"pyside6-essentials": ("pyside6",)}

_REQUIREMENT = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(.*)$")
_CLAUSE = re.compile(r"(>=|<=|==|!=|<|>)\s*([0-9.]+)$")


def read_groups(root: Path) -> dict[str, tuple[str, ...]]:
    """Requirement lists by group: `app` (project.dependencies) and one for each optional list."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    groups = {APP: tuple(project.get("dependencies", ()))}
    for name, requirements in project.get("optional-dependencies", {}).items():
        groups[name] = tuple(requirements)
    return groups


def version(root: Path) -> str:
    """The project's own version."""
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def fingerprint(requirements: Iterable[str]) -> str:
    """A hash of one requirement list; order does not count."""
    return hashlib.sha256("\n".join(sorted(requirements)).encode()).hexdigest()


def release(version: str) -> tuple[int, ...]:
    """Leading numbers of a version, without trailing zeros: `2.13.0+cpu` is (2, 13)."""
    match = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in match.group().split(".")] if match else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def satisfies(version: str, specifier: str) -> bool:
    """Whether `version` is within `specifier`, such as `>=2.11,<2.14`. An empty one allows any.

    Raises ValueError for clauses that the lists of this project do not use (`~=`, markers).
    """
    have = release(version)
    for clause in filter(None, (part.strip() for part in specifier.split(","))):
        match = _CLAUSE.match(clause)
        if match is None:
            raise ValueError(f"cannot read the version clause {clause!r}")
        operator, bound = match.group(1), release(match.group(2))
        verdict = {
            ">=": have >= bound,
            "<=": have <= bound,
            "==": have == bound,
            "!=": have != bound,
            "<": have < bound,
            ">": have > bound,
        }[operator]
        if not verdict:
            return False
    return True


def installed_version(name: str) -> str | None:
    """Version of an installed distribution, or None."""
    import importlib.metadata  # here, because a start in .venv does without it

    for candidate in (name, *_ALSO_KNOWN_AS.get(name.lower(), ())):
        try:
            return importlib.metadata.version(candidate)
        except importlib.metadata.PackageNotFoundError:
            continue
    return None


def unmet(requirements: Iterable[str]) -> str | None:
    """The first requirement that this interpreter does not meet, or None if it meets all.

    It stops at the first, because on a bare Python that is the usual answer.
    """
    for requirement in requirements:
        match = _REQUIREMENT.match(requirement)
        if match is None:
            raise ValueError(f"cannot read the requirement {requirement!r}")
        version = installed_version(match.group(1))
        if version is None or not satisfies(version, match.group(2)):
            return requirement
    return None
