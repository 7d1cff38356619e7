"""Laws of the log that hold in every run, with Jepsen's names.

They are lost-write, duplicate, aborted-read, phantom, inconsistent-offsets, poll-skip, nonmonotonic-poll and read-your-writes. Texts
are counted against what the story uttered; sequence numbers are taken from the wire alone. Deliberately absent: what a scenario
expects (``delivery``). Source: jepsen/tests/kafka.clj for the names; properties ORD-1 to ORD-7.
"""

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from harness.checks.findings import Voice
from harness.checks.model import Case, Finding, invariant
from harness.checks.streams import Stream, device_streams, entries, inboxes, streams
from harness.checks.when import end_at, late_s, lives
from harness.checks.words import counted, heard, inherited, outcomes, prompts, said, shown, text_of
from harness.history.events import Event

ARRIVES_S = 5.0
"""Seconds of an open stream in which whatever may come has come: a word takes 0.2 on a busy machine, a long backlog two. What is younger is
under way."""


@dataclass(frozen=True, slots=True)
class Missing:
    """What should have arrived and has not.

    Attributes:
        event: what was said or sent.
        is_lost: whether nothing of it can be under way any more.
    """

    event: Event
    is_lost: bool


@invariant("no-loss", "RC-ORD-001.no-loss")
def no_loss(case: Case) -> list[Finding]:
    """Every acknowledged prompt reaches a host that lives, every line a device that is attached, by the final quiet (ORD-1)."""
    voice = Voice("RC-ORD-001.no-loss", "no-loss")
    if not case.has_drained:
        return [voice.unclear("not-drained", "the run had no final quiet, so what is missing may still be under way")]
    lost_prompts, prompts_n = _lost_prompts(case)
    lost_lines, lines_n = _lost_lines(case)
    missing = [*lost_prompts, *lost_lines]
    lost = [one.event for one in missing if one.is_lost]
    if lost:
        message = f"{len(lost)} acknowledged and lost, first: {text_of(lost[0])!r}"
        return [
            voice.fails("lost-write", message, observed=[text_of(e) for e in lost[:10]], events=[e.n for e in lost])
        ]
    if missing:
        return [voice.unclear("not-drained", _under_way(missing[0].event))]
    if not prompts_n + lines_n:
        return [
            voice.silent("nothing to compare: nothing was sent, or nobody who should have it was attached at the end")
        ]
    return [voice.passes(prompts_n + lines_n, f"{prompts_n} prompts and {lines_n} lines on devices, all there")]


def _under_way(event: Event) -> str:
    return (
        f"{text_of(event)!r} may still be under way: nobody who should have it was attached for {ARRIVES_S:g} s since"
    )


def _lost_prompts(case: Case) -> tuple[list[Missing], int]:
    """Prompts that the relay acknowledged and that no session was ever given, although all live and are connected; of how many."""
    hosts = [host for host in case.names("host") if _is_connected(case, host, inboxes(case, host))]
    if not hosts or len(hosts) != len(case.names("host")):
        return [], 0
    given = sum((counted(heard(case, host)) for host in hosts), Counter[str]())
    gone = {str(event.data.get("text")) for event in case.of("wire", "frame") if event.data.get("stage") == "failed"}
    sent = [one for one in prompts(case) if one.outcome == "ok" and one.text not in gone]
    over = [inboxes(case, host) for host in hosts]
    missing = [one.invoked for one in sent if given[one.text] == 0]
    return [Missing(one, all(_is_due(case, found, one.t) for found in over)) for one in missing], len(sent)


def _lost_lines(case: Case) -> tuple[list[Missing], int]:
    """Lines of the living incarnation of the only host that an attached device did not show; of how many pairs of line and device."""
    hosts = case.names("host")
    if len(hosts) != 1 or not _is_connected(case, hosts[0], inboxes(case, hosts[0])):
        return [], 0
    born_at = lives(case, hosts[0])[-1].started.t
    lines = [event for event in said(case, hosts[0]) if event.t >= born_at]
    lost: list[Missing] = []
    compared = 0
    for device in case.names("device"):
        found = device_streams(case, device)
        if _is_connected(case, device, found) and not case.of("saw", "gap", device):
            there = counted(shown(case, device))
            lost += [Missing(line, _is_due(case, found, line.t)) for line in lines if there[text_of(line)] == 0]
            compared += len(lines)
    return lost, compared


def _is_connected(case: Case, actor: str, found: list[Stream]) -> bool:
    """Whether the actor's program runs and its newest stream is open at the end of the run."""
    found_lives = lives(case, actor)
    runs = bool(found_lives) and found_lives[-1].ended is None
    return runs and bool(found) and found[-1].closed_at is None and found[-1].opened_at < end_at(case)


def _is_due(case: Case, found: list[Stream], since: float) -> bool:
    """Whether an actor's streams stood long enough since a time, all together, for what there was by then.

    One that has closed counts until its last byte: after that the line may have been dead.
    """
    end = end_at(case)
    spans = ((max(one.opened_at, since), end if one.closed_at is None else one.last_at) for one in found)
    return sum(max(0.0, over - opened) for opened, over in spans) >= ARRIVES_S + late_s(case, end)


@invariant("no-duplicate", "RC-ORD-002.no-duplicate")
def no_duplicate(case: Case) -> list[Finding]:
    """No text arrives more often than it was uttered, no log entry is shown twice, no (author, msg_id) stored twice (ORD-2)."""
    voice = Voice("RC-ORD-002.no-duplicate", "no-duplicate")
    uttered = Counter(one.text for one in prompts(case)) + Counter(inherited(case))
    twice = [
        *_too_often(heard(case, ""), uttered),
        *(event for device in case.names("device") for event in _shown_twice(case, device)),
        *_stored_twice(case),
    ]
    if twice:
        message = f"{text_of(twice[0])!r} arrived more often than it was sent"
        return [
            voice.fails("duplicate", message, observed=[text_of(e) for e in twice[:10]], events=[e.n for e in twice])
        ]
    measured = len(case.of("saw", "shown")) + len(case.of("os", "agent.heard"))
    return [voice.passes(measured, "each once") if measured else voice.silent("nothing arrived")]


def _too_often(events: Iterable[Event], allowed: Counter[str]) -> list[Event]:
    """Events beyond the allowed count of their text; texts that nobody uttered are somebody else's business."""
    seen: Counter[str] = Counter()
    found = []
    for event in events:
        seen[text_of(event)] += 1
        if 0 < allowed[text_of(event)] < seen[text_of(event)]:
            found.append(event)
    return found


def _shown_twice(case: Case, device: str) -> list[Event]:
    lines = counted(said(case)) + Counter(one.text for one in prompts(case)) + Counter(inherited(case))
    return _too_often(shown(case, device), lines)


def _stored_twice(case: Case) -> list[Event]:
    """Entries whose (author, msg_id) was already stored under another number."""
    first: dict[tuple[object, ...], object] = {}
    found = []
    for event in entries(case):
        data = event.data
        key = (data.get("session"), data.get("epoch"), data.get("author"), data.get("msg_id"))
        if data.get("author") == "relay" or not isinstance(data.get("msg_id"), str):
            continue
        if first.setdefault(key, data.get("seq")) != data.get("seq"):
            found.append(event)
    return found


@invariant("no-phantom", "RC-ORD-001.no-phantom")
def no_phantom(case: Case) -> list[Finding]:
    """Nothing arrives that nobody uttered, and nothing whose sending definitely failed."""
    voice = Voice("RC-ORD-001.no-phantom", "no-phantom")
    arrived = [
        *heard(case, ""),
        *(e for e in case.of("saw", "shown") if e.data.get("kind") in ("update", "prompt") and text_of(e)),
    ]
    known = {*counted(said(case)), *inherited(case)}
    tried = outcomes(case)
    for event in arrived:
        text = text_of(event)
        if text in known or tried.get(text, set()) - {"fail"}:
            continue
        code = "aborted-read" if text in tried else "phantom"
        what = "although its sending failed" if text in tried else "although nobody uttered it"
        return [voice.fails(code, f"{text!r} reached {event.actor} {what}", observed=text, events=[event.n])]
    return [voice.passes(len(arrived), "all uttered") if arrived else voice.silent("nothing arrived")]


@invariant("one-order", "RC-ORD-005.one-order")
def one_order(case: Case) -> list[Finding]:
    """One number names one entry for everybody: all clients read one and the same log (ORD-5, SES-5)."""
    voice = Voice("RC-ORD-005.one-order", "one-order")
    first: dict[tuple[object, object], Event] = {}
    read = [event for event in entries(case) if isinstance(event.data.get("seq"), int)]
    for event in read:
        known = first.setdefault((_session(event), event.data["seq"]), event)
        if _entry(known) != _entry(event):
            message = (
                f"entry {event.data['seq']} is {_entry(known)} for {known.actor} and {_entry(event)} for {event.actor}"
            )
            return [voice.fails("inconsistent-offsets", message, events=[known.n, event.n])]
    return [voice.passes(len(read), "one log") if read else voice.silent("no entry crossed the wire")]


def _session(event: Event) -> str:
    return repr(event.data.get("session"))


def _entry(event: Event) -> tuple[str, ...]:
    return tuple(repr(event.data.get(name)) for name in ("epoch", "author", "msg_id", "kind", "text", "body_sha256"))


@invariant("no-skip", "RC-ORD-006.no-skip")
def no_skip(case: Case) -> list[Finding]:
    """Numbers are read without hole or step back: within a stream, and from a stream to the one that resumes it (ORD-5, ORD-6, ORD-9)."""
    voice = Voice("RC-ORD-006.no-skip", "no-skip")
    others = _numbers_for_hosts(case)
    measured = 0
    for stream in streams(case):
        numbers = others.get(stream.session, []) if stream.kind == "inbox" else None
        measured += len(stream.entries)
        broken = _first_break(stream, numbers)
        if broken is not None:
            code, event, message = broken
            return [voice.fails(code, message, events=[event.n])]
    return [voice.passes(measured, "contiguous") if measured else voice.silent("no entry crossed the wire")]


def _numbers_for_hosts(case: Case) -> dict[str, list[int]]:
    """Session -> numbers of entries that an inbox must hold, sorted; known from the devices' streams."""
    found: dict[str, set[int]] = defaultdict(set)
    for event in entries(case):
        if event.data.get("author") != "host" and isinstance(event.data.get("seq"), int):
            found[str(event.data.get("session"))].add(event.data["seq"])
    return {session: sorted(numbers) for session, numbers in found.items()}


def _first_break(stream: Stream, numbers: list[int] | None) -> tuple[str, Event, str] | None:
    last = stream.after
    for event in stream.entries:
        seq = event.data["seq"]
        if last is not None and seq <= last:
            return "nonmonotonic-poll", event, f"{stream.actor} read {seq} after {last}"
        if last is not None and _skips(last, seq, numbers):
            return "poll-skip", event, f"{stream.actor} read {seq} after {last}"
        last = seq
    return None


def _skips(last: int, seq: int, numbers: list[int] | None) -> bool:
    if numbers is None:
        return seq != last + 1
    return bisect_right(numbers, last) < bisect_left(numbers, seq)


@invariant("own-writes", "RC-ORD-007.own-writes")
def own_writes(case: Case) -> list[Finding]:
    """A device that is attached sees what it sent itself (ORD-7)."""
    voice = Voice("RC-ORD-007.own-writes", "own-writes")
    measured = 0
    under_way: list[Event] = []
    for device in case.names("device"):
        sent = [one for one in prompts(case) if one.invoked.actor == device and one.outcome == "ok"]
        found = device_streams(case, device)
        if not sent or not _is_connected(case, device, found):
            continue
        if not case.has_drained:
            return [voice.unclear("not-drained", "the run had no final quiet")]
        read = counted([*shown(case, device)])
        measured += len(sent)
        unread = [one.invoked for one in sent if read[one.text] == 0]
        lost = [event for event in unread if _is_due(case, found, event.t)]
        under_way += unread
        if lost:
            message = f"{device} sent {text_of(lost[0])!r}, was told it is stored, and never saw it"
            return [voice.fails("read-your-writes", message, events=[event.n for event in lost])]
    if under_way:
        return [voice.unclear("not-drained", _under_way(under_way[0]))]
    return [voice.passes(measured, "all seen") if measured else voice.silent("no attached device sent anything")]
