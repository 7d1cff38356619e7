"""A plan: one permutation of one scenario, with nothing left to decide. A value that can be printed, saved, diffed and replayed.

Deliberately absent: YAML, randomness, and knowledge of any world. What a plan does not say does not happen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

PLAN_VERSION = 1


@dataclass(frozen=True, slots=True)
class Contract:
    """What a profile promises; configures the reference and the expectations alike (design section 4).

    Attributes:
        profile: its name, ``article-2026-02`` by default.
        outage_limit_s: awake seconds without the relay after which ``on_outage`` happens.
        on_outage: ``exit`` (the article) or ``retry`` (interactive sessions of docs-2026-08).
        reconnect_budget_s: longest accepted time from heal to the first delivery; back-off cap + connect timeout + 5.
        dead_peer_bound_s: longest accepted time until silence is noticed; 2 heartbeats + 1, plus a 5 s margin.
        wake_budget_s: longest accepted time from wake to the first delivery (OUT-5).
        capacity: remote sessions of one instance.
        retention_s: how long the relay keeps a silent session.
        heartbeat_s: how often either side is heard from while nothing happens.
        token_lives_s: life of access tokens.
        approve_lives_s: life of ``device:approve`` tokens.
        revocation_bound_s: longest accepted life of anything after revocation (AUT-13: 2 s, plus a round trip).
    """

    profile: str = "article-2026-02"
    outage_limit_s: float = 600.0
    on_outage: Literal["exit", "retry"] = "exit"
    reconnect_budget_s: float = 45.0
    dead_peer_bound_s: float = 36.0
    wake_budget_s: float = 10.0
    capacity: int = 1
    retention_s: float = 2_592_000.0
    heartbeat_s: float = 15.0
    token_lives_s: float = 600.0
    approve_lives_s: float = 120.0
    revocation_bound_s: float = 3.0


@dataclass(frozen=True, slots=True)
class Actor:
    """A name of the cast. ``kind`` says who stands in: ``sut`` is on trial, ``reference`` is believed as a peer."""

    name: str
    role: Literal["host", "relay", "device"]
    kind: Literal["sut", "reference"]


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time that only the run can know: ``offset_s`` from a named moment (``heal``, ``wake``, ``token.expiry``, ``last_heard``...)."""

    of: str
    offset_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a story.

    Attributes:
        id: ``story.3`` or ``story.3.during.0``: its place in the file, stable under ``vary``.
        line: line in the scenario file, from 1.
        do: ``verb`` (an actor acts or is waited for), ``fault`` (a block), ``wait``, or ``python`` (a named step).
        actor: name of the cast; ``""`` for wait and link faults.
        verb: scenario verb, or the fault's name, or the python step's name.
        args: JSON object; for a verb always includes what was written as ``value``; for a fault its parameters, spans in seconds.
        during: steps under a fault.
        deadline_s: after so long a verb that waits has failed.
        until: for wait.
    """

    id: str
    line: int
    do: Literal["verb", "fault", "wait", "python"]
    actor: str = ""
    verb: str = ""
    args: dict[str, Any] = field(default_factory=dict)
    during: tuple["Step", ...] = ()
    deadline_s: float = 60.0
    until: Moment | None = None


@dataclass(frozen=True, slots=True)
class Expectation:
    """One line of ``expect``.

    Attributes:
        id: ``expect.0`` or ``cases.1.expect.0``.
        line: line in the scenario file.
        actor: whom it is about (``wire`` for the tap).
        verb: ``sees``, ``hears``, ``exits``, ``delay``...: a key of ``verbs.EXPECTATIONS``.
        args: JSON object; what was written after the verb is ``value``.
        times: exact count, or None where counting makes no sense.
        within_s: longest accepted time after ``of``.
        of: moment that ``within_s`` counts from (``heal``, ``wake``, ``token.expiry``, ``step``); None = by the end of the run.
        since: moment that a measured span counts from (``last_heard``).
        at_least: minimum sample for a budget or an absence, ``{count, unit}``.
        no_effects: a refusal that must have left nothing behind.
        proves: requirement id.
    """

    id: str
    line: int
    actor: str
    verb: str
    args: dict[str, Any]
    proves: str
    times: int | None = None
    within_s: float | None = None
    of: str | None = None
    since: str | None = None
    at_least: dict[str, Any] | None = None
    no_effects: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """One run, decided.

    Attributes:
        id: ``ten-minute-outage[eight minutes cost nothing,how=reset]``: scenario, case, parameters; unique in a file.
        scenario: name of the scenario.
        family: folder the file lies in.
        file: path as given; for people.
        digest: SHA-256 of the YAML bytes; says whether the file changed since.
        about: the scenario's sentence.
        params: values of ``vary`` and ``case.with``.
        world: ``sim``.
        seed: of everything random in the run.
        contract: the profile in force, with ``given`` overrides applied.
        cast: actors by order of appearance.
        given: set-up, normalised: actor -> JSON object.
        story: steps.
        expectations: what must hold, at least one.
        invariants: names of history checks that run although nobody wrote them (``checks.INVARIANTS``), with requirement ids.
        faults_off: effects off, book-keeping on.
        pinned: fault step id -> true seconds at which it began in the run that this plan replays; empty at first.
    """

    id: str
    scenario: str
    family: str
    file: str
    digest: str
    about: str
    params: dict[str, Any]
    world: str
    seed: int
    contract: Contract
    cast: tuple[Actor, ...]
    given: dict[str, Any]
    story: tuple[Step, ...]
    expectations: tuple[Expectation, ...]
    invariants: tuple[str, ...] = ()
    faults_off: bool = False
    pinned: dict[str, float] = field(default_factory=dict)

    @property
    def suts(self) -> frozenset[str]:
        """Names of the actors on trial."""
        return frozenset(actor.name for actor in self.cast if actor.kind == "sut")


def every_step(steps: Iterable[Step]) -> Iterator[Step]:
    """Steps and those under their faults, in the order in which they begin."""
    for step in steps:
        yield step
        yield from every_step(step.during)
