"""One run as reports see it, and the sum of many.

Rows are plain JSON values inside, so that a worker process can hand them to the one that writes the report. Deliberately absent: how a verdict
came about.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.base.verdict import Verdict, worst
from harness.scenario.expand import LeftOut

INTERRUPTED = "interrupted"
"""Why a run was left out that Ctrl-C came before."""


@dataclass(frozen=True, slots=True)
class RequirementRow:
    """What one run, or all runs together, say about one requirement.

    Attributes:
        id: ``RC-OUT-002.ends``.
        level: MUST, SHOULD, MAY; ``""`` if no row of requirements.yaml has this id.
        verdict: worst of the findings about it.
    """

    id: str
    level: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class FaultRow:
    """One fault of a run.

    Attributes:
        name: ``cut``.
        evidence: that it bit, as a JSON object; None if the run ended before there was any.
        realised_by: by what the world carried it out (docs/spec/history.md), empty if it did not.
    """

    name: str
    evidence: dict[str, Any] | None
    realised_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """One run.

    Attributes:
        id: the plan's id.
        node: what pytest calls it, ``file::id``; unique in a session.
        file: the scenario file as given.
        line: line of the failed expectation, or of the scenario.
        family: folder of the file.
        verdict: of the whole run.
        seed: of the run.
        world: in which it ran; empty if there is no record of it, as ``profile``.
        profile: of its contract.
        simulated_s: true seconds from start to end.
        awake_s: the host's awake seconds.
        wall_s: real seconds.
        history_sha256: digest of the history without its footer; empty if there is none.
        requirements: in order of id.
        faults: in order of the story.
        calibration: what the world's own path takes, one JSON object for each link that was measured; empty in the simulated world.
        delays: what each budget of delay was held against: ``requirement``, ``line``, ``budget_s``, percentiles in seconds (or ``never``),
            ``said_s``, ``run_s``, ``late_p99_s`` (or None), ``lines``.
        why: one line; empty on PASS.
        explanation: what a person reads to understand the failure; empty on PASS.
        again: the command that repeats the run; empty on PASS, and where there is no plan.
    """

    id: str
    node: str
    file: str
    line: int
    family: str
    verdict: Verdict
    seed: int
    simulated_s: float = 0.0
    awake_s: float = 0.0
    wall_s: float = 0.0
    history_sha256: str = ""
    world: str = ""
    profile: str = ""
    requirements: tuple[RequirementRow, ...] = ()
    faults: tuple[FaultRow, ...] = ()
    calibration: tuple[dict[str, Any], ...] = ()
    delays: tuple[dict[str, Any], ...] = ()
    why: str = ""
    explanation: str = ""
    again: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """All runs of one session.

    Attributes:
        rows: in order of collection.
        left_out: what was not planned.
        wall_s: real seconds of the session, collection included.
    """

    rows: tuple[Row, ...]
    left_out: tuple[LeftOut, ...] = ()
    wall_s: float = 0.0

    @property
    def totals(self) -> dict[str, int]:
        """Verdict name -> count, every verdict present, best first."""
        counted = Counter(row.verdict for row in self.rows)
        return {verdict.name: counted[verdict] for verdict in Verdict}

    @property
    def verdict(self) -> Verdict:
        """Worst of all rows; ``NOT_RUN`` if there are none, because zero measured is never a pass, or if Ctrl-C came before some."""
        return Verdict.NOT_RUN if self.cut_short else worst(row.verdict for row in self.rows)

    @property
    def cut_short(self) -> int:
        """How many runs Ctrl-C came before; ``totals`` does not count them."""
        return sum(left.reason == INTERRUPTED for left in self.left_out)

    @property
    def left_out_by_reason(self) -> dict[str, list[str]]:
        """What was not planned, by its reason, without what Ctrl-C came before."""
        by_reason: dict[str, list[str]] = defaultdict(list)
        for left in self.left_out:
            by_reason[left.reason].append(left.id)
        by_reason.pop(INTERRUPTED, None)
        return dict(by_reason)

    @property
    def calibration(self) -> dict[str, Any] | None:
        """The slowest null path of the session, with its run; None where nothing was calibrated."""
        measured = [{"id": row.id, **one} for row in self.rows for one in row.calibration]
        return max(measured, key=lambda one: float(one["p99_s"]), default=None)

    @property
    def requirements(self) -> tuple[RequirementRow, ...]:
        """Every requirement that any run spoke about, worst verdict, in order of id."""
        return join_requirements(entry for row in self.rows for entry in row.requirements)

    @property
    def unhappy(self) -> tuple[Row, ...]:
        """Rows that are neither PASS nor NOT_APPLICABLE, in order of collection."""
        return tuple(row for row in self.rows if row.verdict > Verdict.PASS)


def join_requirements(rows: Iterable[RequirementRow]) -> tuple[RequirementRow, ...]:
    """Join rows of the same id by their worst verdict, in order of id."""
    joined: dict[str, RequirementRow] = {}
    for row in rows:
        known = joined.get(row.id)
        if known is None or row.verdict > known.verdict:
            joined[row.id] = row
    return tuple(joined[key] for key in sorted(joined))
