"""Two reports beside each other: verdict by verdict, scenario by scenario and requirement by requirement, over what both speak about.

A run is known by its id, as everywhere in reports, so those of other folders and other worlds can be compared. Deliberately absent: which of two
verdicts is right.
"""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.report.report_json import REPORT_VERSION

REPORT_BYTES_MAX = 1 << 28
"""Far above any report: one of 100,000 runs has about 100 MB."""


class Requirement(msgspec.Struct, frozen=True):
    """As one run judged it."""

    id: str
    verdict: str


class Run(msgspec.Struct, frozen=True):
    """One run, as far as it is compared."""

    id: str
    verdict: str
    seed: int
    world: str
    profile: str
    requirements: list[Requirement] = []

    @property
    def has_record(self) -> bool:
        """Whether it was begun at all: what was only planned has neither world nor seed."""
        return self.verdict != Verdict.NOT_RUN.name


class Report(msgspec.Struct, frozen=True):
    """A ``report.json``, as far as it is compared."""

    report: int
    scenarios: list[Run]


@dataclass(frozen=True, slots=True)
class Pair:
    """What two reports say about one run, or about one requirement of it.

    Attributes:
        scenario: the run's id.
        requirement: empty where it is about the whole run.
        verdicts: of the first and of the second report; None where it is not in there.
    """

    scenario: str
    requirement: str
    verdicts: tuple[str | None, str | None]

    @property
    def is_shared(self) -> bool:
        """Whether both judged it; what does not apply in one of the worlds was not judged there."""
        return not {None, Verdict.NOT_APPLICABLE.name} & set(self.verdicts)

    @property
    def is_equal(self) -> bool:
        """Whether both came to the same; two that have no verdict about the system did not, because nothing was measured in either."""
        one, two = self.verdicts
        return one == two and one in (Verdict.PASS.name, Verdict.FAIL.name)


@dataclass(slots=True)
class Tally:
    """How many verdicts are equal, different, or in one report only."""

    equal: int = 0
    different: int = 0
    only_in_first: int = 0
    only_in_second: int = 0


@dataclass(slots=True)
class Comparison:
    """What came of comparing.

    Attributes:
        scenarios: counts of runs.
        requirements: counts of requirements, within the runs that both have.
        different: where the verdicts differ, in order of the first report.
        alone: what only one of them judged, in the same order.
    """

    scenarios: Tally = field(default_factory=Tally)
    requirements: Tally = field(default_factory=Tally)
    different: list[Pair] = field(default_factory=list)
    alone: list[Pair] = field(default_factory=list)

    @property
    def is_equal(self) -> bool:
        """Whether nothing differs and something was compared."""
        return not self.different and self.scenarios.equal > 0 and self.requirements.equal > 0

    def add(self, tally: Tally, pair: Pair) -> None:
        """Count a pair; one that applies in neither is not counted."""
        if pair.is_shared:
            tally.equal += pair.is_equal
            tally.different += not pair.is_equal
            if not pair.is_equal:
                self.different.append(pair)
            return
        judged = [verdict not in (None, Verdict.NOT_APPLICABLE.name) for verdict in pair.verdicts]
        tally.only_in_first += judged[0]
        tally.only_in_second += judged[1]
        if any(judged):
            self.alone.append(pair)


def read_report(path: Path) -> Report:
    """Read a ``report.json``, or that of a folder.

    Raises:
        UsageError: it is missing, truncated, no report, or of another version; with the remedy.
    """
    file = path / "report.json" if path.is_dir() else path
    try:
        if file.stat().st_size > REPORT_BYTES_MAX:
            raise UsageError(f"{file}: larger than {REPORT_BYTES_MAX >> 20} MiB, so it is no report")
        report = msgspec.json.decode(file.read_bytes(), type=Report)
        _verdicts_known(report)
    except OSError as error:
        remedy = "name a report.json, or the folder that was given to `--report`"
        raise UsageError(f"{file}: cannot be read ({error.strerror or error}); {remedy}") from None
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        remedy = "write it anew with `relayproof run ... --report DIR`"
        raise UsageError(f"{file}: truncated, or no report of this version ({error}); {remedy}") from None
    if report.report != REPORT_VERSION:
        raise UsageError(f"{file}: a report of version {report.report}, this is {REPORT_VERSION}; write it anew")
    return report


def _verdicts_known(report: Report) -> None:
    """Raise ValueError for a verdict that nobody gives."""
    given = {run.verdict for run in report.scenarios}
    given |= {entry.verdict for run in report.scenarios for entry in run.requirements}
    strange = sorted(given - set(Verdict.__members__))
    if strange:
        raise ValueError(f"no verdict is called {strange[0]!r}")


def compare(first: Report, second: Report) -> Comparison:
    """Compare two reports over the runs that both have.

    Raises:
        UsageError: they share no run, a run stands in one of them twice, or shared runs had another seed or profile.
    """
    ours, theirs = _by_id(first, "first"), _by_id(second, "second")
    shared = [name for name in ours if name in theirs]
    if not shared:
        raise UsageError(
            f"nothing can be compared: of {len(ours)} and {len(theirs)} runs none is in both; run the same scenarios"
        )
    _same_terms([(ours[name], theirs[name]) for name in shared])
    found = Comparison()
    for name in dict.fromkeys((*ours, *theirs)):
        one, two = ours.get(name), theirs.get(name)
        found.add(found.scenarios, Pair(name, "", (_verdict(one), _verdict(two))))
        if one is not None and two is not None:
            _requirements(found, one, two)
    return found


def _verdict(run: Run | None) -> str | None:
    return None if run is None else run.verdict


def _by_id(report: Report, which: str) -> dict[str, Run]:
    twice = [name for name, count in Counter(run.id for run in report.scenarios).items() if count > 1]
    if twice:
        raise UsageError(f"the {which} report has {twice[0]} twice; give every scenario a name of its own")
    return {run.id: run for run in report.scenarios}


def _same_terms(pairs: list[tuple[Run, Run]]) -> None:
    """Refuse runs that were promised something else, or drew other random numbers."""
    for name in ("seed", "profile"):
        other = [
            (one, two)
            for one, two in pairs
            if one.has_record and two.has_record and getattr(one, name) != getattr(two, name)
        ]
        if other:
            one, two = other[0]
            raise UsageError(
                f"{len(other)} of {len(pairs)} shared runs had another {name}, the first of them {one.id}: "
                f"{getattr(one, name)} and {getattr(two, name)}; run both with the same `--{name}`"
            )


def _requirements(found: Comparison, one: Run, two: Run) -> None:
    ours, theirs = ({entry.id: entry.verdict for entry in run.requirements} for run in (one, two))
    for name in dict.fromkeys((*ours, *theirs)):
        found.add(found.requirements, Pair(one.id, name, (ours.get(name), theirs.get(name))))


def comparison_object(found: Comparison, worlds: tuple[str, str]) -> dict[str, Any]:
    """A comparison as a JSON object; ``worlds`` are those of the two reports."""
    built: dict[str, Any] = msgspec.to_builtins(found)
    return {"equal": found.is_equal, "worlds": list(worlds), **built}


def comparison_text(found: Comparison, names: tuple[str, str]) -> str:
    """A comparison for people: every difference with both verdicts, then the counts.

    Args:
        found: what came of comparing.
        names: of the two reports.
    """
    lines = [f"1  {names[0]}", f"2  {names[1]}", ""]
    for pair in found.different:
        left, right = pair.verdicts
        lines.append(f"{left:<14} {right:<14} {pair.scenario}  {pair.requirement}".rstrip())
    lines += [""] if found.different else []
    for what, tally in (("scenarios", found.scenarios), ("requirements", found.requirements)):
        only = f"{tally.only_in_first} only in 1, {tally.only_in_second} only in 2"
        lines.append(f"{what:<14}{tally.equal} equal, {tally.different} different, {only}")
    if not (found.is_equal or found.different):
        lines.append("the runs have no requirement in common, so nothing was compared")
    return "\n".join(lines)


def worlds_of(report: Report) -> str:
    """The world in which the runs of a report took place; several are joined by ``+``."""
    return "+".join(sorted({run.world for run in report.scenarios if run.has_record})) or "nowhere"
