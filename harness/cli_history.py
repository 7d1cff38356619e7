"""The commands that work on what runs left behind, or that repeat runs: ``replay``, ``judge``, ``diff``, ``determinism``."""

import itertools
import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from harness.base.errors import UsageError
from harness.base.verdict import Verdict, worst
from harness.history import journal
from harness.history.events import Event, History
from harness.history.plan import Plan
from harness.report.compare import compare, comparison_object, comparison_text, read_report, worlds_of
from harness.report.lanes import Lanes, clock, loud
from harness.report.sentences import bare
from harness.run.admission import admitted
from harness.run.judge import judge
from harness.run.options import Options
from harness.run.retell import row_of
from harness.run.runner import Record, fitted, lacking, run_plan
from harness.run.shelf import Shelf
from harness.run.trial import programs_for, trial_of
from harness.scenario import plan_file
from harness.scenario.discover import discover
from harness.scenario.expand import expand
from harness.scenario.steps import load_steps


def replay_plan(path: Path, report: Path | None, sut: Path | None = None, world: str | None = None) -> Verdict:
    """Repeat a saved plan and say how it ended and which history it gave.

    Args:
        path: of the plan.
        report: folder for the new history; None to keep none.
        sut: file of the system on trial; None for the reference.
        world: where to repeat it; None for the world it ran in.

    Raises:
        PlanError: the file is no plan, or was edited or cut short.
        UsageError: the file of the system on trial cannot be used, or offers nobody that this plan has on trial; or the world cannot play it.
    """
    plan = admitted(plan_file.load(path))
    plan, left_out = fitted(replace(plan, world=world or plan.world))
    for one in left_out:
        click.echo(f"left out: {one.id}: {one.reason}")
    why = lacking(plan)
    if why:
        raise UsageError(f"{path}: the world `{plan.world}` cannot play this plan: {why}")
    load_steps(Path(plan.file))
    trial = trial_of(sut, plan.world) if sut else {}
    if trial and not programs_for(plan, trial):
        raise UsageError(
            f"--sut {sut}: offers {', '.join(trial)}; on trial in this plan: {', '.join(sorted(plan.suts))}"
        )
    shelf = Shelf.opened(report) if report else None
    record = run_plan(plan, trial)
    if shelf is not None:
        shelf.keep(record.history)
        click.echo(f"history: {shelf.history(plan)}")
    return _tell(record)


def judge_history(path: Path, *, timeline: bool) -> Verdict:
    """Judge a saved history again.

    Raises:
        PlanError: the file is no history, or was edited or cut short.
        UsageError: the file cannot be read.
    """
    try:
        history = journal.read(path)
    except OSError as error:
        raise UsageError(f"{path}: cannot be read ({error.strerror or error})") from error
    admitted(history.plan)
    if timeline:
        click.echo("\n".join(Lanes.of(history.plan).draw(history.events, loud(history.events))) + "\n")
    return _tell(Record(history.plan, history, judge(history), history.footer.wall_s))


def compare_reports(paths: tuple[Path, Path], *, as_json: bool) -> Verdict:
    """Set two reports beside each other and print where they differ.

    Returns:
        PASS if every verdict that both have is equal, else FAIL.

    Raises:
        UsageError: one of them cannot be read, they share no run, or a shared run had another seed or profile.
    """
    first, second = (read_report(path) for path in paths)
    found = compare(first, second)
    worlds = worlds_of(first), worlds_of(second)
    names = tuple(f"{world}  {path}" for world, path in zip(worlds, paths, strict=True))
    as_object = json.dumps(comparison_object(found, worlds), indent=1, ensure_ascii=False)
    click.echo(as_object if as_json else comparison_text(found, (names[0], names[1])))
    return Verdict.PASS if found.is_equal else Verdict.FAIL


def _tell(record: Record) -> Verdict:
    row = row_of(record, f"{record.plan.file}::{record.plan.id}")
    for entry in row.requirements:
        click.echo(f"{entry.verdict.name:<14} {entry.id}")
    click.echo(f"\n{row.explanation}\n" if row.explanation else "")
    click.echo(f"{row.verdict.name}  {row.id}  {record.plan.file}  {row.world}  history {row.history_sha256[:16]}")
    return row.verdict


def compare_runs(paths: Sequence[Path], runs: int, **where: Any) -> Verdict:
    """Run every plan several times and compare each history and segment trace with the first.

    Returns:
        PASS if all are equal, else FAIL; the first event that differs has been printed.
    """
    options = Options.checked(report=None, **where)
    files = discover(paths)
    for file in files:
        load_steps(file)
    found = [plan for path in files for plan in expand(path, options.setup()).plans]
    return worst(_compare(plan, runs, options) for plan in found)


def _compare(plan: Plan, runs: int, options: Options) -> Verdict:
    first = run_plan(plan, options.programs).history
    for number in range(2, runs + 1):
        again = run_plan(plan, options.programs).history
        if _fingerprint(again) != _fingerprint(first):
            click.echo(f"DIFFERS  {plan.id}  run {number} is not run 1\n{first_difference(first, again)}")
            return Verdict.FAIL
    click.echo(
        f"equal {runs} of {runs}  {journal.history_sha256(first)[:16]}  {first.footer.trace_sha256[:16]}  {plan.id}"
    )
    return Verdict.PASS


def _fingerprint(history: History) -> tuple[str, object]:
    return journal.history_sha256(history), replace(history.footer, wall_s=0.0)


def first_difference(one: History, other: History) -> str:
    """Say where two histories part: the first event that differs, or the footer."""
    for left, right in itertools.zip_longest(one.events, other.events):
        if left != right:
            return f"  first  {_event(left)}\n  then   {_event(right)}"
    return f"  all {len(one.events)} events are equal; first {asdict(one.footer)}\n  then {asdict(other.footer)}"


def _event(event: Event | None) -> str:
    return f"{event.n} {clock(event.t)} {event.actor} {bare(event)} {event.data}" if event else "nothing more"
