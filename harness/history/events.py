"""One event of a history; docs/spec/history.md is the list of kinds and names."""

from dataclasses import dataclass, field
from typing import Any, Literal

from harness.base.rank import Rank
from harness.history.plan import Plan

Kind = Literal["invoke", "ok", "fail", "info", "saw", "os", "wire", "fault", "story"]

RANK_OF_KIND: dict[str, Rank] = {"wire": Rank.WIRE, "os": Rank.OS, "fault": Rank.HARNESS, "story": Rank.HARNESS}
"""The rank of kinds whose source is always the same; verbs and ``saw`` depend on who is the system under test."""


BUDGET_SPENT = "budget-spent"
"""Code of the ``story.failed`` of a run that was cut short because something in it never rested."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened.

    Attributes:
        n: position in the history, from 0.
        t: true seconds since the world began, rounded to the nanosecond.
        actor: a name of the cast, a link such as ``host-relay``, or ``harness``.
        kind: what sort of thing; decides how far it is believed.
        what: the name, e.g. ``agent.said`` or the verb.
        data: JSON object, its shape fixed by kind and name.
    """

    n: int
    t: float
    actor: str
    kind: Kind
    what: str
    data: dict[str, Any] = field(default_factory=dict)

    def rank(self, suts: frozenset[str]) -> Rank:
        """How far this event is believed when ``suts`` are the actors on trial."""
        fixed = RANK_OF_KIND.get(self.kind)
        if fixed is not None:
            return fixed
        return Rank.ADAPTER if self.actor in suts else Rank.PEER


@dataclass(frozen=True, slots=True)
class Footer:
    """What is only known at the end of a run.

    Attributes:
        simulated_s: true seconds from start to end.
        awake_s: the host's own awake seconds with a live process; sleep does not count.
        wall_s: real seconds the run took; the only field that may differ between equal runs.
        trace_sha256: digest of every segment that crossed the network, ciphertext included.
        segments: how many there were.
    """

    simulated_s: float
    awake_s: float
    wall_s: float
    trace_sha256: str
    segments: int


@dataclass(frozen=True, slots=True)
class History:
    """A finished run: the plan it followed, its events in order, its footer."""

    plan: Plan
    events: tuple[Event, ...]
    footer: Footer
