"""Spans of time as people write them: ``10m``, ``1h30m``, ``250ms``, ``8h``.

Deliberately absent: bare numbers and ``10:00`` (YAML 1.1 reads that as 600 of nobody knows what).
"""

import re
from itertools import pairwise

_UNIT_S = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|d|h|m|s)")

SPAN_S_MAX = 366 * 86_400.0
"""A year: longer than any retention anybody declares, short enough that an extra zero is noticed."""


def parse_span(text: str) -> float:
    """Read a span such as ``1h30m`` and return seconds.

    Args:
        text: one or more ``<number><unit>`` parts, largest unit first, units d, h, m, s, ms, each at most once.

    Returns:
        Seconds, between 0 and ``SPAN_S_MAX``.

    Raises:
        ValueError: with a sentence that says what a span looks like.
    """
    parts = _PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a span of time; write it like 10m, 1h30m, 8h, 250ms")
    units = [_UNIT_S[unit] for _, unit in parts]
    if any(later >= earlier for earlier, later in pairwise(units)):
        raise ValueError(f"{text!r}: write the largest unit first and each unit once, like 1h30m")
    span_s = sum(float(number) * _UNIT_S[unit] for number, unit in parts)
    if span_s > SPAN_S_MAX:
        raise ValueError(f"{text!r} is longer than a year")
    return span_s


def format_span(span_s: float) -> str:
    """Write seconds the way ``parse_span`` reads them, to the millisecond: ``format_span(5400)`` is ``1h30m``."""
    ms = round(span_s * 1000)
    if ms == 0:
        return "0s"
    sign, ms = ("-", -ms) if ms < 0 else ("", ms)
    parts = []
    for unit in ("d", "h", "m", "s", "ms"):
        count, ms = divmod(ms, round(_UNIT_S[unit] * 1000))
        if count:
            parts.append(f"{count}{unit}")
    return sign + "".join(parts)
