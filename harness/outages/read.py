"""Logs of outages in the forms in which monitoring has them: CSV, JSON, and the answer of a Prometheus range query.

Deliberately absent: anything that would repair a log; each error names the place and what to do.
"""

import csv
import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from harness.base.errors import UsageError
from harness.history.plan_json import strict
from harness.outages.log import Outage, Time, outages_of, spans_of, time_of

BYTES_MAX = 1 << 20
"""As of a scenario."""

RECORDS_MAX = 11_000
"""Prometheus gives at most so many points of a series (https://prometheus.io/docs/prometheus/latest/querying/api/)."""

STATES = {"up": True, "1": True, "down": False, "0": False}

_FORMS = "columns or keys `down` and `up`, one outage each, or `time` and `state`, one change each"
_GAP = 1.5
"""Steps between two samples from which on one is missing; Prometheus itself never drifts by half a step."""


def read_log(content: bytes, name: str) -> tuple[tuple[Outage, ...], str]:
    """Read a log.

    Args:
        content: of the file.
        name: of the file; a suffix ``.csv`` or ``.json`` decides its form, else its first character.

    Returns:
        Outages in order of time, at least one; and the zone they are told in (``Time.zone``).

    Raises:
        UsageError: with the place and the remedy.
    """
    text = _text(content, name)
    is_json = name.endswith(".json") or (not name.endswith(".csv") and text.lstrip()[:1] in ("[", "{"))
    spans = list(_json(text, name) if is_json else _csv(text, name))
    try:
        return outages_of(spans), spans[0][0].zone if spans else ""
    except UsageError as error:
        raise error if spans else UsageError(f"{name}: {error}") from None


def _text(content: bytes, name: str) -> str:
    if len(content) > BYTES_MAX:
        raise UsageError(f"{name}: {len(content)} bytes; a log has at most {BYTES_MAX}: take a shorter part of it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UsageError(f"{name}:{line}: not UTF-8; save the file as UTF-8") from None
    if not text.strip():
        raise UsageError(f"{name}: the file is empty; it needs {_FORMS}")
    return text


# --- records: what CSV and JSON have in common

type Record = tuple[str, dict[str, Any]]
"""Place and fields."""


def _spans(records: list[Record], name: str) -> Iterator[tuple[Time, Time]]:
    if len(records) > RECORDS_MAX:
        raise UsageError(f"{name}: {len(records)} entries; a log has at most {RECORDS_MAX}: take a shorter part of it")
    known = {key for _, fields in records for key in fields}
    are_spans, are_states = {"down", "up"} <= known, {"time", "state"} <= known
    if records and are_spans == are_states:
        found = ", ".join(sorted(known)[:12])
        raise UsageError(f"{records[0][0]}: neither or both of two forms; a log needs {_FORMS}; found: {found}")
    if are_spans:
        return ((time_of(one.get("down"), at, "down"), time_of(one.get("up"), at, "up")) for at, one in records)
    return iter(spans_of((time_of(one.get("time"), at, "time"), _state(one.get("state"), at)) for at, one in records))


def _state(value: Any, place: str) -> bool:
    word = str(value).strip().lower()
    if isinstance(value, bool) or word not in STATES:
        raise UsageError(f"{place}: `state` is {str(value)[:60]!r}; it is one of {', '.join(STATES)}")
    return STATES[word]


def _csv(text: str, name: str) -> Iterator[tuple[Time, Time]]:
    rows = csv.reader(io.StringIO(text), strict=True)
    records: list[Record] = []
    try:
        header = [cell.strip().lower() for cell in next(rows)]
        for cells in rows:
            at = f"{name}:{rows.line_num}"
            if len(cells) > len(header):
                raise UsageError(f"{at}: {len(cells)} cells under {len(header)} columns; a text with commas is quoted")
            if any(cell.strip() for cell in cells):
                records.append((at, dict(zip(header, cells, strict=False))))
    except csv.Error as error:
        raise UsageError(f"{name}:{rows.line_num}: not CSV ({error}); separate cells by commas") from None
    if len(set(header)) < len(header):
        raise UsageError(f"{name}:1: two columns of one name; give each its own")
    if not ({"down", "up"} <= set(header) or {"time", "state"} <= set(header)):
        raise UsageError(f"{name}:1: the first line names no such columns; a log needs {_FORMS}")
    return _spans(records, name)


def _json(text: str, name: str) -> Iterator[tuple[Time, Time]]:
    try:
        data = strict(text)
    except ValueError as error:
        raise UsageError(f"{name}: not JSON ({error}); save it again") from None
    if isinstance(data, dict):
        return iter(spans_of(_prometheus(data, name)))
    if not isinstance(data, list):
        raise UsageError(f"{name}: neither a list nor the answer of a Prometheus range query; a log needs {_FORMS}")
    for index, entry in enumerate(data):
        if not isinstance(entry, dict):
            raise UsageError(f"{name}: entry {index} is no object; a log needs {_FORMS}")
    return _spans([(f"{name}: entry {index}", entry) for index, entry in enumerate(data)], name)


# --- Prometheus


def _prometheus(answer: dict[str, Any], name: str) -> Iterator[tuple[Time, bool]]:
    """Changes of one series of samples 0 and 1; every sample must be there, because nobody knows what one that is missing was."""
    samples = _samples(_series(answer, name), name)
    step_s = min((two[0].at_s - one[0].at_s for one, two in pairwise(samples)), default=0.0)
    was: bool | None = None
    for number, (time, is_up) in enumerate(samples):
        gap_s = time.at_s - samples[number - 1][0].at_s if number else 0.0
        if gap_s > _GAP * step_s:
            raise UsageError(
                f"{time.place}: no sample for {gap_s:g} s before it, where one comes every {step_s:g} s; "
                "ask with `or vector(0)` if that was an outage too, or for a shorter range"
            )
        if was is None and not is_up:
            raise UsageError(f"{time.place}: down from the first sample on, so nobody knows since when; begin earlier")
        if is_up is not was:
            yield time, is_up
        was = is_up


def _series(answer: dict[str, Any], name: str) -> list[Any]:
    if answer.get("status") == "error":
        raise UsageError(f"{name}: Prometheus answered with an error: {str(answer.get('error'))[:200]}; ask again")
    data = answer.get("data")
    kind = data.get("resultType") if isinstance(data, dict) else None
    if not isinstance(data, dict) or kind != "matrix" or not isinstance(data.get("result"), list):
        raise UsageError(
            f"{name}: not the answer of a Prometheus range query (data.resultType is {kind!r}, not 'matrix'); ask /api/v1/query_range"
        )
    result = data["result"]
    if len(result) != 1:
        labels = "; ".join(str(one.get("metric"))[:120] for one in result[:3] if isinstance(one, dict))
        raise UsageError(f"{name}: {len(result)} series, one is needed: narrow the query by a label; found: {labels}")
    values = result[0].get("values") if isinstance(result[0], dict) else None
    if not isinstance(values, list) or not values:
        raise UsageError(f"{name}: data.result[0].values is no list of samples; ask /api/v1/query_range")
    if len(values) > RECORDS_MAX:
        raise UsageError(f"{name}: {len(values)} samples; a log has at most {RECORDS_MAX}: ask for a shorter range")
    return values


def _samples(values: list[Any], name: str) -> list[tuple[Time, bool]]:
    samples: list[tuple[Time, bool]] = []
    for index, value in enumerate(values):
        at = f"{name}: values[{index}]"
        if not isinstance(value, list) or len(value) != 2:
            raise UsageError(f"{at}: no pair of time and value; ask /api/v1/query_range")
        if value[1] not in ("0", "1"):
            raise UsageError(f"{at}: {str(value[1])[:60]!r} is neither up nor down; ask for `up` or `probe_success`")
        time = time_of(value[0], at, "time")
        if samples and time.at_s <= samples[-1][0].at_s:
            raise UsageError(f"{at}: not later than the sample before it; ask Prometheus again")
        samples.append((time, value[1] == "1"))
    return samples
