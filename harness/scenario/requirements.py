"""Which requirement ids and error codes exist: the two lists of docs/spec that a scenario may point into.

Deliberately absent: what a row means; where the lists are absent (an installed package), ids are checked for their form only.
"""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

SPEC = Path(__file__).parents[2] / "docs" / "spec"
REQUIREMENT = re.compile(r"RC-[A-Z]{2,6}-\d{3}(\.[a-z0-9]+(-[a-z0-9]+)*)?")


@dataclass(frozen=True, slots=True)
class Requirement:
    """What planning needs of a row of requirements.yaml: its id and the profiles it belongs to (empty = all)."""

    id: str
    profiles: tuple[str, ...]


@cache
def requirements() -> dict[str, Requirement]:
    """Every requirement by id; empty where the list is absent."""
    return {row["id"]: Requirement(row["id"], _profiles(row)) for row in _rows("requirements.yaml", "id")}


def known_requirements() -> frozenset[str]:
    """Ids that ``proves`` may name; empty where the list is absent."""
    return frozenset(requirements())


@cache
def error_codes() -> frozenset[str]:
    """Words that ``phone.answer`` may be: ``accepted`` and every error code; empty where the list is absent."""
    codes = frozenset(row["code"] for row in _rows("errors.yaml", "code"))
    return codes | {"accepted"} if codes else codes


def _profiles(row: dict[str, Any]) -> tuple[str, ...]:
    profile = row.get("profile") or row.get("profiles") or ()
    return (profile,) if isinstance(profile, str) else tuple(profile)


def _rows(name: str, key: str) -> list[dict[str, Any]]:
    """Read the rows of a list in docs/spec: a list of mappings, or mappings by their key, perhaps under one heading."""
    path = SPEC / name
    if not path.is_file():
        return []
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there
    return _found(yaml.load(path.read_bytes(), Loader=loader), key)  # noqa: S506 - both are safe loaders


def _found(data: Any, key: str) -> list[dict[str, Any]]:
    if isinstance(data, list):
        return [row for row in data if isinstance(row, dict) and key in row]
    if not isinstance(data, dict):
        return []
    lists = [rows for value in data.values() if (rows := _found(value, key))]
    return [row for rows in lists for row in rows] or [{**v, key: k} for k, v in data.items() if isinstance(v, dict)]
