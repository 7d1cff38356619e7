"""From a history to a verdict: a pure function, run again at will on a saved history.

What the run itself claims about its faults is ignored: evidence is worked out anew from what was observed. Deliberately absent: opinions about
single requirements (``harness.checks``) and files.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import harness.checks.catalogue  # fills EXPECTATIONS and INVARIANTS
import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.base.rank import Rank
from harness.base.verdict import Verdict, worst
from harness.checks.blindness import says_unseen, unseen
from harness.checks.model import ABSENCE, EXPECTATIONS, INVARIANTS, Case, Finding, Registered, case_of
from harness.checks.when import moment_at
from harness.faults.model import FAULTS, Evidence, Fault, Window
from harness.history.events import BUDGET_SPENT, Event, History
from harness.history.plan import Expectation, Plan, Step, every_step

CONTROL = "RC-SES-000.control"
"""The requirement that what a story does before its faults works at all: a control is a requirement of its own."""

WORLD = "RC-OPS-000.harness"
"""The requirement on ourselves that a run is whole: every step, every clock, every check."""

SETUP_CODES = frozenset({"control", "setup", "no-start", "not-listed", "untrusted-adapter"})
"""Why a story may stop that is the system's doing; any other reason is the harness's."""

CLOCK_SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class FaultEvidence:
    """A planned fault and what shows that it bit; None if it never began."""

    id: str
    name: str
    evidence: Evidence | None

    @property
    def bit(self) -> bool:
        """Whether the fault is proven: something was attempted, and what was seen is no mere claim."""
        found = self.evidence
        return found is not None and found.bit and found.attempted > 0 and found.rank >= Rank.PEER


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


def judge(history: History) -> Judgement:
    """Judge one run. Never raises for whatever a system did; an error inside a check is a HARNESS_ERROR with its text."""
    case = case_of(history)
    evidence = tuple(_evidence(case))
    blind = unseen(case)
    spoken = [*zip(_expected(case), _whose(case), strict=True), *((finding, "") for finding in _lawful(case))]
    findings = [_tempered(case, evidence, _sighted(case, blind, finding, actor)) for finding, actor in spoken]
    findings += _control(case, evidence, blind)
    findings += _whole(case)
    return _sum_up(history.plan, findings, evidence)


def _sum_up(plan: Plan, findings: Sequence[Finding], evidence: tuple[FaultEvidence, ...]) -> Judgement:
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
        _first_failure(findings, verdict),
        plan.scenario,
        dict(plan.params),
    )


def _first_failure(findings: Sequence[Finding], verdict: Verdict) -> Finding | None:
    if verdict <= Verdict.PASS:
        return None
    return min(
        (one for one in findings if one.verdict is verdict), key=lambda one: one.events or (1 << 62,), default=None
    )


# --- the checks


def _expected(case: Case) -> Iterator[Finding]:
    """One finding for each written expectation; a plan that expects nothing was not run."""
    if not case.plan.expectations:
        yield Finding(WORLD, "judge", Verdict.NOT_RUN, "nothing-expected", "the plan expects nothing")
    roles = {actor.name: actor.role for actor in case.plan.cast} | {"wire": "wire"}
    for entry in case.plan.expectations:
        role = roles.get(entry.actor, entry.actor)
        name = f"{role}.{entry.verb}"
        check = EXPECTATIONS.get((role, entry.verb))
        if check is None:
            message = f"no check judges {name}"
            yield Finding(entry.proves, name, Verdict.NOT_RUN, "no-check", message, line=entry.line)
        else:
            yield _one(case, entry, name, check)


def _one(case: Case, entry: Expectation, name: str, check: Registered) -> Finding:
    if entry.of is not None and moment_at(case, entry.of) is None:
        message = f"{entry.of} never came"
        return Finding(entry.proves, name, Verdict.INCONCLUSIVE, "no-moment", message, line=entry.line)
    try:
        finding = check.judge(case, entry)
    except Exception as error:  # noqa: BLE001 - a broken check must not look like a broken or a good system
        message = f"the check failed: {type(error).__name__}: {error}"
        return Finding(entry.proves, name, Verdict.HARNESS_ERROR, "check-raised", message, line=entry.line)
    if finding.requirement != entry.proves:
        message = f"the check spoke about {finding.requirement}, which was not planned"
        return replace(
            finding, requirement=entry.proves, verdict=Verdict.HARNESS_ERROR, code="unplanned", message=message
        )
    return _well_founded(case, finding, check.rank)


def _well_founded(case: Case, finding: Finding, least: Rank) -> Finding:
    """A PASS must rest on evidence of the check's rank and on something measured."""
    if finding.verdict is not Verdict.PASS:
        return finding
    if finding.measured <= 0:
        return replace(finding, verdict=Verdict.INCONCLUSIVE, code="nothing-measured", message="nothing was measured")
    if least <= Rank.ADAPTER:
        return finding
    best = max((case.rank(case.events[n]) for n in finding.events if n < len(case.events)), default=Rank.HARNESS)
    if best >= least:
        return finding
    message = f"rests on evidence of rank {best.name.lower()}; {least.name.lower()} is needed"
    return replace(finding, verdict=Verdict.INCONCLUSIVE, code="weak-evidence", message=message)


def _lawful(case: Case) -> Iterator[Finding]:
    """Findings of the planned invariants, each at least one."""
    for name in case.plan.invariants:
        law = INVARIANTS.get(name)
        if law is None:
            yield Finding(WORLD, name, Verdict.NOT_RUN, "no-check", f"no invariant is called {name}")
            continue
        try:
            findings = law(case)
        except Exception as error:  # noqa: BLE001 - as for expectations
            message = f"the check failed: {type(error).__name__}: {error}"
            findings = [Finding(WORLD, name, Verdict.HARNESS_ERROR, "check-raised", message)]
        yield from findings or [Finding(WORLD, name, Verdict.NOT_RUN, "no-finding", f"{name} found nothing to say")]


# --- faults


def _fault_steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        if step.do == "fault":
            yield step
        yield from _fault_steps(step.during)


def _evidence(case: Case) -> Iterator[FaultEvidence]:
    """What shows that each planned fault bit, from everything but the fault's own book-keeping."""
    observed = [event for event in case.events if event.kind not in ("fault", "story")]
    windows = _windows(case)
    for step in _fault_steps(case.plan.story):
        window = windows.get(step.id)
        found = None
        if window is not None and step.verb in FAULTS:
            found = _weigh(FAULTS[step.verb](**step.args), window, observed)
        yield FaultEvidence(step.id, step.verb, found)


def _weigh(fault: Fault, window: Window, observed: Sequence[Event]) -> Evidence:
    try:
        return fault.evidence(window, observed)
    except Exception as error:  # noqa: BLE001 - evidence that cannot be read proves nothing
        note = f"the evidence could not be read: {type(error).__name__}: {error}"
        return Evidence(Rank.HARNESS, window, 0, 0, bit=False, note=note)


def _windows(case: Case) -> dict[str, Window]:
    """Fault step -> when it was in force, as begun and healed by the director."""
    healed = {str(event.data.get("id")): event.t for event in case.of("fault", "healed")}
    end_at = case.events[-1].t if case.events else 0.0
    return {
        str(event.data.get("id")): Window(event.t, healed.get(str(event.data.get("id")), end_at))
        for event in case.of("fault", "began")
    }


# --- what tempers a finding


def _tempered(case: Case, evidence: Sequence[FaultEvidence], finding: Finding) -> Finding:
    """Downgrade what cannot be known: no fault without evidence, nothing absent after a stop."""
    unproven = [one for one in evidence if not one.bit]
    stopped = _stopped(case)
    if finding.verdict is Verdict.PASS and unproven:
        note = unproven[0].evidence.note if unproven[0].evidence else "it never began"
        return _unclear(finding, "no-evidence", f"nothing shows that {unproven[0].name} bit: {note}")
    if finding.verdict is Verdict.FAIL and case.plan.faults_off and unproven:
        return _unclear(finding, "no-evidence", f"the effects of faults were switched off; seen: {finding.message}")
    if stopped is not None and _rests_on_absence(finding):
        return _unclear(
            finding, "control", f"the story stopped at {stopped.data.get('step')}: {stopped.data.get('why')}"
        )
    if finding.verdict is Verdict.FAIL and finding.code in ABSENCE and not case.has_drained:
        return _unclear(finding, "not-drained", f"the run had no final quiet; {finding.message}")
    return finding


def _rests_on_absence(finding: Finding) -> bool:
    return finding.verdict is Verdict.PASS or (finding.verdict is Verdict.FAIL and finding.code in ABSENCE)


def _unclear(finding: Finding, code: str, message: str) -> Finding:
    return replace(finding, verdict=Verdict.INCONCLUSIVE, code=code, message=message)


def _stopped(case: Case) -> Event | None:
    failures = case.of("story", "failed")
    return failures[0] if failures else None


# --- what the tap did not see


def _whose(case: Case) -> list[str]:
    """The actor of each written expectation, empty for ``wire``; one empty name where nothing is expected."""
    cast = {actor.name for actor in case.plan.cast}
    return [entry.actor if entry.actor in cast else "" for entry in case.plan.expectations] or [""]


def _sighted(case: Case, blind: tuple[str, ...], finding: Finding, actor: str) -> Finding:
    """No PASS while somebody's traffic went by the tap, and no FAIL that rests on that traffic."""
    accused = {actor} if actor else {case.events[n].actor for n in finding.events if n < len(case.events)} or set(blind)
    tainted = finding.verdict is Verdict.FAIL and not accused.isdisjoint(blind) and not _is_of_os(case, finding)
    if blind and (tainted or finding.verdict is Verdict.PASS):
        seen = f"; seen: {finding.message}" if finding.message else ""
        return _unclear(finding, "tap-blind", f"{says_unseen(blind)}{seen}")
    return finding


def _is_of_os(case: Case, finding: Finding) -> bool:
    """Whether a violation was seen by the operating system alone, which needs no tap; absence is never seen."""
    kinds = {case.events[n].kind for n in finding.events if n < len(case.events)}
    return kinds == {"os"} and finding.code not in ABSENCE


# --- controls


def _control(case: Case, evidence: Sequence[FaultEvidence], blind: tuple[str, ...]) -> list[Finding]:
    """A story that stopped: the system's failure if every fault begun so far is proven and the tap saw all, else nobody knows."""
    stopped = _stopped(case)
    if stopped is None:
        return []
    code, why = str(stopped.data.get("code", "control")), str(stopped.data.get("why", ""))
    step = str(stopped.data.get("step", ""))
    line = next((one.line for one in every_step(case.plan.story) if one.id == step), 0)
    if code == BUDGET_SPENT:
        # Who worked most need not be who is to blame: a flood keeps its victim as busy. What was seen of it is for the checks.
        return [Finding(WORLD, "control", Verdict.INCONCLUSIVE, code, why, events=(stopped.n,), measured=1, line=line)]
    if code not in SETUP_CODES:
        return [Finding(WORLD, "control", Verdict.HARNESS_ERROR, code, why, events=(stopped.n,), measured=1, line=line)]
    if blind and code == "control":
        message = f"{why}; {says_unseen(blind)}"
        return [Finding(CONTROL, "control", Verdict.INCONCLUSIVE, "tap-blind", message, measured=1, line=line)]
    begun = {str(event.data.get("id")) for event in case.of("fault", "began")}
    unproven = [one.name for one in evidence if one.id in begun and not one.bit]
    verdict = Verdict.INCONCLUSIVE if unproven else Verdict.FAIL
    message = f"{why}; nothing shows that {unproven[0]} bit" if unproven else why
    return [Finding(CONTROL, "control", verdict, code, message, events=(stopped.n,), measured=1, line=line)]


# --- is the run whole


def _whole(case: Case) -> list[Finding]:
    """What is wrong with the record itself: steps that are missing or were never planned, clocks that stand, time that runs back."""
    rules = (_unrecorded, _unplanned, _frozen, _disordered, _incomplete)
    return [finding for rule in rules if (finding := rule(case)) is not None]


def _unrecorded(case: Case) -> Finding | None:
    if _stopped(case) is not None:
        return None
    done = {str(event.data.get("step")) for event in case.of("story", "done")}
    missing = [step.id for step in every_step(case.plan.story) if step.id not in done]
    if not missing:
        return None
    message = f"{len(missing)} planned steps were never done, first {missing[0]}"
    return Finding(WORLD, "record", Verdict.NOT_RUN, "step-missing", message)


def _unplanned(case: Case) -> Finding | None:
    planned = {step.id for step in every_step(case.plan.story)}
    recorded = [*case.of("story", "step"), *case.of("fault", "began")]
    strange = [event for event in recorded if str(event.data.get("step", event.data.get("id"))) not in planned]
    if not strange:
        return None
    message = f"{strange[0].data} was recorded but never planned"
    return Finding(WORLD, "record", Verdict.HARNESS_ERROR, "unplanned", message, events=(strange[0].n,))


def _frozen(case: Case) -> Finding | None:
    """Whether less time went by than the steps that were done must take."""
    done = {str(event.data.get("step")) for event in case.of("story", "done")}
    least_s = sum(_least_s(step) for step in case.plan.story if step.id in done)
    took_s = min(case.history.footer.simulated_s, case.events[-1].t if case.events else 0.0)
    if took_s + CLOCK_SLACK_S >= least_s:
        return None
    message = f"the story takes at least {least_s:.0f} s, but {took_s:.0f} s went by: a clock stands"
    return Finding(WORLD, "record", Verdict.HARNESS_ERROR, "clock-frozen", message)


def _least_s(step: Step) -> float:
    if step.do == "fault" and step.verb in FAULTS:
        return FAULTS[step.verb](**step.args).lasts_s
    return float(step.args.get("for_s", 0.0)) if step.do == "wait" and step.until is None else 0.0


def _disordered(case: Case) -> Finding | None:
    for earlier, later in zip(case.events, case.events[1:], strict=False):
        if later.t < earlier.t or later.n <= earlier.n:
            message = f"event {later.n} at {later.t} stands after event {earlier.n} at {earlier.t}"
            return Finding(WORLD, "record", Verdict.HARNESS_ERROR, "disordered", message, events=(later.n,))
    return None


def _incomplete(case: Case) -> Finding | None:
    """Whether events are missing: a world numbers all of them, from 0 and without a hole."""
    for place, event in enumerate(case.events):
        if event.n != place:
            message = f"event {place} is missing: event {event.n} stands in its place"
            return Finding(WORLD, "record", Verdict.HARNESS_ERROR, "event-missing", message)
    return None


# --- a file as a whole


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
    findings = [_unclear(finding, "unpaired", message) if finding in lonely else finding for finding in one.findings]
    requirements = dict(one.requirements)
    for finding in findings:
        requirements[finding.requirement] = max(finding.verdict, requirements[finding.requirement])
    verdict = worst(finding.verdict for finding in findings)
    return replace(
        one,
        verdict=verdict,
        findings=tuple(findings),
        requirements=requirements,
        first_failure=_first_failure(findings, verdict),
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
