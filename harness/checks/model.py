"""What a check is, what it returns, and the two registries of checks.

An *expectation check* judges one written line of ``expect``; an *invariant* judges every run, written or not. Both are pure functions. The
same requirement id stands on pass and fail (MCP conformance is the precedent).
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from harness.base.rank import Rank
from harness.base.verdict import Verdict
from harness.history.events import Event, History
from harness.history.plan import Expectation, Plan


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check says about one requirement in one run.

    Attributes:
        requirement: id, e.g. ``RC-OUT-002.ends``.
        check: name of the check that speaks.
        verdict: its opinion.
        code: stable word for the kind of violation (``lost-write``, ``exited-early``...); empty on PASS.
        message: one sentence for people: expected beside observed.
        expected: JSON, what should have been.
        observed: JSON, what was.
        events: ``n`` of the events that show it, in order.
        measured: how much was looked at; zero never passes.
        line: of the expectation in the scenario file; 0 for invariants.
    """

    requirement: str
    check: str
    verdict: Verdict
    code: str = ""
    message: str = ""
    expected: Any = None
    observed: Any = None
    events: tuple[int, ...] = ()
    measured: int = 0
    line: int = 0


@dataclass(frozen=True)
class Case:
    """All a check may look at: the plan and the events, with look-ups that every check needs.

    Attributes:
        forgives: a world of real processes that was late itself is forgiven that; the judge asks every check both ways.
    """

    plan: Plan
    history: History
    by_kind: dict[str, list[Event]] = field(default_factory=dict)
    forgives: bool = True

    @property
    def events(self) -> tuple[Event, ...]:
        """The events in order."""
        return self.history.events

    def of(self, kind: str, what: str = "", actor: str = "") -> list[Event]:
        """Events of a kind, optionally of one name and one actor, in order."""
        return [
            event
            for event in self.by_kind.get(kind, ())
            if (not what or event.what == what) and (not actor or event.actor == actor)
        ]

    def names(self, role: str) -> list[str]:
        """Names of the cast's actors of a role, in order of appearance."""
        return [actor.name for actor in self.plan.cast if actor.role == role]

    def rank(self, event: Event) -> Rank:
        """How far an event is believed in this run."""
        return event.rank(self.plan.suts)

    @property
    def has_drained(self) -> bool:
        """Whether the run came to its final quiet; without it absence means nothing."""
        return bool(self.of("story", "drained"))


def case_of(history: History) -> Case:
    """Index a history by kind, once for all checks."""
    by_kind: dict[str, list[Event]] = defaultdict(list)
    for event in history.events:
        by_kind[event.kind].append(event)
    return Case(history.plan, history, dict(by_kind))


ABSENCE = frozenset(
    {
        "lost-write",
        "not-delivered",
        "did-not-exit",
        "did-not-run",
        "late",
        "exited-late",
        "wrong-status",
        "wrong-presence",
        "wrong-approval",
        "stage-not-reached",
        "wrong-title",
        "wrong-list",
        "read-your-writes",
        "not-told",
        "no-answer",
        "stream-open",
        "not-refused",
    }
)
"""Codes that rest on something *not* seen: they mean nothing once the story has stopped half-way or has not come to its final quiet."""


type ExpectationCheck = Callable[[Case, Expectation], Finding]
type Invariant = Callable[[Case], list[Finding]]


@dataclass(frozen=True, slots=True)
class Registered:
    """An expectation check and the weakest evidence it accepts."""

    name: str
    judge: ExpectationCheck
    rank: Rank


EXPECTATIONS: dict[tuple[str, str], Registered] = {}
"""(role or ``wire``, verb) -> check."""

INVARIANTS: dict[str, Invariant] = {}
"""Name -> check that runs over every history it applies to."""


def expectation(role: str, verb: str, *, rank: Rank = Rank.ADAPTER) -> Callable[[ExpectationCheck], ExpectationCheck]:
    """Register the check behind ``role.verb`` in ``expect``."""

    def register(judge: ExpectationCheck) -> ExpectationCheck:
        assert (role, verb) not in EXPECTATIONS, (role, verb)
        EXPECTATIONS[role, verb] = Registered(judge.__name__, judge, rank)
        return judge

    return register


LAWS: dict[str, tuple[str, ...]] = {}
"""Name of an invariant -> requirements that it speaks about."""


def invariant(name: str, *requirements: str) -> Callable[[Invariant], Invariant]:
    """Register a check that judges every run, and what it judges."""

    def register(judge: Invariant) -> Invariant:
        assert name not in INVARIANTS, name
        INVARIANTS[name] = judge
        LAWS[name] = requirements
        return judge

    return register
