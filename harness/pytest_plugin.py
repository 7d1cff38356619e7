"""Scenarios as plain pytest functions: ``pytest PATHS [--world W] [--sut FILE] [--profile P] [--seed N] [--faults-off] [--report DIR]``.

One function for each plan, so ``-k``, ``-m``, ``--lf``, fixtures, xdist and JUnit work as for any test. Deliberately absent: running and
judging (``harness.run``), and our exit codes, which belong to ``relayproof run``; plain pytest keeps its own.

Imports of the rooms below happen in the functions that need them: this module is loaded by every pytest of every project on the machine.
"""

from __future__ import annotations

import re
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.base.errors import HarnessError
from harness.base.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from harness.history.plan import Plan
    from harness.report.model import Summary
    from harness.run.ledger import Entry, Ledger
    from harness.run.options import Options
    from harness.run.runner import Record

LEDGER: pytest.StashKey[Ledger] = pytest.StashKey()
OPTIONS: pytest.StashKey[Options] = pytest.StashKey()
VERDICT: pytest.StashKey[Verdict] = pytest.StashKey()
BEGAN: pytest.StashKey[float] = pytest.StashKey()

_SNIFFED_BYTES = 65_536
_SCENARIO_KEY = re.compile(rb"^(?:\xef\xbb\xbf)?scenario\s*:", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare our options; ``relayproof run`` has the same ones."""
    group = parser.getgroup("relayproof", "scenarios of remote-control relay systems")
    group.addoption("--world", default="sim", help="where scenarios run (default: sim, virtual time and network)")
    group.addoption("--sut", metavar="FILE", help="sut.yaml of the system under test (default: the reference)")
    group.addoption("--profile", metavar="P", help="what is promised (default: article-2026-02)")
    group.addoption("--seed", type=int, default=1, metavar="N", help="of everything random in a run (default: 1)")
    group.addoption("--faults-off", action="store_true", help="switch the faults' effect off and keep the book-keeping")
    group.addoption("--report", metavar="DIR", help="write report.json, junit.xml, histories and plans there")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Read the options, open the report folder, and ask for JUnit in it."""
    from harness.run.ledger import Ledger
    from harness.run.options import Options

    get = config.getoption
    try:
        options = Options.checked(
            world=get("world"),
            sut=get("sut"),
            profile=get("profile"),
            seed=get("seed"),
            faults_off=get("faults_off"),
            report=get("report"),
        )
    except HarnessError as error:
        raise pytest.UsageError(str(error)) from error
    config.stash[OPTIONS] = options
    config.stash[LEDGER] = Ledger()
    config.stash[BEGAN] = time.perf_counter()
    if options.shelf is not None and config.option.xmlpath is None:
        config.option.xmlpath = str(options.shelf.junit)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.File | None:
    """Take a YAML file that has a ``scenario:`` key, or that was named on the command line."""
    if file_path.suffix not in {".yaml", ".yml"}:
        return None
    if not parent.session.isinitpath(file_path) and not _looks_like_scenario(file_path):
        return None
    return ScenarioFile.from_parent(parent, path=file_path)


def _looks_like_scenario(path: Path) -> bool:
    with path.open("rb") as file:
        return _SCENARIO_KEY.search(file.read(_SNIFFED_BYTES)) is not None


class ScenarioFile(pytest.File):
    """A scenario file; its items are its plans."""

    def collect(self) -> Iterable[pytest.Item]:
        """Expand the file; a broken one is a collection error that shows every problem at once."""
        from harness.scenario.expand import plans

        options = self.config.stash[OPTIONS]
        try:
            expanded = plans(self.path, **options.for_plans())
        except HarnessError as error:
            raise self.CollectError(str(error)) from error
        for plan in expanded:
            yield ScenarioItem.of(self, plan, siblings=len(expanded))


class ScenarioBroken(Exception):  # noqa: N818 - not an error of ours: the way a judged run tells pytest that it did not pass
    """A run whose verdict is worse than PASS; its text is what a person reads."""


class ScenarioItem(pytest.Function):
    """One plan.

    Attributes:
        plan: what is run.
        siblings: how many plans the file has.
        entry: what came of it; None until then.
    """

    plan: Plan
    siblings: int
    entry: Entry | None

    @classmethod
    def of(cls, parent: ScenarioFile, plan: Plan, *, siblings: int) -> ScenarioItem:
        """Make the item of a plan."""
        item: ScenarioItem = cls.from_parent(parent, name=plan.id, callobj=lambda: item.perform())
        item.plan, item.siblings, item.entry = plan, siblings, None
        proves = dict.fromkeys(expectation.proves for expectation in plan.expectations)
        item.user_properties += [("requirement", requirement) for requirement in proves]
        item.extra_keyword_matches |= {plan.family, *proves}
        item.add_marker(_family_marker(item.config, plan.family))
        return item

    def perform(self) -> None:
        """Run, judge, keep; raise what a person should read unless it passed."""
        from harness.run.retell import entry_of
        from harness.run.runner import run_plan

        options = self.config.stash[OPTIONS]
        record = run_plan(self.plan, options.programs)
        self.entry = entry_of(record, node=self.nodeid, siblings=self.siblings, shelf=options.shelf)
        self._note_requirements(record)
        if self.entry.row.verdict > Verdict.PASS:
            raise ScenarioBroken(self.entry.row.explanation)

    def _note_requirements(self, record: Record) -> None:
        noted = {value for name, value in self.user_properties if name == "requirement"}
        found = dict.fromkeys(finding.requirement for finding in record.judgement.findings)
        self.user_properties += [("requirement", requirement) for requirement in found if requirement not in noted]
        self.user_properties.append(("verdict", record.judgement.verdict.name))

    def died(self, why: str) -> Entry:
        """Return the entry of a run that ended before it could be judged."""
        from harness.run.retell import entry_of_death

        return entry_of_death(self.plan, why, node=self.nodeid, siblings=self.siblings)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the explanation instead of a traceback; a traceback is for bugs of the harness."""
        if excinfo.errisinstance((ScenarioBroken, HarnessError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Point at the line that matters: of the failed expectation once known, else of the first step."""
        line = self.entry.row.line if self.entry else min((step.line for step in self.plan.story), default=1)
        return self.path, max(line - 1, 0), self.name


def _family_marker(config: pytest.Config, family: str) -> str:
    """Name of the family as a marker, registered, since strict markers refuse unknown ones."""
    name = re.sub(r"\W", "_", family) or "scenario"
    line = f"{name}: scenarios of the folder {family}"
    if line not in config.getini("markers"):
        config.addinivalue_line("markers", line)
    return name


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the entry to the report, as plain JSON values, so that it crosses from a worker to the controller."""
    from harness.run.retell import pack

    report = yield
    if isinstance(item, ScenarioItem):
        if report.failed and (item.entry is None or call.when != "call"):
            item.entry = item.died(str(call.excinfo.value) if call.excinfo else "")
        if item.entry is not None and (call.when == "call" or report.failed):
            report.relayproof = pack(item.entry)
    return report


class Bookkeeper:
    """The hooks that only the process with the book has: the controller under xdist, else the only one."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.ledger = config.stash[LEDGER]
        self.summary: Summary | None = None

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Enter what is planned."""
        self._plan(item.nodeid for item in session.items if isinstance(item, ScenarioItem))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Enter what the workers plan; all of them have the same list."""
        self._plan(ids)

    def _plan(self, nodes: Iterable[str]) -> None:
        from harness.run.retell import row_of_node

        for row in map(row_of_node, nodes):
            if row is not None:
                self.ledger.plan(row)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter what came of a run."""
        from harness.run.retell import unpack

        packed = getattr(report, "relayproof", None)
        if packed is not None:
            self.ledger.record(unpack(packed))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Pair refusals with acceptances, write the report; a verdict that got worse fails a session that was green."""
        from harness.run.judge import pair

        if not self.ledger.planned or self.config.option.collectonly:
            return
        self.ledger.pair(pair)
        self.summary = self.ledger.summary(time.perf_counter() - self.config.stash[BEGAN])
        self.config.stash[VERDICT] = self.summary.verdict
        if self.summary.verdict > Verdict.PASS and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        shelf = self.config.stash[OPTIONS].shelf
        if shelf is not None and self.ledger.recorded:
            shelf.report(self.summary)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print the summary that a person enjoys."""
        from harness.report.console import summary_text

        if self.summary is not None and self.ledger.recorded:
            text = summary_text(
                self.summary,
                explain_first=self.config.getoption("tbstyle") == "no",
                width=min(shutil.get_terminal_size().columns, 120),
                colour=terminalreporter.hasmarkup,
                shelf=self.config.stash[OPTIONS].shelf,
            )
            terminalreporter.write(f"\n{text}\n")

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Word INCONCLUSIVE differently from FAIL; both fail."""
        packed = getattr(report, "relayproof", None)
        if packed is None or report.when != "call" or report.passed:
            return None
        verdict = Verdict(packed["row"]["verdict"])
        return "failed", verdict.name[0], verdict.name


def pytest_sessionstart(session: pytest.Session) -> None:
    """Appoint the book-keeper; a worker of xdist has none."""
    if not hasattr(session.config, "workerinput"):
        session.config.pluginmanager.register(Bookkeeper(session.config), "relayproof-bookkeeper")
