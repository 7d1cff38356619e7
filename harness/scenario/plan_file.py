"""A plan as a JSON file: saved, loaded back to an equal value, and refused if anybody touched it.

Deliberately absent: running it (``relayproof replay``).
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from harness.base.errors import PlanError
from harness.history.plan import PLAN_VERSION, Plan
from harness.history.plan_json import AGAIN, plan_of, strict


def to_json(plan: Plan) -> dict[str, Any]:
    """A plan as a JSON object."""
    return asdict(plan)


def to_text(plan: Plan) -> str:
    """The contents of a plan file: version, SHA-256 of the canonical JSON of the plan, the plan."""
    data = to_json(plan)
    return json.dumps({"relayproof_plan": PLAN_VERSION, "sha256": _sha256(data), "plan": data}, indent=1) + "\n"


def from_text(text: str | bytes, name: str = "the plan") -> Plan:
    """Read the contents of a plan file.

    Args:
        text: what ``to_text`` wrote.
        name: of the file, for messages.

    Raises:
        PlanError: if it is truncated, edited, of another version or no plan at all.
    """
    try:
        data = strict(text)
    except ValueError as error:
        raise PlanError(f"{name} is truncated or no plan at all ({error}); {AGAIN}") from None
    if not isinstance(data, dict) or "relayproof_plan" not in data or not isinstance(data.get("plan"), dict):
        raise PlanError(f"{name} is JSON but no plan; {AGAIN}")
    if data["relayproof_plan"] != PLAN_VERSION:
        raise PlanError(f"{name} is of version {data['relayproof_plan']}, this is {PLAN_VERSION}; {AGAIN}")
    if data.get("sha256") != _sha256(data["plan"]):
        raise PlanError(f"{name} was edited after it was saved; a replay of it would prove nothing; {AGAIN}")
    return plan_of(data["plan"])


def save(plan: Plan, path: Path) -> None:
    """Write a plan file; a failure leaves nothing half-written behind.

    Raises:
        PlanError: if the file cannot be written.
    """
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_text(to_text(plan), encoding="utf-8")
        beside.replace(path)
    except OSError as error:
        beside.unlink(missing_ok=True)
        raise PlanError(f"{path} cannot be written: {error.strerror or error}") from None


def load(path: Path) -> Plan:
    """Read a plan file.

    Raises:
        PlanError: as ``from_text``, or if the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PlanError(f"{path} cannot be read: {error.strerror or error}") from None
    return from_text(content, str(path))


def _sha256(data: Mapping[str, Any]) -> str:
    canonical = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()
