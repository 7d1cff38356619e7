"""The demonstration: one ten-minute outage and one night's sleep, run for real and told on the terminal."""

import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.base.errors import UsageError
from harness.base.span import format_span
from harness.base.verdict import Verdict, worst
from harness.history.plan import Plan
from harness.report.console import STYLES
from harness.report.film import film
from harness.run.retell import row_of
from harness.run.runner import Record, run_plan
from harness.scenario.discover import OURS
from harness.scenario.expand import plans

LASTS_S = 3.0
"""Real seconds for each of the two stories, its run included; with start and verdicts the whole stays below ten."""

TOLD_S = 1.0
"""Real seconds for telling one at least, however long its run took."""


@dataclass(frozen=True, slots=True)
class Act:
    """One story of the demonstration: a file, and what its plan's id has to contain."""

    file: str
    wanted: str
    title: str


ACTS = (
    Act(
        "outage/ten-minute-outage.yaml",
        "twelve minutes",
        "The network goes away for twelve minutes while the laptop is awake",
    ),
    Act("sleep/laptop-sleeps.yaml", "8h", "The laptop sleeps for eight hours"),
)


def tell(*, fast: bool, console: Console | None = None) -> Verdict:
    """Run both stories and tell them.

    Args:
        fast: without pauses.
        console: where to; standard output if not given.

    Raises:
        UsageError: the scenarios are not there.
    """
    console = console or Console(highlight=False)
    return worst(_tell(act, console, fast=fast) for act in ACTS)


def _tell(act: Act, console: Console, *, fast: bool) -> Verdict:
    plan = _plan(act)
    console.print(Text(f"\n{act.title}", style="bold cyan"))
    console.print(Text(f"{plan.about}\n", style="dim"))
    record = run_plan(plan)
    lasts_s = max(LASTS_S - record.wall_s, TOLD_S)
    film(record.history, console, lasts_s=lasts_s, pause=(lambda _s: None) if fast else time.sleep)
    _print_verdict(record, console)
    return record.judgement.verdict


def _plan(act: Act) -> Plan:
    path = OURS / act.file
    if not path.is_file():
        raise UsageError(f"the demonstration needs {path}, which is missing; reinstall relayproof")
    here = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return next(plan for plan in plans(here) if act.wanted in plan.id)


def _print_verdict(record: Record, console: Console) -> None:
    row = row_of(record, f"{record.plan.file}::{record.plan.id}")
    console.print()
    for fault in row.faults:
        note = fault.evidence["note"] if fault.evidence else "never began"
        console.print(Text(f"  fault {fault.name}: {note}", style="dim"))
    for entry in row.requirements:
        if entry.verdict is Verdict.NOT_APPLICABLE:
            continue
        console.print(
            Text(f"  {entry.verdict.name:<13} ", style=STYLES[entry.verdict]).append(entry.id, style="default")
        )
    speed = row.simulated_s / max(row.wall_s, 1e-9)
    span = format_span(round(row.simulated_s))
    console.print(
        Text(f"  {row.verdict.name}: {span} lived in {row.wall_s:.2f} s ({speed:,.0f}x)", style=STYLES[row.verdict])
    )
    if row.why:
        console.print(Text(f"  {row.why}"))
