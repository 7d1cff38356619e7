"""A scenario of outages: what happens in each, and what a session owes its owner in outages of just these lengths.

Three things may become of a session in an outage of the host: it surely survives, it surely ends, or it hangs on seconds that no log tells. The
scenario claims what is sure and goes no further than the first outage after which the session may be over. Deliberately absent: reading logs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Literal

from harness.base.errors import UsageError
from harness.base.span import format_span
from harness.history.plan import Contract
from harness.outages.log import Outage, clock
from harness.scenario.profiles import PROFILES

OUTAGES_MAX = 100
"""Of one scenario: on real processes each takes some ten seconds, and a quarter of an hour is what a pipeline may take."""

LASTS_S_MIN = 5.0
"""A second at either end of a cut proves nothing (``harness.faults.proof.GRACE_S``), and a message has to fall between."""

PHONE_LASTS_S_MAX = 28_800.0
"""A night: a phone that was away for longer owes nothing else, until the relay forgets the session after days."""

OVER_LIMIT_RATIO = 1.5
"""An outage that ends the session is replayed for so many limits at most; afterwards nobody is there to see more of it."""

LATE_S = 5.0
"""A host has ended so much after the limit, as scenarios/outage/boundary-since-last-heard.yaml has it."""

BEAT_S = 1.0
"""Steps of a story begin on whole seconds (``harness.worlds.director``), so no time between outages is shorter."""

SAYS_AFTER_S = 2.0
"""When in an outage the session speaks, so that what it says cannot have slipped out before."""

Link = Literal["host-relay", "phone-relay"]
Fate = Literal["survives", "ends", "unsure"]


@dataclass(frozen=True, slots=True)
class Act:
    """One outage on stage.

    Attributes:
        first: number of the outage in the log, from 1.
        last: the same, or that of the last one that is played as one with it.
        lasts_s: how long the link is cut.
        fate: of the session.
        up_s: how long it is up afterwards, before the next outage; 0 after the last.
        settles: whether that is long enough for all that was said to arrive.
        logged: the outage as the log has it, from the first's beginning to the last's end.
    """

    first: int
    last: int
    lasts_s: float
    fate: Fate
    up_s: float
    settles: bool
    logged: Outage


@dataclass(frozen=True, slots=True)
class Wish:
    """What the scenario should be.

    Attributes:
        name: of the scenario.
        source: name of the log's file, for people.
        zone: in which the log tells its times.
        link: which link was cut.
        up_s_max: longer times without an outage are shortened to this.
        skip: so many outages of the log are left out at its beginning.
    """

    name: str
    source: str
    zone: str = "unix"
    link: Link = "host-relay"
    up_s_max: float = 900.0
    skip: int = 0


def acts_of(outages: Sequence[Outage], wish: Wish, contract: Contract) -> tuple[Act, ...]:
    """The outages that the scenario plays: up to the first that the session may not outlive, at least one.

    Raises:
        UsageError: nothing is left after ``skip``, or too much; or ``up_s_max`` leaves no time to come back.
    """
    if wish.up_s_max < _heard_within_s(contract):
        least = format_span(_heard_within_s(contract))
        raise UsageError(f"{format_span(wish.up_s_max)} between outages are too few to come back in; at least {least}")
    if wish.skip >= len(outages):
        raise UsageError(f"{wish.source}: has {len(outages)} outages, so none is left after `--skip {wish.skip}`")
    acts = list(_acts(outages, wish, contract))
    if len(acts) > OUTAGES_MAX:
        raise UsageError(
            f"{wish.source}: {len(acts)} outages; one scenario has at most {OUTAGES_MAX}: take a shorter part of the log"
        )
    return tuple(acts)


def _heard_within_s(contract: Contract) -> float:
    """After so long without an outage a host has surely been heard, and all has arrived."""
    return contract.heartbeat_s + contract.reconnect_budget_s + LATE_S


def _joined(outages: Sequence[Outage], skip: int, reconnect_budget_s: float) -> list[tuple[int, int, Outage]]:
    """Number of the first, of the last, and the whole of those that are played as one.

    One that is so short, and comes so soon after another, may fall between two attempts to reconnect: nothing would show that it was there.
    """
    found: list[tuple[int, int, Outage]] = []
    for number, outage in enumerate(outages[skip:], skip + 1):
        if found:
            first, _, before = found[-1]
            if max(outage.lasted_s, outage.began_at - before.healed_at) < reconnect_budget_s:
                found[-1] = first, number, Outage(before.began_at, outage.healed_at)
                continue
        found.append((number, number, outage))
    return found


def _acts(outages: Sequence[Outage], wish: Wish, contract: Contract) -> Iterator[Act]:
    """A host that has just come back may not have been heard yet, so outages that follow closely count as one silence."""
    heard_within_s = _heard_within_s(contract)
    joined = _joined(outages, wish.skip, contract.reconnect_budget_s)
    silent_since = joined[0][2].began_at
    for (first, last, outage), later in zip_longest(joined, joined[1:]):
        fate: Fate = "survives"
        if wish.link == "host-relay" and outage.healed_at - silent_since + heard_within_s > contract.outage_limit_s:
            fate = "ends" if outage.lasted_s >= contract.outage_limit_s + LATE_S else "unsure"
        lasts_s = _lasts_s(outage, wish, contract)
        if later is None or fate != "survives":
            yield Act(first, last, lasts_s, fate, 0.0, settles=True, logged=outage)
            return
        up_s = later[2].began_at - outage.healed_at
        settles = up_s >= heard_within_s
        yield Act(first, last, lasts_s, fate, max(min(up_s, wish.up_s_max), BEAT_S), settles, outage)
        if settles:
            silent_since = later[2].began_at


def _lasts_s(outage: Outage, wish: Wish, contract: Contract) -> float:
    most_s = OVER_LIMIT_RATIO * contract.outage_limit_s if wish.link == "host-relay" else PHONE_LASTS_S_MAX
    return min(max(outage.lasted_s, LASTS_S_MIN), most_s)


def notes(acts: Sequence[Act], outages: Sequence[Outage], wish: Wish) -> list[str]:
    """What the scenario does not have as the log has it; sentences for people, empty if it is all there."""
    found = [f"{_count(wish.skip)} at the beginning left out"] if wish.skip else []
    found += [note for act in acts for note in _changed(act)]
    shortened = sum(act.up_s < later.logged.began_at - act.logged.healed_at for act, later in pairwise(acts))
    found += [f"times between outages shortened to {format_span(wish.up_s_max)}: {shortened}"] if shortened else []
    return [*found, *_not_told(acts[-1], len(outages))]


def _changed(act: Act) -> Iterator[str]:
    """Say so if an outage is longer or shorter on stage."""
    if act.first < act.last:
        yield f"outages {act.first} to {act.last} are played as one: so short and so soon, the later would leave no trace"
    if act.lasts_s != act.logged.lasted_s:
        yield f"outage {act.first}: {format_span(act.logged.lasted_s)} in the log, {format_span(act.lasts_s)} here"


def _not_told(act: Act, number_of_all: int) -> Iterator[str]:
    """What becomes of a session after its last outage, where that is not told."""
    if act.fate == "unsure":
        yield f"whether the session outlives outage {act.last} hangs on seconds, so nothing is claimed about that"
    if act.last < number_of_all:
        rest = _count(number_of_all - act.last)
        yield f"{rest} after outage {act.last} left out, because the session may be over; `--skip {act.last}` begins there"


def _count(number: int) -> str:
    return f"{number} outage{'' if number == 1 else 's'}"


def scenario_text(acts: Sequence[Act], outages: Sequence[Outage], wish: Wish) -> str:
    """The scenario file."""
    return "\n".join((*_head(acts, outages, wish), "story:", *_story(acts, wish), "expect:", *_expect(acts, wish), ""))


def _head(acts: Sequence[Act], outages: Sequence[Outage], wish: Wish) -> Iterator[str]:
    first, last = acts[0].logged, acts[-1].logged
    yield f"# Recorded from {wish.source} by `relayproof record`: {clock(first.began_at, wish.zone)} to {clock(last.healed_at, wish.zone)}."
    yield from (f"# {note[:1].upper()}{note[1:]}." for note in notes(acts, outages, wish))
    yield f"scenario: {wish.name}"
    yield f"about: {_about(acts, wish)}"
    on_trial = wish.link.partition("-")[0]
    yield f"cast: {{{', '.join(f'{role}: {"sut" if role == on_trial else "reference"}' for role in ('host', 'relay', 'phone'))}}}"
    if acts[-1].fate == "ends":
        ending = [name for name, contract in PROFILES.items() if contract.on_outage == "exit"]
        yield f"profile: [{', '.join(ending)}]    # those under which an outage ends a session"


def _about(acts: Sequence[Act], wish: Wish) -> str:
    whose = "a phone" if wish.link == "phone-relay" else "a host"
    many = _count(len(acts))
    longest = format_span(round(max(act.lasts_s for act in acts)))
    ends = {
        "survives": "all is caught up on, once and in order",
        "ends": "the last one ends the session, and what came before it is all there",
        "unsure": "whatever the last one does to the session, what came before it is all there",
    }
    return f"{many} of {whose}, as they were recorded, the longest of {longest}; {ends[acts[-1].fate]}."


def _story(acts: Sequence[Act], wish: Wish) -> Iterator[str]:
    yield "  - host.says: before"
    yield "  - phone.sees: before    # control: the path worked before the first outage"
    for act in acts:
        yield f"  - fault: {{cut: {wish.link}, for: {format_span(act.lasts_s)}}}    # {clock(act.logged.began_at, wish.zone)}"
        yield "    during:"
        yield f"      - wait: {format_span(SAYS_AFTER_S)}"
        yield f"      - host.says: {_said(act)}"
        yield f"      - phone.sends: {_sent(act)}"
        if wish.link == "phone-relay":
            yield "        within: 1s    # nobody can answer; it is sent again by the phone itself"
        if act is not acts[-1] and act.settles:
            yield f"  - phone.sees: {_said(act)}"
            yield "    within: reconnect_budget"
        if act is not acts[-1]:
            yield f"  - wait: {format_span(act.up_s)} after heal"


def _said(act: Act) -> str:
    return f"said in outage {act.first}"


def _sent(act: Act) -> str:
    return f"sent in outage {act.first}"


def _expect(acts: Sequence[Act], wish: Wish) -> Iterator[str]:
    before = [act for act in acts if act.fate == "survives"]
    last = acts[-1]
    if wish.link == "phone-relay":
        yield from _phone_is_back(before)
    elif last.fate == "survives":
        yield from _host_is_back(before)
    else:
        yield from _all_before(before)
        yield from _host_is_gone(last) if last.fate == "ends" else ()


def _host_is_back(acts: Sequence[Act]) -> Iterator[str]:
    sent = ", ".join(map(_sent, acts))
    yield "  - {phone.sees: every line, times: 1, within: reconnect_budget of heal, proves: RC-OUT-001.catches-up}"
    yield f"  - {{host.hears: [{sent}], times: 1, within: reconnect_budget of heal, proves: RC-OUT-001.catches-up}}"
    yield "  - {host.process: same as before, proves: RC-OUT-001.stays-alive}"
    yield "  - {phone.shows: online, within: reconnect_budget of heal, proves: RC-OPS-002.truthful}"


def _phone_is_back(acts: Sequence[Act]) -> Iterator[str]:
    sent = ", ".join(map(_sent, acts))
    yield "  - {phone.sees: every line, times: 1, within: reconnect_budget of heal, proves: RC-ORD-009.resumes}"
    yield f"  - {{host.hears: [{sent}], times: 1, within: reconnect_budget of heal, proves: RC-ORD-012.pending-visible}}"
    yield "  - {phone.shows: online, within: reconnect_budget of heal, proves: RC-OPS-002.truthful}"


def _all_before(acts: Sequence[Act]) -> Iterator[str]:
    """Of what had time to arrive before the last outage."""
    settled = max((number for number, act in enumerate(acts, 1) if act.settles), default=0)
    acts = acts[:settled]
    said = ", ".join(["before", *map(_said, acts)])
    yield f"  - {{phone.sees: [{said}], times: 1, proves: RC-OUT-001.catches-up}}"
    if acts:
        yield f"  - {{host.hears: [{', '.join(map(_sent, acts))}], times: 1, proves: RC-OUT-001.catches-up}}"


def _host_is_gone(act: Act) -> Iterator[str]:
    yield "  - {host.exits: about outage_limit, since: last_heard, proves: RC-OUT-002.ends}"
    yield f"  - {{phone.sees: {_said(act)}, times: 0, proves: RC-OUT-002.ends}}"
    yield f"  - {{host.hears: {_sent(act)}, times: 0, proves: RC-OUT-002.ends}}"
    yield "  - {phone.shows: offline, proves: RC-OUT-002.tells-devices}"
