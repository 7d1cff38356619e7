"""``report.json``: the one source that other programs read. Its fields are an interface: added to, never renamed.

Deliberately absent: anything that depends on the machine except ``wall_s``.
"""

import json
from dataclasses import asdict
from typing import Any

from harness.report.model import RequirementRow, Row, Summary

REPORT_VERSION = 1


def report_object(summary: Summary) -> dict[str, Any]:
    """The report as a JSON object: ``totals``, ``left_out``, ``scenarios``, ``requirements``, ``calibration``."""
    return {
        "report": REPORT_VERSION,
        "verdict": summary.verdict.name,
        "totals": summary.totals,
        "left_out": [asdict(left) for left in summary.left_out],
        "scenarios": [_scenario(row) for row in summary.rows],
        "requirements": [_requirement(row) for row in summary.requirements],
        "calibration": summary.calibration,
        "wall_s": round(summary.wall_s, 3),
    }


def report_text(summary: Summary) -> str:
    """The report as the text of a file."""
    return json.dumps(report_object(summary), indent=1, ensure_ascii=False) + "\n"


def _scenario(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "file": row.file,
        "line": row.line,
        "family": row.family,
        "verdict": row.verdict.name,
        "seed": row.seed,
        "world": row.world,
        "profile": row.profile,
        "simulated_s": row.simulated_s,
        "awake_s": row.awake_s,
        "wall_s": round(row.wall_s, 4),
        "history_sha256": row.history_sha256,
        "requirements": [_requirement(entry) for entry in row.requirements],
        "faults": [asdict(fault) | {"realised_by": list(fault.realised_by)} for fault in row.faults],
        "calibration": list(row.calibration),
        "delays": list(row.delays),
        "why": row.why,
    }


def _requirement(row: RequirementRow) -> dict[str, Any]:
    return {"id": row.id, "level": row.level, "verdict": row.verdict.name}
