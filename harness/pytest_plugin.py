"""Scenarios as plain pytest functions: ``pytest PATHS [--world W] [--sut FILE] [--profile P] [--seed N] [--faults-off] [--report DIR]``.

One function for each plan, so ``-k``, ``-m``, ``--lf``, fixtures, xdist and JUnit work as for any test. Deliberately absent: running and
judging (``harness.run``), and our exit codes, which belong to ``relayproof run``; plain pytest keeps its own.

Imports of the rooms below happen in the functions that need them: this module is loaded by every pytest of every project on the machine.
"""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
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

SESSION: pytest.StashKey[Session] = pytest.StashKey()

_DEFAULTS = {"world": "sim", "sut": None, "profile": None, "seed": 1, "faults_off": False, "report": None}

_PACKED = "relayproof_entry"
_LEFT_OUT = "relayproof_left_out"
_IN_WORKER = "received keyboard-interrupt"
"""How xdist says that somebody pressed Ctrl-C in a worker."""

_SNIFFED_BYTES = 65_536
_FILE_OF_NODE = re.compile(r"\.ya?ml::")
_SCENARIO_KEY = re.compile(rb"^(?:\xef\xbb\xbf)?scenario\s*:", re.MULTILINE)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare our options; ``relayproof run`` has the same ones."""
    group = parser.getgroup("relayproof", "scenarios of remote-control relay systems")
    group.addoption("--world", default="sim", help="where scenarios run (default: sim, virtual time and network)")
    group.addoption("--sut", metavar="FILE", help="sut.yaml of the system under test (default: the reference)")
    group.addoption("--profile", metavar="P", help="what is promised (default: article-2026-02)")
    group.addoption("--seed", type=int, default=1, metavar="N", help="of everything random in a run (default: 1)")
    group.addoption("--faults-off", action="store_true", help="switch the faults' effect off and keep the book-keeping")
    group.addoption(
        "--one-each",
        action="store_true",
        help="of each file only the first permutation that can be run, and those that are named",
    )
    group.addoption(
        "--report", metavar="DIR", help="write report.json, summary.md, junit.xml, histories and plans there"
    )


@dataclass
class Session:
    """What one session of pytest knows about scenarios; made when the first one is met, so that others pay nothing.

    Attributes:
        options: as asked for.
        ledger: planned and recorded.
        began: reading of the real clock.
        summary: once the session is over.
    """

    options: Options
    ledger: Ledger
    began: float
    summary: Summary | None = None

    @classmethod
    def of(cls, config: pytest.Config) -> Session:
        """The session of a configuration."""
        if SESSION not in config.stash:
            config.stash[SESSION] = cls._opened(config)
        return config.stash[SESSION]

    @classmethod
    def _opened(cls, config: pytest.Config) -> Session:
        from harness.run.ledger import Ledger
        from harness.run.options import Options

        try:
            options = Options.checked(**{name: config.getoption(name) for name in _DEFAULTS})
        except HarnessError as error:
            raise pytest.UsageError(str(error)) from error
        return cls(options, Ledger(), time.perf_counter())

    @property
    def verdict(self) -> Verdict:
        """Worst of all runs; ``NOT_RUN`` until the session is over."""
        return self.summary.verdict if self.summary else Verdict.NOT_RUN

    def close(self, early: str) -> None:
        """Judge whole files once more, sum up, write the report; nothing of that where no run has a record, unless all were left out as planned.

        Args:
            early: why what was planned and has no record was not run; empty if nobody asked to stop early.
        """
        from harness.run.pairing import pair

        if not self.ledger.recorded and (early or not self.ledger.left_out):
            return
        if early:
            self.ledger.leave_out_rest(early)
        self.ledger.pair(pair)
        self.summary = self.ledger.summary(time.perf_counter() - self.began)
        if self.options.shelf is not None:
            self.options.shelf.report(self.summary)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Check what was asked for before anything runs, and have JUnit written into the report folder."""
    if any(config.getoption(name) != default for name, default in _DEFAULTS.items()):
        shelf = Session.of(config).options.shelf
        if shelf is not None and config.option.xmlpath is None:
            config.option.xmlpath = str(shelf.junit)


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


def _from_here(path: Path) -> Path:
    """A path as a person would write it: histories and reports name no folder of one machine."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


class ScenarioFile(pytest.File):
    """A scenario file; its items are its plans."""

    def collect(self) -> Iterable[pytest.Item]:
        """Expand the file; a broken one is a collection error that shows every problem at once."""
        from harness.run.runner import fitted, lacking
        from harness.scenario.expand import LeftOut, expand

        session = Session.of(self.config)
        try:
            expansion = expand(_from_here(self.path), session.options.setup())
        except HarnessError as error:
            raise self.CollectError(str(error)) from error
        for left in expansion.left_out:
            session.ledger.leave_out(left)
        here = self.config.invocation_params.dir
        named = {
            name for path, _, name in (one.partition("::") for one in self.config.args) if here / path == self.path
        }
        has_first = False
        for planned in expansion.plans:
            if has_first and self.config.option.one_each and planned.id not in named:
                continue
            plan, unjudged = fitted(planned)
            if lack := lacking(plan):
                session.ledger.leave_out(LeftOut(plan.id, lack))
                continue
            for left in unjudged:
                session.ledger.leave_out(left)
            has_first = True
            yield ScenarioItem.of(self, plan, siblings=len(expansion.plans))


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

        def scenario() -> None:
            item.perform()

        item: ScenarioItem = cls.from_parent(parent, name=plan.id, callobj=scenario)
        item.plan, item.siblings, item.entry = plan, siblings, None
        proves = dict.fromkeys(expectation.proves for expectation in plan.expectations)
        item.user_properties += [("requirement", requirement) for requirement in proves]
        item.extra_keyword_matches |= {plan.family, *proves}
        item.add_marker(_family_marker(item.config, plan.family))
        return item

    @property
    def id(self) -> Any:
        """The structured node id, read back from its text: there the brackets are parameters, and ``--lf`` compares so."""
        made = super().id
        return type(made).parse(str(made))

    def perform(self) -> None:
        """Run, judge, keep; raise what a person should read unless it passed."""
        from harness.run.retell import entry_of
        from harness.run.runner import run_plan

        options = Session.of(self.config).options
        record = run_plan(self.plan, options.programs)
        self.entry = entry_of(record, node=self.nodeid, siblings=self.siblings, shelf=options.shelf, sut=options.sut)
        self._note_requirements(record)
        if self.entry.row.verdict > Verdict.PASS:
            raise ScenarioBroken(self.entry.row.explanation)

    def _note_requirements(self, record: Record) -> None:
        noted = {value for name, value in self.user_properties if name == "requirement"}
        found = dict.fromkeys(finding.requirement for finding in record.judgement.findings)
        self.user_properties += [("requirement", requirement) for requirement in found if requirement not in noted]
        self.user_properties.append(("verdict", record.judgement.verdict.name))

    def died(self, error: BaseException) -> Entry:
        """Return the entry of a run that ended before it could be judged, and keep its plan."""
        from harness.run.retell import entry_of_death

        options = Session.of(self.config).options
        if options.shelf is not None:
            with suppress(HarnessError):  # the folder may be what it died of
                options.shelf.keep_plan(self.plan)
        return entry_of_death(self.plan, error, node=self.nodeid, siblings=self.siblings, sut=options.sut)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show the explanation instead of a traceback; a traceback is for bugs of the harness."""
        del style  # a function takes it from --tb
        if excinfo.errisinstance((ScenarioBroken, HarnessError)):
            return str(excinfo.value)
        return super().repr_failure(excinfo)

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


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Let an interrupt wait until a run is told of as well: raised in the midst of pytest's own hooks it leaves some of them half done."""
    if not isinstance(item, ScenarioItem):
        return (yield)
    from harness.run.interrupt import held_back

    with held_back():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Attach the entry to the report, as plain JSON values, so that it crosses from a worker to the controller."""
    from harness.run.retell import pack

    report = yield
    if isinstance(item, ScenarioItem):
        if report.failed and call.excinfo and not call.excinfo.errisinstance(ScenarioBroken):
            item.entry = item.died(call.excinfo.value)
        if item.entry is not None and (call.when == "call" or report.failed):
            report.__dict__[_PACKED] = pack(item.entry)
    return report


class Bookkeeper:
    """The hooks that only the process with the book has: the controller under xdist, else the only one."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.is_interrupted = False
        self.early = ""

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Note Ctrl-C, here or in a worker of xdist; pytest stops in the same way for reasons of its own."""
        by_pytest = excinfo.errisinstance((pytest.Session.Interrupted, pytest.exit.Exception))
        self.is_interrupted = not by_pytest or _IN_WORKER in str(excinfo.value)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Enter what is planned."""
        self._plan(session.config, [item.nodeid for item in session.items if isinstance(item, ScenarioItem)])

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, node: Any, ids: list[str]) -> None:
        """Enter what the workers plan; all of them have the same list."""
        self._plan(node.config, [name for name in ids if _FILE_OF_NODE.search(name)])

    def _plan(self, config: pytest.Config, nodes: list[str]) -> None:
        if nodes:
            from harness.run.retell import planned_row

            for node in nodes:
                Session.of(config).ledger.plan(planned_row(node))

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Enter what a worker left out."""
        for name, reason in getattr(node, "workeroutput", {}).get(_LEFT_OUT, ()):
            from harness.scenario.expand import LeftOut

            Session.of(node.config).ledger.leave_out(LeftOut(name, reason))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Enter what came of a run."""
        packed = getattr(report, _PACKED, None)
        if packed is not None:
            from harness.run.retell import unpack

            Session.of(self.config).ledger.record(unpack(packed))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Pair refusals with acceptances, write the report; a verdict that got worse fails a session that was green."""
        book = session.config.stash.get(SESSION, None)
        if book is None or not (book.ledger.planned or book.ledger.left_out) or session.config.option.collectonly:
            return
        self.early = self._early(session)
        book.close(self.early)
        if book.verdict > Verdict.PASS and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _early(self, session: pytest.Session) -> str:
        from harness.report.model import INTERRUPTED

        asked = session.shouldfail or session.shouldstop
        return INTERRUPTED if self.is_interrupted else f"not run: {asked}" if asked else ""

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
        """Print the summary that a person enjoys."""
        book = config.stash.get(SESSION, None)
        if book is None or book.summary is None:
            if self.is_interrupted:
                terminalreporter.write_line("interrupted before any run had ended")
            elif self.early:
                terminalreporter.write_line(f"scenarios: {self.early}")
            return
        from harness.report.console import summary_text

        text = summary_text(
            book.summary,
            explain_first=config.getoption("tbstyle") == "no",
            width=min(shutil.get_terminal_size().columns, 120),
            colour=terminalreporter.hasmarkup,
            shelf=book.options.shelf,
        )
        terminalreporter.write(f"\n{text}\n")

    def pytest_report_teststatus(self, report: Any) -> tuple[str, str, str] | None:
        """Word INCONCLUSIVE differently from FAIL; both fail."""
        packed = getattr(report, _PACKED, None)
        if packed is None or report.when != "call" or report.passed:
            return None
        verdict = Verdict(packed["row"]["verdict"])
        return "failed", verdict.name[0], verdict.name


class Worker:
    """The one hook of a worker of xdist that the others do not need: what it left out goes to the book-keeper."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand it over as plain lists."""
        book = session.config.stash.get(SESSION, None)
        left_out = book.ledger.left_out.values() if book else ()
        output: dict[str, Any] = getattr(session.config, "workeroutput", {})
        output[_LEFT_OUT] = [[left.id, left.reason] for left in left_out]


def pytest_sessionstart(session: pytest.Session) -> None:
    """Appoint the book-keeper; a worker of xdist only reports to him."""
    is_worker = hasattr(session.config, "workerinput")
    session.config.pluginmanager.register(Worker() if is_worker else Bookkeeper(session.config), "relayproof-session")
