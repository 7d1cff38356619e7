"""The folder that a session leaves behind: ``report.json``, ``junit.xml``, one history and one plan for each run.

Every file appears whole or not at all. Deliberately absent: what stands in the files (``harness.history.journal``, ``harness.report``).
"""

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from harness.base.errors import UsageError
from harness.history import journal
from harness.history.events import History
from harness.history.plan import Plan
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
            for folder in (self.root / "histories", self.root / "plans"):
                folder.mkdir(exist_ok=True)
            journal.write(history, self.history(history.plan))
            plan_file.save(history.plan, self.plan(history.plan))
        except OSError as error:
            raise UsageError(f"{self.root}: cannot be written ({error.strerror or error})") from error

    def report(self, summary: Summary) -> None:
        """Write ``report.json``."""
        write_whole(self.report_json, report_text(summary))


def stem(plan: Plan) -> str:
    """A file name for a plan: readable, and unique by a digest of file, id and seed."""
    readable = re.sub(r"[^\w.=-]+", "-", plan.id).strip("-")[:_NAME_MAX]
    digest = hashlib.sha256(f"{plan.file}\0{plan.id}\0{plan.seed}".encode()).hexdigest()[:8]
    return f"{readable}-{digest}"
