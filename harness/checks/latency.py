"""Latency budgets: from the session's line to the device's screen, as a percentile beside a number of round trips.

A delay counts from when the line was meant to be said, on a grid: what held the harness up is in the delays of the lines that it kept waiting. In
the simulated world this measures the protocol alone (round trips, timers, batching), not the speed of any program. A real world says what its own
proxies take (``path.calibrated``), how late it was (``clock.late``), how long its other work kept programs waiting (``cpu.waited``) and when a line
was recorded as said; what these may have caused is held against nobody, and makes no PASS. Deliberately absent: measuring that.
"""

import math
import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.rank import Rank
from harness.base.span import parse_span
from harness.checks.findings import voice_of
from harness.checks.model import Case, Finding, expectation
from harness.checks.when import late_s, outside_s, standing
from harness.checks.words import said, shown, text_of
from harness.history.events import Event
from harness.history.plan import Contract, Expectation

PERCENTILES = (50, 95, 99)
"""Percentiles that are told of every sample, whichever of them the budget is about."""

_BUDGET = re.compile(r"(?:p\((?P<rank>[\d.]+)\)|max) *<= *(?P<limit>.+)")
_TERM = re.compile(r"(?:(?P<factor>[\d.]+) +)?(?P<name>[a-z][a-z_]*)")


@expectation("device", "delay", rank=Rank.PEER)
def delay(case: Case, entry: Expectation) -> Finding:
    """A percentile of the delays from line to screen stays within its budget (RC-LAT-001.echo); a line never shown took for ever."""
    voice, text = voice_of("device", entry), str(entry.args.get("value"))
    budget = parse_budget(text, case.plan.contract, path_rtt_s(case, entry.actor))
    if budget is None:
        return voice.unclear("no-budget", f"{text!r} is not a budget")
    lines = said(case)
    least = int((entry.at_least or {}).get("count", 1))
    if len(lines) < max(1, least):
        return voice.unclear("too-few", f"only {len(lines)} lines were said of at least {least}", expected=text)
    percentile, limit_s = budget
    delays = list(_delays(case, entry.actor))
    meant = _ranked(delays, percentile, lambda one: one.meant_s)
    said_last = _ranked(delays, percentile, lambda one: one.said_s)
    facts = _facts(delays, percentile)
    if meant.meant_s <= limit_s:
        return voice.passes(len(delays), facts, expected=limit_s, events=[one.event.n for one in delays[-5:]])
    told = (
        f"p({percentile:g}) of {len(delays)} lines is {meant.meant_s:.3f} s from when they were meant to be said and "
        f"{said_last.said_s:.3f} s from when they were, the budget is {limit_s:.3f} s"
    )
    slow = _too_slow(case, entry.actor, delays, budget)
    if slow is None:
        run_s, own_s = _ranked(delays, percentile, lambda one: one.run_s).run_s, harness_share_s(case, entry.actor)
        left = f"; {run_s:.3f} s without what this machine was late or kept programs waiting, and its own path takes up to {own_s:.3f} s"
        return voice.unclear("within-harness-error", told + left, expected=limit_s, observed=facts)
    # No machine of ours keeps a line for ever: one that never came is over any budget, calibrated or not.
    if math.isfinite(said_last.said_s) and not _is_calibrated(case, entry.actor):
        why = "nobody knows how much of it is this machine's own"
        return voice.unclear("not-calibrated", f"{told}; {why}", expected=limit_s, observed=facts)
    return voice.fails("over-budget", told, expected=limit_s, observed=facts, events=[slow.event.n])


@dataclass(frozen=True, slots=True)
class Delay:
    """What became of one line.

    Attributes:
        said_s: seconds from when it was recorded as said to when it was shown; infinite if it never was.
        late_s: seconds from when the story meant it to be said until then; None if it meant no time.
        event: what shows it; the line itself if nothing does.
        machine_s: seconds that this machine was late, or that its other work kept programs waiting, meanwhile.
    """

    said_s: float
    late_s: float | None
    event: Event
    machine_s: float = 0.0

    @property
    def meant_s(self) -> float:
        """Seconds from when it was meant to be said, if any time was meant."""
        return self.said_s + (self.late_s or 0.0)

    @property
    def run_s(self) -> float:
        """Seconds from when it was recorded as said, without those of the machine."""
        return max(0.0, self.said_s - self.machine_s)


def _too_slow(case: Case, device: str, delays: Sequence[Delay], budget: tuple[float, float]) -> Delay | None:
    """A line that shows that more lines than the budget allows are over it, whatever the null path takes; None if none does.

    The null path takes more than its p50 for half of them at most: if more than that half, and what the budget allows, are over the budget and this
    p50, the system was slow by itself, even if the null path stalled while it was calibrated. The same holds of its p95 and its p99.
    """
    percentile, limit_s = budget
    for rank in reversed(PERCENTILES):
        spared = 100 - rank if rank < max(PERCENTILES) else 0
        if percentile <= spared:
            continue
        one = _ranked(delays, percentile - spared, lambda one: one.run_s)
        if one.run_s > limit_s + harness_share_s(case, device, rank):
            return one
    return None


def _ranked[T](sample: Iterable[T], percentile: float, by: Callable[[T], float]) -> T:
    """The nearest rank: the smallest that so many percent of them do not exceed."""
    ordered = sorted(sample, key=by)
    return ordered[max(0, math.ceil(percentile / 100 * len(ordered)) - 1)]


def _facts(delays: Sequence[Delay], percentile: float) -> dict[str, Any]:
    """What is told of a sample, whatever the verdict: percentiles from intended time to screen, and how late the lines were said."""
    ranks = {f"p{rank}_s": _told(_ranked(delays, rank, lambda one: one.meant_s).meant_s) for rank in PERCENTILES}
    lates = [one.late_s for one in delays if one.late_s is not None]
    return {
        "delay_s": _told(_ranked(delays, percentile, lambda one: one.meant_s).meant_s),
        "said_s": _told(_ranked(delays, percentile, lambda one: one.said_s).said_s),
        "run_s": _told(_ranked(delays, percentile, lambda one: one.run_s).run_s),
        **ranks,
        "late_p99_s": _told(_ranked(lates, 99, float)) if lates else None,
        "lines": len(delays),
    }


def _told(delay_s: float) -> float | str:
    """Seconds, to the microsecond, or ``never``: JSON has no infinity."""
    return round(delay_s, 6) if math.isfinite(delay_s) else "never"


def _delays(case: Case, device: str) -> Iterator[Delay]:
    """For each line its delay; the k-th saying of a text is matched with its k-th showing."""
    places: dict[str, list[Event]] = defaultdict(list)
    for event in shown(case, device):
        places[text_of(event)].append(event)
    taken: dict[str, int] = defaultdict(int)
    stood = {host: standing(case, host) for host in case.names("host")}
    waits = case.of("os", "cpu.waited")
    for line in said(case):
        text = text_of(line)
        there, index = places.get(text, []), taken[text]
        taken[text] += 1
        late = _late_s(line, stood.get(line.actor, []))
        if index >= len(there):
            yield Delay(math.inf, late, line)
            continue
        seen = there[index]
        machine_s = max(late_s(case, seen.t), _waited_s(waits, line.t, seen.t))
        yield Delay(seen.t - line.t, late, seen, machine_s)


def _waited_s(waits: Sequence[Event], began_at: float, ended_at: float) -> float:
    """What of a time may have been lost to this machine's other work.

    That is what programs waited for a processor in all spans that touch it, but no more than others ran in them, and what a hypervisor took. A wait
    is counted where it ends, and nobody knows when in a span anything was, so they are taken together.
    """
    touching: list[Event] = []
    for one in waits[bisect_left(waits, began_at, key=lambda one: one.t) :]:
        if one.data["since"] > ended_at:
            break
        touching.append(one)
    waited_s, others_s, stolen_s = (
        sum(one.data[what] for one in touching) for what in ("waited_s", "others_s", "stolen_s")
    )
    return float(min(waited_s, max(0.0, others_s)) + stolen_s)


def _late_s(line: Event, stood: list[tuple[float, float]]) -> float | None:
    """Seconds from when the story meant a line to be said, without those in which it had the machine stand; None if it meant no time."""
    at = line.data.get("at")
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        return None
    return outside_s(stood, at, line.t)


def harness_share_s(case: Case, device: str, rank: int = 99) -> float:
    """What a percentile of the null path adds to a delay: half a trip on the host's link and half on the device's; 0 where nothing was calibrated."""
    hosts = case.names("host")[:1]
    own = [event for name in (*hosts, device) for event in case.of("os", "path.calibrated", name)]
    return sum(float(event.data.get(f"p{rank}_s", event.data["p99_s"])) / 2 for event in own)


def _is_calibrated(case: Case, device: str) -> bool:
    """Whether the null path of both links is known; the simulated world has none to know."""
    links = [*case.names("host")[:1], device]
    return case.plan.world == "sim" or all(case.of("os", "path.calibrated", name) for name in links)


def path_rtt_s(case: Case, device: str) -> float:
    """Round trip of the path session to device: the sum of what is given for both links; a link without a given one counts nothing."""
    hosts = case.names("host")[:1]
    givens = [case.plan.given.get(name, {}) for name in [*hosts, device]]
    networks = [given.get("network") if isinstance(given, dict) else None for given in givens]
    spans = [network.get("rtt", 0.0) for network in networks if isinstance(network, dict)]
    return sum(float(span) for span in spans if isinstance(span, (int, float)))


def parse_budget(text: str, contract: Contract, rtt_s: float) -> tuple[float, float] | None:
    """Read ``p(99) <= rtt + 600ms``: (percentile, seconds), or None if it is no budget; ``max`` is the 100th percentile."""
    match = _BUDGET.fullmatch(text)
    if match is None:
        return None
    terms = [_seconds(term.strip(), contract, rtt_s) for term in match["limit"].split("+")]
    known = [term for term in terms if term is not None]
    return (float(match["rank"] or 100), sum(known)) if len(known) == len(terms) else None


def _seconds(term: str, contract: Contract, rtt_s: float) -> float | None:
    match = _TERM.fullmatch(term)
    if match is not None:
        limit = rtt_s if match["name"] == "rtt" else getattr(contract, f"{match['name']}_s", None)
        return float(match["factor"] or 1) * limit if isinstance(limit, (int, float)) else None
    try:
        return parse_span(term)
    except ValueError:
        return None
