"""Named limits, sums of spans, and budgets: the numbers of a scenario that the contract decides.

``outage_limit``, ``0.8 outage_limit``, ``outage_limit + 60s`` may stand wherever a span may. Deliberately absent: limits of our own; a name
is a field of ``Contract`` without its ``_s``.
"""

import re
from dataclasses import dataclass, fields
from typing import Any

from harness.base.span import SPAN_S_MAX, parse_span
from harness.history.plan import Contract
from harness.scenario.document import did_you_mean

LIMITS = tuple(field.name.removesuffix("_s") for field in fields(Contract) if field.name.endswith("_s"))
"""Names that may stand where a span stands."""

_TERM = re.compile(r"(?:(?P<factor>\d+(?:\.\d+)?) +)?(?P<name>[a-z][a-z_]*)")
_SIGN = re.compile(r" +([+-]) +")
_BUDGET = re.compile(r"(?:p\((?P<rank>\d{1,2}(?:\.\d+)?)\)|(?P<max>max)) *<= *(?P<limit>.+)")


class Misfit(ValueError):  # noqa: N818 - it is a value that does not fit, not a failure of the program
    """A value that cannot stand where it stands: what is wrong, what to write, and where inside (``key``: at its key)."""

    def __init__(self, message: str, remedy: str = "", at: tuple[str | int, ...] = (), *, key: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.at = at
        self.key = key


def span(value: Any, contract: Contract) -> float:
    """Read a span longer than nothing: ``10m``, ``outage_limit``, ``0.8 outage_limit``, ``outage_limit + 60s``.

    Returns:
        Seconds.

    Raises:
        Misfit: for anything else, zero and negative spans included.
    """
    seconds = any_span(value, contract)
    if seconds <= 0:
        raise Misfit(f"the span {value} is not longer than nothing", "write a positive span such as 10m")
    return seconds


def any_span(value: Any, contract: Contract) -> float:
    """Read a span that may be zero or negative (a clock step back): as ``span``, with ``-1h`` allowed."""
    if not isinstance(value, str):
        raise Misfit(f"{_shown(value)} is not a span of time", "write it with its unit, like 10m, 1h30m, 8h, 250ms")
    text, sign = (value[1:], -1.0) if value.startswith("-") else (value, 1.0)
    first, *rest = _SIGN.split(text.strip())
    total = sign * _term(first, contract)
    for operator, term in zip(rest[::2], rest[1::2], strict=True):
        total += _term(term, contract) if operator == "+" else -_term(term, contract)
    if abs(total) > SPAN_S_MAX:
        raise Misfit(f"{_shown(value)} is longer than a year", "write a shorter span")
    return round(total, 9)


def _term(text: str, contract: Contract) -> float:
    match = _TERM.fullmatch(text)
    if match:
        if match["name"] not in LIMITS:
            raise Misfit(f"no limit is called `{match['name']}`", did_you_mean(match["name"], LIMITS))
        limit_s: float = getattr(contract, f"{match['name']}_s")
        return float(match["factor"] or 1) * limit_s
    try:
        return parse_span(text)
    except ValueError as error:
        message, _, remedy = str(error).partition("; ")
        raise Misfit(message, remedy or "a span looks like 10m, 1h30m, 8h, 250ms") from None


def _shown(value: Any) -> str:
    return f"`{str(value)[:60]}`" if isinstance(value, (str, int, float)) else f"a {type(value).__name__}"


@dataclass(frozen=True, slots=True)
class Budget:
    """An upper bound for a percentile of measured spans: ``rtts`` round trips of the path plus ``plus_s``.

    ``percentile`` is 100 for ``max``.
    """

    percentile: float
    rtts: float
    plus_s: float


def budget(text: Any, contract: Contract) -> Budget:
    """Read ``p(99) <= rtt + 600ms``, ``p(95) <= 3 rtt + 50ms``, ``max <= 2s``, ``p(50) <= reconnect_budget``.

    Raises:
        Misfit: with what a budget looks like.
    """
    match = _BUDGET.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise Misfit(f"{_shown(text)} is not a budget", "write it like p(99) <= rtt + 600ms")
    percentile = float(match["rank"]) if match["rank"] else 100.0
    rtts, spans = _round_trips(match["limit"].strip())
    plus_s = any_span(spans, contract) if spans else 0.0
    if percentile <= 0 or plus_s < 0 or (rtts == 0 and plus_s == 0):
        raise Misfit(f"`{text}` can never hold", "write it like p(99) <= rtt + 600ms")
    return Budget(percentile, rtts, plus_s)


_RTT = re.compile(r"(?:(\d+(?:\.\d+)?) +)?rtt(?: +\+ +(.+))?")


def _round_trips(limit: str) -> tuple[float, str]:
    """Split ``3 rtt + 50ms`` into 3 and ``50ms``."""
    match = _RTT.fullmatch(limit)
    if match is None:
        return 0.0, limit
    return float(match[1] or 1), match[2] or ""
