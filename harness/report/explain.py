"""A failure, explained: which requirement, expected beside observed, the slice of the timeline, and how to see it again.

Whoever reads this has not seen the code and need not. Deliberately absent: opinions of its own; every sentence comes from a finding, the
requirement's row or the history.
"""

import json
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from harness.checks.model import Finding
from harness.checks.requirements import Requirement
from harness.history.events import History
from harness.history.plan import Plan
from harness.report.lanes import Lanes, around

WIDTH = 110
_FINDINGS_SHOWN = 3
"""Further findings of one run are mostly echoes of the first; they are counted, and the history has them all."""


def headline(finding: Finding | None) -> str:
    """One line: requirement, code, message; empty where there is no failure."""
    if finding is None:
        return ""
    code = f" {finding.code}" if finding.code else ""
    return f"{finding.requirement}{code}: {finding.message}"


def reproduce(plan: Plan, sut: str = "") -> str:
    """The one-line command that repeats this run; ``sut`` is the file of the system on trial, empty for the reference."""
    flags = [f"--seed {plan.seed}"]
    flags += [f"--world {plan.world}"] if plan.world != "sim" else []
    flags += [f"--profile {plan.contract.profile}"] if plan.contract.profile != "article-2026-02" else []
    flags += ["--faults-off"] if plan.faults_off else []
    flags += [f"--sut {shlex.quote(sut)}"] if sut else []
    return f"relayproof run {shlex.quote(f'{plan.file}::{plan.id}')} {' '.join(flags)}"


def explanation(history: History, found: Sequence[Finding], laws: Mapping[str, Requirement], sut: str = "") -> str:
    """Explain a run that did not pass.

    Args:
        history: what happened.
        found: the findings of the run's verdict, the one to begin with first; at least one.
        laws: requirement id -> its row.
        sut: file of the system on trial, if it is not the reference.

    Returns:
        Several paragraphs of plain text, at most ``WIDTH`` wide except for the last line, which is a command.
    """
    plan = history.plan
    parts = [f"{found[0].verdict.name}  {plan.id}", _wrapped(plan.about, "      ")]
    parts += [_one(plan, finding, laws) for finding in found[:_FINDINGS_SHOWN]]
    if len(found) > _FINDINGS_SHOWN:
        more = len(found) - _FINDINGS_SHOWN
        parts.append(f"      and {more} more finding{'s' if more > 1 else ''} of this kind")
    parts.append(_slice(history, found))
    parts.append(f"  again:  {reproduce(plan, sut)}")
    return "\n\n".join(part for part in parts if part)


def _one(plan: Plan, finding: Finding, laws: Mapping[str, Requirement]) -> str:
    law = laws.get(finding.requirement)
    place = f"   ({plan.file}:{finding.line})" if finding.line else "   (holds for every run)"
    lines = [f"  {finding.requirement}  {law.level if law else 'of unknown level'}{place}"]
    if law:
        lines.append(_wrapped(law.text, "      "))
    if finding.expected is not None:  # of a law the requirement above says it
        lines.append(_labelled("expected", finding.expected))
    if finding.expected is not None or finding.observed is not None:
        lines.append(_labelled("observed", "nothing" if finding.observed is None else finding.observed))
    code = f"{finding.code}: " if finding.code else ""
    lines.append(_wrapped(f"so        {code}{finding.message}", "    ", "              "))
    return "\n".join(lines)


def _slice(history: History, found: Sequence[Finding]) -> str:
    marked = frozenset(n for finding in found[:_FINDINGS_SHOWN] for n in finding.events)
    marked |= {event.n for event in history.events if event.kind == "story" and event.what == "failed"}
    chosen = around(history.events, marked)
    drawn = Lanes.of(history.plan, WIDTH - 2).draw(history.events, chosen, marked)
    return "\n".join(f"  {line}" for line in drawn) if history.events else "  nothing at all happened in this run"


def _labelled(label: str, value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return _wrapped(f"{label}  {text}", "    ", "              ")


def _wrapped(text: str, indent: str, hanging: str | None = None) -> str:
    return textwrap.fill(
        text, WIDTH, initial_indent=indent, subsequent_indent=hanging or indent, break_on_hyphens=False
    )
