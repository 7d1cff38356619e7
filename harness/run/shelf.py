"""The folder that a session leaves behind: ``report.json``, ``summary.md``, ``junit.xml``, one history and one plan for each run.

Every file appears whole or not at all. Deliberately absent: what stands in the files (``harness.history.journal``, ``harness.report``).
"""

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import msgspec

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.history import journal
from harness.history.events import History
from harness.history.plan import Plan
from harness.report.markdown import markdown_text
from harness.report.model import Summary
from harness.report.report_json import report_text
from harness.report.whole import write_whole
from harness.scenario import plan_file

_NAME_MAX = 80
"""Characters of a scenario's id in a file name; with digest and suffix it stays far below the 255 bytes of common file systems."""


@dataclass(frozen=True, slots=True)
class Shelf:
    """An open report folder."""

    root: Path

    @classmethod
    def opened(cls, root: Path) -> Self:
        """Make the folder and prove that files can be written into it.

        Raises:
            UsageError: it cannot be made or written.
        """
        try:
            root.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=root):
                pass
        except OSError as error:
            raise UsageError(
                f"--report {root}: nothing can be written there ({error.strerror or error}); name a folder that you may write"
            ) from error
        return cls(root)

    @property
    def junit(self) -> Path:
        """Where pytest writes its JUnit file."""
        return self.root / "junit.xml"

    @property
    def report_json(self) -> Path:
        """Where the report stands."""
        return self.root / "report.json"

    @property
    def summary_md(self) -> Path:
        """Where the summary for people stands, as Markdown."""
        return self.root / "summary.md"

    def history(self, plan: Plan) -> Path:
        """Where the history of a plan stands."""
        return self.root / "histories" / f"{stem(plan)}.jsonl"

    def plan(self, plan: Plan) -> Path:
        """Where a plan stands."""
        return self.root / "plans" / f"{stem(plan)}.json"

    def keep(self, history: History) -> None:
        """Write the history, and beside it its plan with every fault pinned to the moment at which it began.

        Raises:
            UsageError: the folder cannot be written any more.
        """
        try:
            (self.root / "histories").mkdir(exist_ok=True)
            journal.write(history, self.history(history.plan))
        except OSError as error:
            raise UsageError(f"{self.root}: cannot be written ({error.strerror or error})") from error
        self.keep_plan(history.plan)

    def keep_plan(self, plan: Plan) -> None:
        """Write a plan: of a run that died, all that is left to repeat it with; raises as ``keep``."""
        try:
            (self.root / "plans").mkdir(exist_ok=True)
            plan_file.save(plan, self.plan(plan))
        except OSError as error:
            raise UsageError(f"{self.root}: cannot be written ({error.strerror or error})") from error

    def report(self, summary: Summary) -> None:
        """Write ``report.json`` over the last one, whose runs go: files of runs that it lists and this one has none of are removed, no others."""
        listed = self._listed()
        kept = {stem_of(row.file, row.id, row.seed) for row in summary.rows if row.history_sha256}
        for gone in listed - kept:
            (self.root / "histories" / f"{gone}.jsonl").unlink(missing_ok=True)
        begun = {stem_of(row.file, row.id, row.seed) for row in summary.rows if row.verdict is not Verdict.NOT_RUN}
        for gone in listed - begun:
            (self.root / "plans" / f"{gone}.json").unlink(missing_ok=True)
        write_whole(self.report_json, report_text(summary))
        write_whole(self.summary_md, markdown_text(summary))

    def _listed(self) -> set[str]:
        """Stems of the runs in the last report; none if there is none, or if it is not ours."""
        try:
            report = msgspec.json.decode(self.report_json.read_bytes(), type=_Report)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            return set()
        return {stem_of(one.file, one.id, one.seed) for one in report.scenarios}


class _Listed(msgspec.Struct):
    """What a report says of a run, as far as the names of its files follow from it."""

    file: str
    id: str
    seed: int


class _Report(msgspec.Struct):
    scenarios: list[_Listed]


def stem(plan: Plan) -> str:
    """A file name for a plan: readable, and unique by a digest of file, id and seed."""
    return stem_of(plan.file, plan.id, plan.seed)


def stem_of(file: str, id: str, seed: int) -> str:  # noqa: A002 - as a plan and a report call it
    """``stem`` of the plan with this file, id and seed; never has a separator of folders in it."""
    readable = re.sub(r"[^\w.=-]+", "-", id).strip("-")[:_NAME_MAX]
    digest = hashlib.sha256(f"{file}\0{id}\0{seed}".encode()).hexdigest()[:8]
    return f"{readable}-{digest}"
