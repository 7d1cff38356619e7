"""The runs of one scenario file judged as a whole: a refusal without its paired acceptance does not pass.

Deliberately absent: which runs are a whole file (``ledger``).
"""

from collections.abc import Sequence
from dataclasses import replace

from harness.base.verdict import Verdict, worst
from harness.checks.model import Finding
from harness.run.judgement import Judgement, first_failure
from harness.run.temper import unclear

REFUSALS = frozenset({"device.answer", "host.exits"})
"""Checks that may claim a refusal."""

GATED = "gated"
"""What a host that was refused at a gate is expected to be: the word of ``host.exits``, whatever exit code a system has for it."""

ACCEPTANCES = frozenset({"host.process", "host.shows", "device.sees"})
"""Checks whose PASS shows that a host's gate opens to whom it should."""


def pair(judgements: Sequence[Judgement]) -> list[Judgement]:
    """Judge the runs of one scenario file as a whole: a refusal without its paired acceptance does not pass.

    The twin is another run of the file whose parameters differ in exactly one field and in which the same door was seen to open: the
    same check said ``accepted``, or one of ``ACCEPTANCES`` passed for a requirement of the same area (``RC-ART``). Within the run
    itself only another written line can show that: another client at the same door, or the same one at another time.

    Returns:
        The judgements in the same order, none of them better.
    """
    return [_paired(one, [other for other in judgements if other.scenario == one.scenario]) for one in judgements]


def _paired(one: Judgement, siblings: Sequence[Judgement]) -> Judgement:
    refused = [finding for finding in one.findings if _is_refusal(finding) and finding.verdict is Verdict.PASS]
    lonely = [finding for finding in refused if not any(_accepts(finding, twin, one) for twin in siblings)]
    if not lonely:
        return one
    message = "no sibling that differs in one field was accepted, so this refusal proves nothing"
    findings = [unclear(finding, "unpaired", message) if finding in lonely else finding for finding in one.findings]
    requirements = dict(one.requirements)
    for finding in findings:
        requirements[finding.requirement] = max(finding.verdict, requirements[finding.requirement])
    verdict = worst(finding.verdict for finding in findings)
    return replace(
        one,
        verdict=verdict,
        findings=tuple(findings),
        requirements=requirements,
        first_failure=first_failure(findings, verdict),
    )


def _is_refusal(finding: Finding) -> bool:
    if finding.check == "host.exits":
        return bool(finding.expected == GATED)
    return finding.check in REFUSALS and bool(finding.expected != "accepted")


def _accepts(refusal: Finding, twin: Judgement, one: Judgement) -> bool:
    names = {*one.params, *twin.params}
    if twin is not one and sum(one.params.get(name) != twin.params.get(name) for name in names) != 1:
        return False
    others = [finding for finding in twin.findings if twin is not one or finding.line != refusal.line]
    return any(finding.verdict is Verdict.PASS and _opens(finding, refusal) for finding in others)


def _opens(finding: Finding, refusal: Finding) -> bool:
    """Whether a finding is about the door of a refusal, and found it open."""
    if "device.answer" in (finding.check, refusal.check):
        return finding.check == refusal.check and finding.expected == "accepted"
    return finding.check in ACCEPTANCES and _area(finding.requirement) == _area(refusal.requirement)


def _area(requirement: str) -> str:
    """``RC-AUT`` of ``RC-AUT-001.refuses-expired``."""
    return "-".join(requirement.split("-")[:2])
