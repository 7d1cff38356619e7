"""The evidence of middleboxes that answer in another's place.

Deliberately absent: middleboxes that pass things on changed or late; their faults judge that themselves.
"""

from harness.faults.model import Evidence, Window
from harness.faults.proof import GRACE_S, Traces, judged


def answered(machine: str, window: Window, traces: Traces, statuses: tuple[int, ...]) -> Evidence:
    """Judge that the middlebox of ``machine`` answered with one of ``statuses`` and let nothing pass unchanged.

    Args:
        machine: whose way out it is.
        window: when; what was on its way in its first second may pass.
        traces: the events.
        statuses: HTTP statuses that count as this fault's answer.
    """
    since, until = window.began_at, window.healed_at
    answers = traces.named("middlebox.answered", actor=machine, since=since, until=until)
    told = sum(event.data.get("status") in statuses for event in answers)
    passed = len(traces.named("middlebox.passed", actor=machine, since=since + GRACE_S, until=until))
    note = f"the middlebox of {machine} answered {told} times itself and let {passed} pass"
    return judged(window, told + passed, passed, note)
