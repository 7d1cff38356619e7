"""Requirement texts for explanations, read once."""

from functools import cache

import yaml

from harness.report.explain import Law
from harness.scenario.requirements import SPEC


@cache
def laws() -> dict[str, Law]:
    """Requirement id -> level and text; empty where the list is absent (an installed package)."""
    path = SPEC / "requirements.yaml"
    rows = yaml.safe_load(path.read_bytes())["requirements"] if path.is_file() else []
    return {row["id"]: Law(row["level"], row["text"]) for row in rows}
