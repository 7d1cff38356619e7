"""What was planned beside what was recorded: at the end both sets must be equal.

A planned run without a record is ``NOT_RUN``; a file whose plans all ran is judged once more as a whole, so that a refusal without its paired
acceptance does not pass. Deliberately absent: pytest, and any file.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from harness.base.verdict import Verdict
from harness.report.explain import headline
from harness.report.model import Row, Summary
from harness.run.judgement import Judgement
from harness.scenario.expand import LeftOut


@dataclass(frozen=True, slots=True)
class Entry:
    """A recorded run.

    Attributes:
        row: what reports show.
        judgement: what stands behind it; None if the run ended before it could be judged.
        siblings: how many plans its file expands to, itself included.
    """

    row: Row
    judgement: Judgement | None
    siblings: int


type Pair = Callable[[Sequence[Judgement]], Sequence[Judgement]]


@dataclass
class Ledger:
    """The book of one session.

    Attributes:
        planned: rows as planned, verdict ``NOT_RUN``, by node.
        recorded: what came of them, by node.
        left_out: what was not planned and why, by id.
    """

    planned: dict[str, Row] = field(default_factory=dict)
    recorded: dict[str, Entry] = field(default_factory=dict)
    left_out: dict[str, LeftOut] = field(default_factory=dict)

    def plan(self, row: Row) -> None:
        """Enter a run that is going to happen."""
        self.planned[row.node] = replace(row, verdict=Verdict.NOT_RUN)

    def leave_out(self, left: LeftOut) -> None:
        """Enter what is not going to happen."""
        self.left_out[left.id] = left

    def leave_out_rest(self, reason: str) -> None:
        """Take back whatever was planned and has no record, because somebody asked to stop early."""
        for node in [node for node in self.planned if node not in self.recorded]:
            self.leave_out(LeftOut(self.planned.pop(node).id, reason))

    def record(self, entry: Entry) -> None:
        """Enter what came of a run; of two records of one run the worse counts."""
        known = self.recorded.get(entry.row.node)
        if known is None or entry.row.verdict >= known.row.verdict:
            self.recorded[entry.row.node] = entry

    def pair(self, pair: Pair) -> list[Row]:
        """Judge files that ran as a whole once more and enter what got worse.

        Args:
            pair: takes the judgements of one file and returns them in the same order, none of them better.

        Returns:
            Rows whose verdict got worse, in order of file and planning.
        """
        files: dict[str, list[Entry]] = defaultdict(list)
        for entry in self._entries():
            if entry.judgement is not None:
                files[entry.row.file].append(entry)
        whole = (entries for entries in files.values() if len(entries) == entries[0].siblings)
        return [row for entries in whole for row in self._pair_file(entries, pair)]

    def _pair_file(self, entries: list[Entry], pair: Pair) -> Iterable[Row]:
        judgements = [entry.judgement for entry in entries if entry.judgement is not None]
        for entry, judged in zip(entries, pair(judgements), strict=True):
            if judged.verdict > entry.row.verdict:
                why = headline(judged.first_failure)
                rows = tuple(replace(one, verdict=judged.requirements[one.id]) for one in entry.row.requirements)
                text = f"{judged.verdict.name}  {entry.row.id}\n\n      {why}"
                row = replace(entry.row, verdict=judged.verdict, requirements=rows, why=why, explanation=text)
                self.recorded[row.node] = replace(entry, row=row, judgement=judged)
                yield row

    def _entries(self) -> Iterable[Entry]:
        """Recorded runs in order of planning, then those that nobody planned."""
        nodes = [*self.planned, *(node for node in self.recorded if node not in self.planned)]
        return (self.recorded[node] for node in nodes if node in self.recorded)

    def summary(self, wall_s: float) -> Summary:
        """Close the book: a row for every planned and every recorded run."""
        missing = [
            replace(row, why="planned, but there is no record of it")
            for node, row in self.planned.items()
            if node not in self.recorded
        ]
        return Summary((*(entry.row for entry in self._entries()), *missing), tuple(self.left_out.values()), wall_s)
