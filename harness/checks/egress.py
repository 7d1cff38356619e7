"""What the host opens and dials, by the socket census: it listens nowhere, dials its relay only, and where a proxy is the only way out no other.

A counter that must stay zero counts only once it has been seen to count: a probe of ours (``probe: true``), or the same thing done by another
actor. Deliberately absent: the host's own word. Source: EGR-1, EGR-2, EGR-4, OUT-11, TLS-4.
"""

from bisect import bisect_left
from dataclasses import dataclass
from http import HTTPStatus

from harness.base.rank import Rank
from harness.checks.findings import Voice, voice_of
from harness.checks.model import Case, Finding, expectation, invariant
from harness.history.events import Event
from harness.history.plan import Expectation

TLS_PORT = 443
"""Of a relay that does not say on which port it was started."""

STALE = "stale"
"""What is recorded of a stale answer in the place of its address: who was given one may go wherever it pointed."""


@expectation("host", "direct_attempts", rank=Rank.OS)
def direct_attempts(case: Case, entry: Expectation) -> Finding:
    """How often the host tried to get past the proxy: by a dial, or by asking for the relay's name (RC-EGR-004.proxy-only)."""
    voice, wanted, cast = voice_of("host", entry), entry.args.get("value"), {one.name for one in case.plan.cast}
    tries = [event for event in case.of("os", "socket.dialled") if event.data.get("via") == "direct"]
    asked = [event for event in case.of("os", "dns.asked") if event.data.get("name") in _relays(case)]
    own = [event for event in case.of("os", "socket.dialled", entry.actor) if not event.data.get("probe")]
    past = [event for event in [*tries, *asked] if event.actor == entry.actor and not event.data.get("probe")]
    control = [event for event in tries if event not in past and (event.data.get("probe") or event.actor in cast)]
    if past and isinstance(wanted, int) and len(past) > wanted:
        code, did = ("dialled-direct", "dialled") if past[0] in tries else ("asked-direct", "asked for the name of")
        told = f"{entry.actor} {did} {past[0].data.get('to') or past[0].data.get('name')} past the proxy"
        return voice.fails(code, told, expected=wanted, observed=len(past), events=[e.n for e in past])
    if not control:
        return voice.unclear("no-control", "no probe showed that a direct dial would have been counted")
    if any(event.data.get("probe") for event in case.of("os", "socket.connected", entry.actor)):
        return voice.unclear("way-open", "a probe of ours got past the proxy: it was not the only way out")
    if not any(event not in past for event in own):
        return voice.unclear("never-dialled", f"{entry.actor} never dialled through the proxy")
    return voice.passes(len(own), len(past), expected=wanted, events=[own[0].n, control[0].n])


def _relays(case: Case) -> set[str]:
    """Names under which relays were started; whoever goes by a proxy has no need to look them up."""
    relays = case.names("relay")
    return {str(event.data.get("name")) for event in case.of("invoke", "start") if event.actor in relays}


@expectation("host", "listens", rank=Rank.OS)
def listens(case: Case, entry: Expectation) -> Finding:
    """The host accepts connections nowhere, ever (RC-EGR-001.outbound-only)."""
    voice = voice_of("host", entry)
    listening = case.of("os", "socket.listening")
    own = [event for event in listening if event.actor == entry.actor and not event.data.get("probe")]
    control = [event for event in listening if event not in own]
    if own:
        told = f"{entry.actor} listens at {own[0].data.get('address')}"
        return voice.fails("listens", told, expected="nowhere", observed=own[0].data, events=[e.n for e in own])
    if not control:
        return voice.unclear("no-control", "no probe showed that a listening socket would have been counted")
    if not case.of("os", "process.started", entry.actor):
        return voice.unclear("never-started", f"{entry.actor} was never started")
    return voice.passes(len(control), "nowhere", expected="nowhere", events=[event.n for event in control])


@invariant("declared-only", "RC-EGR-002.declared-only")
def declared_only(case: Case) -> list[Finding]:
    """A host dials relays and its proxy, and asks for no other name; a proxy does the same for it (EGR-2)."""
    voice, way = Voice("RC-EGR-002.declared-only", "declared-only"), _way_out(case)
    relays, machines = _relays(case), case.names("relay")
    asked = [event for event in case.of("os", "dns.asked") if event.actor in way.senders]
    known = relays | {_word(event, "name") for event in asked if _word(event, "answer") in way.addresses}
    strange = [event for event in asked if _word(event, "name") not in known]
    if strange:
        told = f"{strange[0].actor} asked for the name {strange[0].data.get('name')}"
        return [voice.fails("asked-elsewhere", told, events=[event.n for event in strange])]
    points = {_word(event, "answer") for event in asked if _word(event, "name") in relays}
    others = [event for event in way.dials if event.data.get("to") not in machines]
    lost = [event for event in others if _word(event, "address") not in points]
    if lost and STALE not in points:
        told = f"{lost[0].actor} dialled {lost[0].data.get('to')}, which is no relay"
        return [voice.fails("dialled-elsewhere", told, events=[event.n for event in lost])]
    if not way.dials:
        return [voice.silent(_uncounted(case) or "no host dialled anybody")]
    return [voice.passes(len(way.dials), 0, expected=0, events=[event.n for event in way.dials])]


@invariant("no-plaintext", "RC-TLS-004.no-plaintext")
def no_plaintext(case: Case) -> list[Finding]:
    """What a host dials, itself or by its proxy, is the relay's TLS port, and the first byte there is one of TLS (TLS-4)."""
    voice, way = Voice("RC-TLS-004.no-plaintext", "no-plaintext"), _way_out(case)
    starts = [event for relay in case.names("relay") for event in case.of("invoke", "start", relay)]
    ports = {str(event.data.get("port", TLS_PORT)) for event in starts}
    strange = [event for event in way.dials if _word(event, "port") not in ports]
    if strange:
        told = f"{strange[0].actor} dialled port {strange[0].data.get('port')}"
        return [voice.fails("plain-port", told, expected=sorted(ports), events=[e.n for e in strange])]
    numbers = {_word(event, "conn") for event in way.dials}
    spoke = [event for event in case.of("os", "socket.spoke") if _word(event, "conn") in numbers]
    plain = [event for event in spoke if not event.data.get("tls")]
    if plain:
        told = f"{plain[0].actor} began connection {plain[0].data.get('conn')} in clear"
        return [voice.fails("plaintext", told, expected=0, observed=len(plain), events=[event.n for event in plain])]
    if not spoke:
        return [voice.silent(_uncounted(case) or "no host said anything to anybody")]
    return [voice.passes(len(spoke), 0, expected=0, events=[event.n for event in spoke])]


def _uncounted(case: Case) -> str:
    """Why a world has no census of connections; empty if it has one."""
    return "connections are not counted where machines share one loopback" if case.of("os", "ground.shared") else ""


@dataclass(frozen=True, slots=True)
class _WayOut:
    """How hosts leave.

    Attributes:
        senders: who dials for them: they themselves and their proxies.
        addresses: of the proxies.
        dials: of the senders, to anybody but a proxy; probes are left out.
    """

    senders: set[str]
    addresses: set[str]
    dials: list[Event]


def _way_out(case: Case) -> _WayOut:
    dials = [event for event in case.of("os", "socket.dialled") if not event.data.get("probe")]
    hosts = set(case.names("host"))
    by_proxy = [event for event in dials if event.actor in hosts and event.data.get("via") == "proxy"]
    senders = hosts | {_word(event, "to") for event in by_proxy}
    direct = [event for event in dials if event.actor in senders and event.data.get("via") == "direct"]
    return _WayOut(senders, {_word(event, "address") for event in by_proxy}, direct)


def _word(event: Event, name: str) -> str:
    return str(event.data.get(name))


@expectation("device", "attempts", rank=Rank.OS)
@expectation("host", "attempts", rank=Rank.OS)
def attempts(case: Case, entry: Expectation) -> Finding:
    """A client tries no more often than accepted in any span of the given length: it dials, or asks and is refused (RC-OUT-011)."""
    role = next((actor.role for actor in case.plan.cast if actor.name == entry.actor), "host")
    voice, value = voice_of(role, entry), entry.args.get("value")
    most, per_s = (value.get("at_most"), value.get("per")) if isinstance(value, dict) else (None, None)
    if not isinstance(most, int) or not isinstance(per_s, (int, float)):
        return voice.unclear("no-limit", "the expectation names no limit")
    tries = _tries(case, entry.actor)
    least = int((entry.at_least or {}).get("count", 1))
    if len(tries) < least:
        return voice.unclear("too-few", f"only {len(tries)} attempts of at least {least}")
    crowd = _densest(tries, float(per_s))
    if len(crowd) > most:
        told = (
            f"{entry.actor} tried {len(crowd)} times within {per_s:g} s, from {crowd[0].t:.1f} s on; accepted is {most}"
        )
        return voice.fails("too-many-attempts", told, expected=most, observed=len(crowd), events=[e.n for e in crowd])
    return voice.passes(len(tries), len(crowd), expected=most, events=[event.n for event in crowd])


def _tries(case: Case, actor: str) -> list[Event]:
    """Attempts of a client in order: its refusals, and its dials that led to none; a dial and the refusal that it leads to are one."""
    refusals = [event for event in case.of("wire", "response", actor) if _is_refusal(event)]
    refused = {_word(event, "conn") for event in refusals}
    dials = [event for event in case.of("os", "socket.dialled", actor) if not event.data.get("probe")]
    return sorted(
        [*refusals, *(dial for dial in dials if _word(dial, "conn") not in refused)], key=lambda event: event.n
    )


def _is_refusal(answer: Event) -> bool:
    """Whoever answered: a proxy that says no is hammered as well as a relay, and so is one that says yes in the relay's place."""
    return int(answer.data.get("status", 0)) >= HTTPStatus.BAD_REQUEST or answer.data.get("relays") is False


def _densest(tries: list[Event], per_s: float) -> list[Event]:
    """The most attempts in any half-open span of this length."""
    times = [event.t for event in tries]
    ends = [bisect_left(times, at + per_s, lo=index) for index, at in enumerate(times)]
    best = max(range(len(tries)), key=lambda index: ends[index] - index)
    return tries[best : ends[best]]
