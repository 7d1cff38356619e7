"""Whether the record of a run is whole: no step missing or never planned, no clock that stands, no time that runs back, no event lost.

What is wrong here is the harness's doing, never the system's.
"""

from harness.base.verdict import Verdict
from harness.checks.model import Case, Finding
from harness.faults.model import FAULTS
from harness.history.plan import Step, every_step
from harness.run.judgement import WORLD
from harness.run.temper import stopped

CLOCK_SLACK_S = 1.0


def flaws(case: Case) -> list[Finding]:
    """What is wrong with the record itself: steps that are missing or were never planned, clocks that stand, time that runs back."""
    rules = (_unrecorded, _unplanned, _frozen, _disordered, _incomplete)
    return [finding for rule in rules if (finding := rule(case)) is not None]


def _unrecorded(case: Case) -> Finding | None:
    if stopped(case) is not None:
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
