"""Latency budgets: from the session's line to the device's screen, as a percentile beside a number of round trips.

In the simulated world this measures the protocol alone (round trips, timers, batching), not the speed of any program. A real world says what its
own proxies take (``path.calibrated``); what they may have caused is held against nobody. Deliberately absent: measuring that.
"""

import math
import re
from collections import defaultdict

from harness.base.rank import Rank
from harness.base.span import parse_span
from harness.checks.findings import voice_of
from harness.checks.model import Case, Finding, expectation
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
    delays = sorted(_delays(lines, shown(case, entry.actor)), key=lambda pair: pair[0])
    seen_s, event = _ranked(delays, percentile)
    ranks = {f"p{rank}_s": _told(_ranked(delays, rank)[0]) for rank in PERCENTILES}
    facts = {"delay_s": _told(seen_s), **ranks, "lines": len(delays)}
    own_s = harness_share_s(case, entry.actor)
    if limit_s < seen_s <= limit_s + own_s:
        told = f"p({percentile:g}) is {seen_s:.3f} s, the budget {limit_s:.3f} s; the null path alone takes {own_s:.3f} s of it here"
        return voice.unclear("within-harness-error", told, expected=limit_s, observed=facts)
    # No machine of ours keeps a line for ever: one that never came is over any budget, calibrated or not.
    if limit_s < seen_s < math.inf and not _is_calibrated(case, entry.actor):
        return voice.unclear(
            "not-calibrated",
            f"p({percentile:g}) is {seen_s:.3f} s, and nobody knows how much of it is this machine's own",
            expected=limit_s,
            observed=facts,
        )
    if seen_s > limit_s:
        told = f"p({percentile:g}) of {len(delays)} lines is {seen_s:.3f} s, the budget is {limit_s:.3f} s"
        return voice.fails("over-budget", told, expected=limit_s, observed=facts, events=[event.n])
    return voice.passes(len(delays), facts, expected=limit_s, events=[event.n for _, event in delays[-5:]])


def _ranked(delays: list[tuple[float, Event]], percentile: float) -> tuple[float, Event]:
    """The nearest rank: the smallest of the sorted delays that so many percent of them do not exceed."""
    return delays[max(0, math.ceil(percentile / 100 * len(delays)) - 1)]


def _told(delay_s: float) -> float | str:
    """Seconds, to the microsecond, or ``never``: JSON has no infinity."""
    return round(delay_s, 6) if math.isfinite(delay_s) else "never"


def _delays(lines: list[Event], seen: list[Event]) -> list[tuple[float, Event]]:
    """For each line its delay in seconds and the event that shows it; the k-th saying of a text is matched with its k-th showing."""
    places: dict[str, list[Event]] = defaultdict(list)
    for event in seen:
        places[text_of(event)].append(event)
    taken: dict[str, int] = defaultdict(int)
    found = []
    for line in lines:
        text = text_of(line)
        there = places.get(text, [])
        index = taken[text]
        taken[text] += 1
        found.append((there[index].t - line.t, there[index]) if index < len(there) else (math.inf, line))
    return found


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
