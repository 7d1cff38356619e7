"""What tempers a finding: a fault without evidence, a story that stopped, traffic that the tap did not see.

A finding only ever becomes less certain. Deliberately absent: the findings themselves (``harness.checks``).
"""

from collections.abc import Sequence
from dataclasses import replace

from harness.base.verdict import Verdict
from harness.checks.blindness import says_unseen
from harness.checks.model import ABSENCE, Case, Finding
from harness.history.events import Event
from harness.run.evidence import FaultEvidence

NOT_ASSESSABLE = "not-assessable"
"""What nobody could judge here: no remark on the system, and no merit."""


def tempered(case: Case, evidence: Sequence[FaultEvidence], finding: Finding) -> Finding:
    """Downgrade what cannot be known: no fault without evidence, nothing absent after a stop."""
    unproven = [one for one in evidence if not one.bit]
    stop = stopped(case)
    if finding.verdict is Verdict.PASS and unproven:
        note = unproven[0].evidence.note if unproven[0].evidence else "it never began"
        return unclear(finding, "no-evidence", f"nothing shows that {unproven[0].name} bit: {note}")
    if finding.verdict is Verdict.FAIL and case.plan.faults_off and unproven:
        return unclear(finding, "no-evidence", f"the effects of faults were switched off; seen: {finding.message}")
    if stop is not None and _rests_on_absence(finding):
        return unclear(finding, "control", f"the story stopped at {stop.data.get('step')}: {stop.data.get('why')}")
    if finding.verdict is Verdict.FAIL and finding.code in ABSENCE and case.of("story", "given_back"):
        return unclear(
            finding, NOT_ASSESSABLE, f"the machine stood for so long that the story needed more time; {finding.message}"
        )
    if finding.verdict is Verdict.FAIL and finding.code in ABSENCE and not case.has_drained:
        return unclear(finding, "not-drained", f"the run had no final quiet; {finding.message}")
    return finding


def _rests_on_absence(finding: Finding) -> bool:
    return finding.verdict is Verdict.PASS or (finding.verdict is Verdict.FAIL and finding.code in ABSENCE)


def unclear(finding: Finding, code: str, message: str) -> Finding:
    """The same finding, but nobody knows."""
    return replace(finding, verdict=Verdict.INCONCLUSIVE, code=code, message=message)


def stopped(case: Case) -> Event | None:
    """Where the story ended before its end; None if it did not."""
    failures = case.of("story", "failed")
    return failures[0] if failures else None


def sighted(case: Case, blind: tuple[str, ...], finding: Finding, actor: str) -> Finding:
    """No PASS while somebody's traffic went by the tap, and no FAIL that rests on that traffic."""
    accused = {actor} if actor else {case.events[n].actor for n in finding.events if n < len(case.events)} or set(blind)
    tainted = finding.verdict is Verdict.FAIL and not accused.isdisjoint(blind) and not _is_of_os(case, finding)
    if blind and (tainted or finding.verdict is Verdict.PASS):
        return unclear(finding, "tap-blind", f"{says_unseen(blind)}{_seen(finding)}")
    return finding


def timely(case: Case, finding: Finding) -> Finding:
    """No verdict on spans where somebody's clock went its own way, and no PASS where it was asked and nobody's answer shows that it did not.

    Whoever's clock it was: a wait that ends early or late moves everybody's story.
    """
    if finding.verdict not in (Verdict.PASS, Verdict.FAIL):
        return finding
    off = case.of("saw", "clock.differs")
    if off:
        went, must = off[0].data.get("went_s"), off[0].data.get("must_s")
        told = f"{off[0].actor}'s {off[0].data.get('clock')} went {went} s where it had to go {must} s, {len(off)} times so"
        return unclear(finding, NOT_ASSESSABLE, f"{told}{_seen(finding)}")
    unread = [one.actor for one in case.of("saw", "clock.compared") if _is_unread(one)]
    if unread and finding.verdict is Verdict.PASS:
        return unclear(
            finding, NOT_ASSESSABLE, f"nothing shows that the clock of {unread[0]} was hurried with the world's"
        )
    return finding


def _is_unread(compared: Event) -> bool:
    """Whether a program in a hurried world never was compared, although it was asked for its clock at least twice, or said that it would not tell."""
    told = compared.data
    was_asked = told.get("asked") not in (0, 1) or bool(told.get("refuses"))
    return bool(told.get("hurried")) and was_asked and not told.get("compared")


def _seen(finding: Finding) -> str:
    return f"; seen: {finding.message}" if finding.message else ""


def _is_of_os(case: Case, finding: Finding) -> bool:
    """Whether a violation was seen by the operating system alone, which needs no tap; absence is never seen."""
    kinds = {case.events[n].kind for n in finding.events if n < len(case.events)}
    return kinds == {"os"} and finding.code not in ABSENCE
