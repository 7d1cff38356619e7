"""A history as a file: JSON Lines with a header, the events and a footer that seals them. docs/spec/history.md is the format.

Written whole or not at all, read strictly: a truncated, edited or foreign file is an error with its line and a remedy. Values go in and come
out equal. Deliberately absent: judgement, and partial reads.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, fields
from heapq import merge
from pathlib import Path
from typing import Any

import msgspec

from harness.base.errors import PlanError
from harness.history.events import Event, Footer, History
from harness.history.plan import PLAN_VERSION, Plan
from harness.history.plan_json import plan_of, strict

HISTORY_VERSION = 1


def interleave(*streams: Iterable[Event]) -> tuple[Event, ...]:
    """Merge streams of events, each in order of time, and number them anew; of equal times the earlier stream comes first."""
    merged = merge(*streams, key=lambda event: event.t)
    return tuple(Event(n, event.t, event.actor, event.kind, event.what, event.data) for n, event in enumerate(merged))


# --- values to JSON and back


def plan_to_json(plan: Plan) -> dict[str, Any]:
    """A plan as a JSON object, with its version."""
    return {"version": PLAN_VERSION, **asdict(plan)}


def plan_from_json(data: Any) -> Plan:
    """The plan of a JSON object.

    Raises:
        PlanError: another version, or not a plan.
    """
    if not isinstance(data, dict) or data.get("version") != PLAN_VERSION:
        found = data.get("version") if isinstance(data, dict) else None
        raise PlanError(
            f"this is not a plan of version {PLAN_VERSION} (found {found!r}); plan it anew from its scenario"
        )
    return plan_of({key: value for key, value in data.items() if key != "version"})


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_FIELDS = tuple(field.name for field in fields(Event))


def _line(value: Any) -> str:
    return _ENCODER.encode(value) + "\n"


def _event_line(event: Event) -> str:
    return _line({name: getattr(event, name) for name in _FIELDS})


# --- writing


def lines_of(history: History) -> list[str]:
    """All lines of the file, footer last, each with its line feed."""
    lines = [_line({"history": HISTORY_VERSION, "plan": plan_to_json(history.plan)})]
    lines += [_event_line(event) for event in history.events]
    footer = {"events": len(history.events), **asdict(history.footer), "sha256": _sha256(lines)}
    return [*lines, _line({"footer": footer})]


def _sha256(lines: Iterable[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode())
    return digest.hexdigest()


def history_sha256(history: History) -> str:
    """Digest of a history without its ``wall_s``: equal runs have equal digests."""
    footer = {key: value for key, value in asdict(history.footer).items() if key != "wall_s"}
    header = _line({"history": HISTORY_VERSION, "plan": plan_to_json(history.plan)})
    return _sha256([header, *map(_event_line, history.events), _line(footer)])


def write(history: History, path: Path) -> None:
    """Write a history: afterwards the file is whole, or what it was before.

    Raises:
        OSError: the folder cannot be written.
    """
    draft = path.with_name(path.name + ".part")
    try:
        draft.write_text("".join(lines_of(history)), encoding="utf-8", newline="\n")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


# --- reading


def read(path: Path) -> History:
    """Read a history back.

    Raises:
        PlanError: truncated, edited, of another version, or not a history; with the line and what to do.
        OSError: the file cannot be read.
    """
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise PlanError(f"{path}: not UTF-8 at byte {error.start}; this is not a history file") from error
    return parse(text, str(path))


def parse(text: str, name: str) -> History:
    """Parse the text of a history file; ``name`` is for messages. Raises PlanError as ``read`` does."""
    lines = text.split("\n")
    if lines and lines[-1] == "":
        lines.pop()
    if not lines:
        raise PlanError(f"{name}: the file is empty; run the scenario again")
    header = _object(name, 1, lines[0])
    if header.get("history") != HISTORY_VERSION:
        raise PlanError(f"{name}:1: this is not a history of version {HISTORY_VERSION}; run the scenario again")
    footer = _footer(name, lines, text)
    events = tuple(_event(name, number, line) for number, line in enumerate(lines[1:-1], 2))
    try:
        plan = plan_from_json(header.get("plan"))
    except PlanError as error:
        raise PlanError(f"{name}:1: {error}") from error
    return History(plan, events, footer)


def _object(name: str, number: int, line: str) -> dict[str, Any]:
    try:
        value = strict(line)
    except ValueError as error:
        raise PlanError(f"{name}:{number}: not JSON ({error}); the file is damaged, run the scenario again") from error
    if not isinstance(value, dict):
        raise PlanError(f"{name}:{number}: not a JSON object; this is not a history file")
    return value


def _footer(name: str, lines: list[str], text: str) -> Footer:
    last = len(lines)
    data = _object(name, last, lines[-1]).get("footer") if last > 1 else None
    if not isinstance(data, dict) or not text.endswith("\n"):
        raise PlanError(f"{name}:{last}: the footer is missing, so the file was cut off; run the scenario again")
    values = dict(data)
    events, sealed = values.pop("events", None), values.pop("sha256", None)
    if events != last - 2:
        raise PlanError(
            f"{name}:{last}: the footer counts {events} events, the file has {last - 2}; it was edited or cut"
        )
    if sealed != _sha256(line + "\n" for line in lines[:-1]):
        raise PlanError(
            f"{name}:{last}: the digest does not fit what stands above it: the file was edited; run the scenario again"
        )
    try:
        footer = msgspec.convert(values, Footer)
    except msgspec.ValidationError as error:
        raise PlanError(f"{name}:{last}: the footer has other fields ({error}); run the scenario again") from error
    if asdict(footer) != values:
        raise PlanError(f"{name}:{last}: the footer has fields too many; run the scenario again")
    return footer


def _event(name: str, number: int, line: str) -> Event:
    data = _object(name, number, line)
    try:
        event = msgspec.convert(data, Event)
    except msgspec.ValidationError as error:
        raise PlanError(f"{name}:{number}: not an event ({error}); run the scenario again") from error
    if event.n != number - 2:
        raise PlanError(
            f"{name}:{number}: event {event.n!r} of kind {event.kind!r} cannot stand here; run the scenario again"
        )
    return event
