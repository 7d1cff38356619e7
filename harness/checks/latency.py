"""Latency budgets: from the session's line to the device's screen, as a percentile beside a number of round trips.

A delay counts from when the line was meant to be said, so that a stall is in all the lines that it made wait (coordinated omission). In the
simulated world this measures the protocol alone (round trips, timers, batching), not the speed of any program. A real world says what its own
proxies take (``path.calibrated``) and when a line was truly said; what these may have caused is held against nobody, and makes no PASS. Deliberately
absent: measuring that.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from harness.base.rank import Rank
from harness.base.span import parse_span
from harness.checks.findings import voice_of
from harness.checks.model import Case, Finding, expectation
from harness.checks.words import said, shown, text_of
from harness.history.events import Event
from harness.history.plan import Contract, Expectation

_STANDS = frozenset({"machine.resumed", "process.thawed", "process.started"})
"""Ends of times in which a machine, or the session on it, could say nothing."""

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
    delays = sorted(_delays(case, entry.actor), key=lambda one: one.meant_s)
    worst = _ranked(delays, percentile)
    said_s = _ranked(sorted(one.said_s for one in delays), percentile)
    facts = _facts(delays, percentile)
    own_s = harness_share_s(case, entry.actor)
    told = f"p({percentile:g}) of {len(delays)} lines is {worst.meant_s:.3f} s, the budget is {limit_s:.3f} s"
    if worst.meant_s > limit_s and said_s <= limit_s + own_s:
        share = f"the null path alone takes {own_s:.3f} s of it here, and {worst.late_s:.3f} s passed before the line was said"
        return voice.unclear("within-harness-error", f"{told}; {share}", expected=limit_s, observed=facts)
    # No machine of ours keeps a line for ever: one that never came is over any budget, calibrated or not.
    if limit_s < said_s < math.inf and not _is_calibrated(case, entry.actor):
        why = "nobody knows how much of it is this machine's own"
        return voice.unclear("not-calibrated", f"{told}; {why}", expected=limit_s, observed=facts)
    if worst.meant_s > limit_s:
        return voice.fails("over-budget", told, expected=limit_s, observed=facts, events=[worst.event.n])
    return voice.passes(len(delays), facts, expected=limit_s, events=[one.event.n for one in delays[-5:]])


@dataclass(frozen=True, slots=True)
class Delay:
    """What became of one line.

    Attributes:
        said_s: seconds from when the agent said it to when it was shown; infinite if it never was.
        late_s: seconds by which the agent said it later than the story meant it to: the harness's own.
        event: what shows it; the line itself if nothing does.
    """

    said_s: float
    late_s: float
    event: Event

    @property
    def meant_s(self) -> float:
        """Seconds from when it was meant to be said."""
        return self.said_s + self.late_s


def _ranked[T](ordered: Sequence[T], percentile: float) -> T:
    """The nearest rank: the smallest in order that so many percent of them do not exceed."""
    return ordered[max(0, math.ceil(percentile / 100 * len(ordered)) - 1)]


def _facts(delays: Sequence[Delay], percentile: float) -> dict[str, Any]:
    """What is told of a sample, whatever the verdict: from intended time to screen, and the part of it that was the harness's."""
    ranks = {f"p{rank}_s": _told(_ranked(delays, rank).meant_s) for rank in PERCENTILES}
    late_s = _ranked(sorted(one.late_s for one in delays), 99)
    return {
        "delay_s": _told(_ranked(delays, percentile).meant_s),
        **ranks,
        "late_p99_s": _told(late_s),
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
    for line in said(case):
        text = text_of(line)
        there, index = places.get(text, []), taken[text]
        taken[text] += 1
        late_s = _late_s(case, line)
        yield (
            Delay(there[index].t - line.t, late_s, there[index])
            if index < len(there)
            else Delay(math.inf, late_s, line)
        )


def _late_s(case: Case, line: Event) -> float:
    """Seconds from when the story meant a line to be said; 0 where it meant no time, or where the machine stood: that is the story's own doing."""
    at = line.data.get("at")
    if isinstance(at, bool) or not isinstance(at, (int, float)):
        return 0.0
    stood = any(event.what in _STANDS and at <= event.t <= line.t for event in case.of("os", actor=line.actor))
    return 0.0 if stood else max(0.0, line.t - at)


def harness_share_s(case: Case, device: str) -> float:
    """What the null path's p99 adds to a delay: half a trip on the host's link and half a trip on the device's; 0 where nothing was calibrated."""
    hosts = case.names("host")[:1]
    own = [event for name in (*hosts, device) for event in case.of("os", "path.calibrated", name)]
    return sum(float(event.data["p99_s"]) / 2 for event in own)


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
