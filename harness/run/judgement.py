"""What a run means, as a value: its findings, the evidence of its faults, and their join.

Deliberately absent: how a finding comes about (``judge``), and what it is worth (``temper``).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.base.verdict import Verdict, worst
from harness.checks.model import Finding
from harness.history.plan import Plan
from harness.run.evidence import FaultEvidence

CONTROL = "RC-SES-000.control"
"""The requirement that a story can be told to its end, with faults or without: a control is a requirement of its own."""

WORLD = "RC-OPS-000.harness"
"""The requirement on ourselves that a run is whole: every step, every clock, every check."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a run means.

    Attributes:
        plan_id: of the plan.
        verdict: worst of all findings.
        findings: expectations in the order written, then invariants, then what the judge itself noticed.
        evidence: one for each planned fault, in order of the story.
        requirements: requirement id -> worst verdict about it, sorted by id.
        first_failure: the worst finding, the earliest of equals; None if nothing is worse than PASS.
        scenario: name of the scenario.
        params: values of the permutation; ``pair`` compares siblings by them.
    """

    plan_id: str
    verdict: Verdict
    findings: tuple[Finding, ...]
    evidence: tuple[FaultEvidence, ...] = ()
    requirements: dict[str, Verdict] = field(default_factory=dict)
    first_failure: Finding | None = None
    scenario: str = ""
    params: dict[str, Any] = field(default_factory=dict)


def sum_up(plan: Plan, findings: Sequence[Finding], evidence: tuple[FaultEvidence, ...]) -> Judgement:
    """Join the findings of a run into what it means."""
    requirements: dict[str, Verdict] = {}
    for finding in findings:
        requirements[finding.requirement] = max(finding.verdict, requirements.get(finding.requirement, finding.verdict))
    verdict = worst(finding.verdict for finding in findings)
    return Judgement(
        plan.id,
        verdict,
        tuple(findings),
        evidence,
        dict(sorted(requirements.items())),
        first_failure(findings, verdict),
        plan.scenario,
        dict(plan.params),
    )


def first_failure(findings: Sequence[Finding], verdict: Verdict) -> Finding | None:
    """The earliest of the worst findings; None if nothing is worse than PASS."""
    if verdict <= Verdict.PASS:
        return None
    return min(
        (one for one in findings if one.verdict is verdict), key=lambda one: one.events or (1 << 62,), default=None
    )
