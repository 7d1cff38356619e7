"""A judged record, retold as a row of the report; and entries as plain JSON values, so that they cross from a worker to the controller."""

import textwrap
import traceback
from dataclasses import asdict
from pathlib import PurePath
from typing import Any

import msgspec

from harness.base.errors import HarnessError
from harness.base.verdict import Verdict
from harness.checks.model import Finding
from harness.checks.requirements import load_requirements
from harness.faults.model import Evidence
from harness.history import journal
from harness.history.plan import Plan
from harness.report.explain import explanation, headline, reproduce
from harness.report.model import FaultRow, RequirementRow, Row
from harness.run.judgement import Judgement
from harness.run.ledger import Entry
from harness.run.runner import Record
from harness.run.shelf import Shelf


def entry_of(record: Record, *, node: str, siblings: int, shelf: Shelf | None, sut: str = "") -> Entry:
    """Retell a record and, if there is a shelf, keep its history and plan there."""
    if shelf is not None:
        shelf.keep(record.history)
    return Entry(row_of(record, node, sut), record.judgement, siblings)


def row_of(record: Record, node: str, sut: str = "") -> Row:
    """Retell a record; ``sut`` is the file of the system on trial, empty for the reference."""
    plan, judged, footer = record.plan, record.judgement, record.history.footer
    broken = judged.verdict > Verdict.PASS
    line = judged.first_failure.line if judged.first_failure else 0
    return Row(
        id=plan.id,
        node=node,
        file=plan.file,
        line=line or _first_line(plan),
        family=plan.family,
        verdict=judged.verdict,
        seed=plan.seed,
        simulated_s=footer.simulated_s,
        awake_s=footer.awake_s,
        wall_s=record.wall_s,
        history_sha256=journal.history_sha256(record.history),
        requirements=requirement_rows(record),
        world=plan.world,
        profile=plan.contract.profile,
        faults=tuple(FaultRow(one.name, _shown(one.evidence), one.realised_by) for one in judged.evidence),
        calibration=tuple(event.data for event in record.history.events if event.what == "path.calibrated"),
        delays=tuple(_delay(one) for one in judged.findings if one.check == "device.delay" and one.observed),
        why=headline(judged.first_failure),
        explanation=explanation(record.history, worst_first(judged), load_requirements(), sut) if broken else "",
        again=reproduce(plan, sut) if broken else "",
    )


def worst_first(judgement: Judgement) -> list[Finding]:
    """Findings that made the verdict what it is: the first failure, then the others in order."""
    first = judgement.first_failure
    others = [one for one in judgement.findings if one.verdict is judgement.verdict and one is not first]
    return others if first is None else [first, *others]


def _shown(evidence: Evidence | None) -> dict[str, Any] | None:
    return None if evidence is None else asdict(evidence) | {"rank": evidence.rank.name}


def _delay(finding: Finding) -> dict[str, Any]:
    return {
        "requirement": finding.requirement,
        "line": finding.line,
        "budget_s": round(finding.expected, 6),
        **finding.observed,
    }


def requirement_rows(record: Record) -> tuple[RequirementRow, ...]:
    """One row for each requirement that a finding speaks about, worst verdict, in order of id."""
    known = load_requirements()
    return tuple(
        RequirementRow(name, known[name].level if name in known else "", verdict)
        for name, verdict in record.judgement.requirements.items()
    )


def entry_of_death(plan: Plan, error: BaseException, *, node: str, siblings: int, sut: str = "") -> Entry:
    """Return the entry of a run that ended before it could be judged; an error that is not one of ours brings its traceback."""
    known = isinstance(error, HarnessError)
    why = str(error) if known else f"{type(error).__name__}: {error}"
    text = why if known else "".join(traceback.format_exception(error)).rstrip()
    row = Row(
        id=plan.id,
        node=node,
        file=plan.file,
        line=_first_line(plan),
        family=plan.family,
        verdict=Verdict.HARNESS_ERROR,
        seed=plan.seed,
        world=plan.world,
        profile=plan.contract.profile,
        why=why,
        explanation=f"HARNESS_ERROR  {plan.id}\n\n{textwrap.indent(text, '      ')}\n\n  again:  {reproduce(plan, sut)}",
        again=reproduce(plan, sut),
    )
    return Entry(row, None, siblings)


def planned_row(node: str) -> Row:
    """Return the row of a planned run, from what pytest calls it: ``file::id``."""
    file, _, name = node.partition("::")
    return Row(name, node, file, 1, PurePath(file).parent.name, Verdict.NOT_RUN, 0)


def pack(entry: Entry) -> dict[str, Any]:
    """An entry as JSON values."""
    packed: dict[str, Any] = msgspec.to_builtins(entry)
    return packed


def unpack(packed: dict[str, Any]) -> Entry:
    """Undo ``pack``."""
    return msgspec.convert(packed, Entry)


def _first_line(plan: Plan) -> int:
    return min((step.line for step in plan.story), default=1)
