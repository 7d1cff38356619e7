"""Requirement texts for explanations, read once."""

from functools import cache
from pathlib import Path

import yaml

from harness.report.explain import Law

_ROWS = Path(__file__).parents[2] / "docs" / "spec" / "requirements.yaml"


@cache
def laws() -> dict[str, Law]:
    """Requirement id -> level and text."""
    rows = yaml.safe_load(_ROWS.read_bytes()) if _ROWS.exists() else []
    rows = rows.get("requirements", []) if isinstance(rows, dict) else rows
    return {row["id"]: Law(row["level"], row["text"]) for row in rows}
