"""From a history to a verdict: a pure function, run again at will on a saved history.

What the run itself claims about its faults is ignored: evidence is worked out anew from what was observed. Deliberately absent: opinions about
single requirements (``harness.checks``), what tempers them (``temper``), several runs at once (``pairing``), and files.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import harness.checks.catalogue  # noqa: F401  fills EXPECTATIONS and INVARIANTS
from harness.base.rank import Rank
from harness.base.verdict import Verdict
from harness.checks.blindness import says_unseen, unseen
from harness.checks.model import EXPECTATIONS, INVARIANTS, Case, Finding, Registered, case_of
from harness.checks.when import moment_at, seconds_in, stalls
from harness.history.events import BUDGET_SPENT, Event, History
from harness.history.plan import Expectation, every_step
from harness.run.evidence import FaultEvidence, evidence_of
from harness.run.judgement import CONTROL, WORLD, Judgement, sum_up
from harness.run.temper import NOT_ASSESSABLE, sighted, stopped, tempered, timely, unclear
from harness.run.wholeness import flaws

SETUP_CODES = frozenset({"control", "setup", "no-start", "not-listed", "untrusted-adapter"})
"""Why a story may stop that is the system's doing; any other reason is the harness's."""


def judge(history: History) -> Judgement:
    """Judge one run. Never raises for whatever a system did; an error inside a check is a HARNESS_ERROR with its text."""
    case = case_of(history)
    evidence = tuple(evidence_of(case))
    blind = unseen(case)
    spoken = [*zip(_expected(case), _whose(case), strict=True), *((finding, "") for finding in _lawful(case))]
    findings = [tempered(case, evidence, sighted(case, blind, finding, actor)) for finding, actor in spoken]
    findings += _control(case, evidence, blind)
    findings = [timely(case, finding) for finding in findings] + _contract(case)
    findings += flaws(case)
    return sum_up(history.plan, findings, evidence)


def _whose(case: Case) -> list[str]:
    """The actor of each written expectation, empty for ``wire``; one empty name where nothing is expected."""
    cast = {actor.name for actor in case.plan.cast}
    return [entry.actor if entry.actor in cast else "" for entry in case.plan.expectations] or [""]


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
        (finding,) = _both_ways(case, lambda asked: [check.judge(asked, entry)])
    except Exception as error:  # noqa: BLE001 - a broken check must not look like a broken or a good system
        message = f"the check failed: {type(error).__name__}: {error}"
        return Finding(entry.proves, name, Verdict.HARNESS_ERROR, "check-raised", message, line=entry.line)
    if finding.requirement != entry.proves:
        message = f"the check spoke about {finding.requirement}, which was not planned"
        return replace(
            finding, requirement=entry.proves, verdict=Verdict.HARNESS_ERROR, code="unplanned", message=message
        )
    return _well_founded(case, finding, check.rank)


def _both_ways(case: Case, ask: Callable[[Case], list[Finding]]) -> list[Finding]:
    """What a check finds whether or not the world's own lateness is forgiven; what hangs on that alone nobody knows."""
    found = ask(case)
    if not case.of("os", "clock.late"):
        return found
    strict = ask(replace(case, forgives=False))
    return [
        one if one.verdict is other.verdict else unclear(one, NOT_ASSESSABLE, f"{_LATE}{one.message or one.observed}")
        for one, other in zip(found, strict, strict=True)
    ]


_LATE = "this machine was late itself, and whether that alone explains it cannot be told; seen: "


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
            findings = _both_ways(case, law)
        except Exception as error:  # noqa: BLE001 - as for expectations
            message = f"the check failed: {type(error).__name__}: {error}"
            findings = [Finding(WORLD, name, Verdict.HARNESS_ERROR, "check-raised", message)]
        yield from findings or [Finding(WORLD, name, Verdict.NOT_RUN, "no-finding", f"{name} found nothing to say")]


# --- the contract


def _contract(case: Case) -> list[Finding]:
    """A program whose output is not of docs/spec/sut.md: the harness stopped listening to it, whatever it had done so far."""
    broken = case.of("os", "process.broke_contract")
    return [
        Finding(
            CONTROL,
            "contract",
            Verdict.FAIL,
            "broke-contract",
            f"{one.actor}: {one.data.get('why')}",
            events=(one.n,),
            measured=1,
        )
        for one in broken[:1]
    ]


# --- the control


def _control(case: Case, evidence: Sequence[FaultEvidence], blind: tuple[str, ...]) -> list[Finding]:
    """A story that stopped: the system's failure if every fault begun so far is proven and the tap saw all, else nobody knows."""
    stop = stopped(case)
    if stop is None:
        return [_given_back(one) for one in case.of("story", "given_back")[:1]]
    code, why = str(stop.data.get("code", "control")), str(stop.data.get("why", ""))
    step = str(stop.data.get("step", ""))
    line = next((one.line for one in every_step(case.plan.story) if one.id == step), 0)
    if code == BUDGET_SPENT:
        # Who worked most need not be who is to blame: a flood keeps its victim as busy. What was seen of it is for the checks.
        return [Finding(WORLD, "control", Verdict.INCONCLUSIVE, code, why, events=(stop.n,), measured=1, line=line)]
    if code == NOT_ASSESSABLE:
        return [Finding(WORLD, "control", Verdict.INCONCLUSIVE, code, why, events=(stop.n,), measured=1, line=line)]
    if code not in SETUP_CODES:
        return [Finding(WORLD, "control", Verdict.HARNESS_ERROR, code, why, events=(stop.n,), measured=1, line=line)]
    if blind and code == "control":
        message = f"{why}; {says_unseen(blind)}"
        return [Finding(CONTROL, "control", Verdict.INCONCLUSIVE, "tap-blind", message, measured=1, line=line)]
    if _is_of_machine(case, stop):
        return [
            Finding(
                CONTROL,
                "control",
                Verdict.INCONCLUSIVE,
                NOT_ASSESSABLE,
                f"{_LATE}{why}",
                events=(stop.n,),
                measured=1,
                line=line,
            )
        ]
    begun = {str(event.data.get("id")) for event in case.of("fault", "began")}
    unproven = [one.name for one in evidence if one.id in begun and not one.bit]
    verdict = Verdict.INCONCLUSIVE if unproven else Verdict.FAIL
    message = f"{why}; nothing shows that {unproven[0]} bit" if unproven else why
    return [Finding(CONTROL, "control", verdict, code, message, events=(stop.n,), measured=1, line=line)]


def _is_of_machine(case: Case, stop: Event) -> bool:
    """Whether the world itself stood in a wait that ran out where the story stopped, or shortly before, for longer than a peer may be silent.

    The time was given back (``worlds.pace``); what everybody concluded from the silence was not. Who answered, ended or refused did not lack it.
    """
    waited_s, contract = seconds_in(stop, "waited_s"), case.plan.contract
    since, until = stop.t - waited_s - contract.reconnect_budget_s, stop.t
    stood_s = max((min(over, until) - max(began, since) for began, over in stalls(case)), default=0.0)
    return waited_s > 0 and stood_s > contract.dead_peer_bound_s


def _given_back(event: Event) -> Finding:
    """The story went on, but only by the time that was given back."""
    seen = f"{_LATE}the story went on after the time that was meant, the machine having stood {event.data.get('stood_s')} s"
    return Finding(CONTROL, "control", Verdict.INCONCLUSIVE, NOT_ASSESSABLE, seen, events=(event.n,), measured=1)
