"""The rows of docs/spec/requirements.yaml as values, validated.

Deliberately absent: where the file lies (``harness.base.spec``), and which check or scenario proves a row (``harness.run.coverage``).
"""

import re
from dataclasses import MISSING, dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

from harness.base.spec import SpecError, find, read

ID = re.compile(r"RC-(SES|OUT|ORD|AUT|AZN|APR|TLS|LOC|EGR|RES|INP|OPS|LAT|ART|WIRE)-\d{3}\.[a-z0-9]+(-[a-z0-9]+)*")

WORDS: dict[str, tuple[str, ...]] = {
    "level": ("MUST", "SHOULD", "MAY"),
    "role": ("host", "relay", "device", "harness"),
    "observe": ("wire", "os", "peer", "adapter"),
    "provenance": ("documented", "article", "observed", "derived", "opinion"),
}


class RequirementsError(SpecError):
    """The list of requirements is broken: a row, what is wrong with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One row; the head of the file says what its fields mean."""

    id: str
    text: str
    level: str
    role: str
    since: str
    observe: str
    provenance: str
    source: tuple[str, ...] = ()
    profile: tuple[str, ...] = ()
    excluded: str = ""
    not_yet: str = ""

    def holds_in(self, profile: str) -> bool:
        """Whether the row belongs to a profile."""
        return not self.profile or profile in self.profile


@cache
def load_requirements(path: Path | None = None) -> dict[str, Requirement]:
    """Read all rows, by id, in the order of the file.

    Raises:
        SpecError: it is missing or not YAML.
        RequirementsError: with everything that is wrong, a line each.
    """
    place = path or find("requirements.yaml")
    data = read(place)
    rows = data.get("requirements") if isinstance(data, dict) else None
    if not isinstance(rows, list) or not rows:
        raise RequirementsError(f"{place}: a list under `requirements:` is missing")
    ids = [row.get("id") for row in rows if isinstance(row, dict)]
    problems = [problem for number, row in enumerate(rows, 1) for problem in _problems(number, row)]
    problems += [f"{name}: stands there {ids.count(name)} times" for name in dict.fromkeys(ids) if ids.count(name) > 1]
    if problems:
        raise RequirementsError("\n".join(f"{place}: {problem}" for problem in problems))
    return {row["id"]: _requirement(row) for row in rows}


def _problems(number: int, row: Any) -> list[str]:
    """What is wrong with a row; empty if nothing."""
    if not isinstance(row, dict):
        return [f"row {number}: not a mapping"]
    name = str(row.get("id", f"row {number}"))
    known = {field.name: field for field in fields(Requirement)}
    needed = [key for key, field in known.items() if field.default is MISSING and field.default_factory is MISSING]
    problems = [f"{name}: `{key}` is missing" for key in needed if not row.get(key)]
    problems += [f"{name}: unknown field `{key}`" for key in row if key not in known]
    problems += [
        f"{name}: {key} is {row[key]!r}, not one of {', '.join(words)}"
        for key, words in WORDS.items()
        if key in row and row[key] not in words
    ]
    if not ID.fullmatch(name):
        problems.append(f"{name}: not an id like RC-OUT-002.ends")
    lists = [key for key in ("source", "profile") if not isinstance(row.get(key, []), list)]
    return problems + [f"{name}: `{key}` is not a list" for key in lists]


def _requirement(row: dict[str, Any]) -> Requirement:
    values = {key: tuple(value) if isinstance(value, list) else str(value) for key, value in row.items()}
    return Requirement(**values)  # type: ignore[arg-type]
