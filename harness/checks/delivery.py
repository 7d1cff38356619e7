"""Was everything that was said seen, and every prompt heard: the written expectations about delivery.

``device.sees`` rests on the screen, and on wire frames too where the device is on trial; ``host.hears`` on the scripted agent's journal.
Deliberately absent: laws that hold in every run whoever writes them (``log``).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from harness.base.rank import Rank
from harness.checks.findings import Voice, voice_of
from harness.checks.model import Case, Finding, expectation
from harness.checks.when import deadline_at, since_words, span_words
from harness.checks.words import counted, heard, outcomes, said, shown, text_of, uttered
from harness.history.events import Event
from harness.history.plan import Expectation

EVERY_LINE = "every line"

WORDLESS = ("receipt", "permission_decision", "permission_withdrawn", "ended")
"""Kinds of entries in which nobody says anything: what a device shows of them is its own wording."""


@expectation("device", "sees", rank=Rank.PEER)
def sees(case: Case, entry: Expectation) -> Finding:
    """The device showed these texts, in this order, each ``times`` times (RC-OUT-001, RC-SES-005)."""
    voice = voice_of("device", entry)
    wanted = _wanted(case, entry)
    events = shown(case, entry.actor)
    if entry.actor in case.plan.suts:
        unread = _not_on_the_wire(case, entry.actor, events)
        if unread:
            texts = sorted(counted(unread))
            message = f"{entry.actor} showed what it never read: {texts}"
            return voice.fails("phantom", message, observed=texts, events=[event.n for event in unread])
    finding = Arrivals(case, entry, voice, wanted, events).judge()
    frames = {text_of(event): event.n for event in case.of("wire", "frame", entry.actor)}
    return _citing(finding, [frames[text] for text in wanted if text in frames])


@expectation("host", "hears", rank=Rank.OS)
def hears(case: Case, entry: Expectation) -> Finding:
    """The session was given these prompts, in this order, each ``times`` times (RC-OUT-005, RC-ORD-001)."""
    return Arrivals(case, entry, voice_of("host", entry), _wanted(case, entry), heard(case, entry.actor)).judge()


@expectation("device", "resumes", rank=Rank.WIRE)
def resumes(case: Case, entry: Expectation) -> Finding:
    """A stream asked for again goes on behind what the device had shown when it asked (RC-ORD-009.resumes)."""
    voice = voice_of("device", entry)
    asked, again = _asked_again(case, entry.actor)
    if not asked:
        return voice.unclear("never-resumed", f"{entry.actor} never asked for a stream after it had shown something")
    if again:
        told = f"{entry.actor} was sent {len(again)} entries that it had shown before it asked, first {again[0].data['seq']}"
        return voice.fails("sent-again", told, expected=0, observed=len(again), events=[event.n for event in again])
    return voice.passes(len(asked), len(asked), events=[event.n for event in asked])


def _asked_again(case: Case, actor: str) -> tuple[list[Event], list[Event]]:
    """Requests for a stream of which something had been shown before, and entries that they brought a second time."""
    shown_upto, path = 0, ""
    behind: dict[str, int] = {}
    asked: list[Event] = []
    again: list[Event] = []
    for event in (event for event in case.events if event.actor == actor):
        data, seq, conn = event.data, event.data.get("seq"), repr(event.data.get("conn"))
        if event.kind == "saw" and event.what == "shown" and isinstance(seq, int):
            shown_upto = max(shown_upto, seq)
        elif event.kind == "wire" and event.what == "request" and str(data.get("path")).endswith("/events"):
            shown_upto, path = shown_upto if data["path"] == path else 0, data["path"]
            behind[conn] = shown_upto
            asked += [event] if shown_upto else []
        elif event.kind == "wire" and data.get("event") == "entry" and isinstance(seq, int):
            again += [event] if seq <= behind.get(conn, 0) else []
    return asked, again


def _wanted(case: Case, entry: Expectation) -> list[str]:
    value = entry.args.get("value")
    if value == EVERY_LINE:
        return [text_of(event) for event in said(case)]
    texts = value if isinstance(value, (list, tuple)) else [value]
    return [text for text in texts if isinstance(text, str)]


def _not_on_the_wire(case: Case, actor: str, events: Sequence[Event]) -> list[Event]:
    read = counted(case.of("wire", "frame", actor))
    known = uttered(case)
    unread = [event for event in events if read[text_of(event)] == 0]
    return [event for event in unread if event.data.get("kind") not in WORDLESS or known[text_of(event)]]


def _citing(finding: Finding, events: Sequence[int]) -> Finding:
    return replace(finding, events=tuple(sorted({*finding.events, *events})))


@dataclass(frozen=True)
class Arrivals:
    """Texts that should have arrived somewhere, beside those that did."""

    case: Case
    entry: Expectation
    voice: Voice
    wanted: Sequence[str]
    events: Sequence[Event]

    def judge(self) -> Finding:
        """Judge in order of gravity: never said, wrongly there, missing, too often, out of order, late."""
        rules = (
            self._unsaid,
            self._too_few,
            self._unwanted,
            self._missing,
            self._repeated,
            self._disordered,
            self._late,
        )
        for rule in rules:
            finding = rule()
            if finding is not None:
                return finding
        cited = [places[0].n for text in self.wanted if (places := self._places.get(text))]
        return self.voice.passes(len(self.wanted), len(self.events), expected=list(self.wanted[:10]), events=cited)

    @cached_property
    def _places(self) -> dict[str, list[Event]]:
        places: dict[str, list[Event]] = defaultdict(list)
        for event in self.events:
            places[text_of(event)].append(event)
        return places

    def _unsaid(self) -> Finding | None:
        known = uttered(self.case)
        unsaid = [text for text in self.wanted if not known[text]]
        if self.wanted and not unsaid:
            return None
        what = f"nobody ever said {unsaid}" if unsaid else "nothing was said"
        return self.voice.unclear("never-said", what, expected=list(self.wanted))

    def _too_few(self) -> Finding | None:
        least = int((self.entry.at_least or {}).get("count", 0))
        if len(self.wanted) >= least:
            return None
        return self.voice.unclear("too-few", f"only {len(self.wanted)} of at least {least} were said")

    def _unwanted(self) -> Finding | None:
        if self.entry.times != 0:
            return None
        places = self._places
        there = [event for text in self.wanted for event in places.get(text, [])]
        if not there:
            said_by = [event.n for event in self.case.events if text_of(event) in self.wanted]
            return self.voice.passes(len(self.wanted), 0, expected=0, events=said_by)
        message = f"{self.entry.actor} {self.entry.verb} {text_of(there[0])!r} although it must not"
        return self.voice.fails("unexpected", message, expected=0, observed=len(there), events=[e.n for e in there])

    def _missing(self) -> Finding | None:
        places = self._places
        missing = [text for text in dict.fromkeys(self.wanted) if text not in places]
        if not missing:
            return None
        message = f"{self.entry.actor} never {self.entry.verb} {', '.join(map(repr, missing[:3]))}"
        code = "not-delivered" if all(self._was_refused(text) for text in missing) else "lost-write"
        uttered_by = [event.n for event in self.case.events if text_of(event) in set(missing)]
        return self.voice.fails(code, message, expected=list(self.wanted), observed=list(places), events=uttered_by)

    def _was_refused(self, text: str) -> bool:
        known = outcomes(self.case).get(text)
        return known is not None and "ok" not in known

    def _repeated(self) -> Finding | None:
        if self.entry.times is None:
            return None
        asked = {text: self.entry.times * count for text, count in Counter(self.wanted).items()}
        places = self._places
        for text, times in asked.items():
            count = len(places[text])
            if count != times:
                code = "duplicate" if count > times else "lost-write"
                message = f"{self.entry.actor} {self.entry.verb} {text!r} {count} times, not {times}"
                cited = [event.n for event in places[text]]
                return self.voice.fails(code, message, expected=times, observed=count, events=cited)
        return None

    def _disordered(self) -> Finding | None:
        left = iter(self.events)
        for text in self.wanted:
            if not any(text_of(event) == text for event in left):
                found = [text_of(event) for event in self.events if text_of(event) in set(self.wanted)]
                message = f"{self.entry.actor} {self.entry.verb} {text!r} out of order"
                cited = [event.n for event in self._places[text]]
                return self.voice.fails(
                    "out-of-order", message, expected=list(self.wanted), observed=found, events=cited
                )
        return None

    def _late(self) -> Finding | None:
        deadline = deadline_at(self.case, self.entry)
        places = self._places
        firsts = [places[text][0] for text in self.wanted]
        late = [event for event in firsts if deadline is not None and event.t > deadline]
        if not late:
            return None
        worst = max(late, key=lambda event: event.t)
        message = f"{self.entry.actor} {self.entry.verb} {text_of(worst)!r} {worst.t - (deadline or 0):.1f} s too late"
        expected, observed = span_words(self.entry), since_words(self.case, self.entry, worst.t)
        return self.voice.fails("late", message, expected=expected, observed=observed, events=[e.n for e in late])
