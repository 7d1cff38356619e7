"""The summary at the end of a session: families, verdicts, how fast time ran, what was left out, the first failure explained."""

import io
from collections import defaultdict
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.base.span import format_span
from harness.base.verdict import Verdict, worst
from harness.report.model import Row, Summary

STYLES: dict[Verdict, str] = {
    Verdict.NOT_APPLICABLE: "dim",
    Verdict.PASS: "green",
    Verdict.INCONCLUSIVE: "yellow",
    Verdict.FAIL: "bold red",
    Verdict.HARNESS_ERROR: "bold magenta",
    Verdict.NOT_RUN: "bold magenta",
}

_COLUMNS = {"pass": Verdict.PASS, "fail": Verdict.FAIL, "inconclusive": Verdict.INCONCLUSIVE}
_OTHERS_SHOWN = 12


class Kept(Protocol):
    """A report folder, as far as the summary names it."""

    @property
    def root(self) -> Path:
        """Where it is."""


def summary_text(
    summary: Summary, *, explain_first: bool, width: int = 110, colour: bool = False, shelf: Kept | None = None
) -> str:
    """Render the summary.

    Args:
        summary: of the session.
        explain_first: whether to explain the first failure in full; not where pytest has already done so.
        width: characters; never below 80.
        colour: whether escape codes may be used.
        shelf: where the report was written.
    """
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(width, 80),
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
    )
    console.print(_families(summary))
    _print_unhappy(console, summary, explain_first=explain_first)
    _print_left_out(console, summary)
    console.print(_bottom_line(summary), soft_wrap=True)
    if shelf is not None:
        console.print(Text(f"report: {shelf.root}/report.json, histories and plans beside it", style="dim"))
    return out.getvalue().rstrip("\n")


def _families(summary: Summary) -> Table:
    by_family = families(summary)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("family")
    for name in ("runs", *_COLUMNS, "other", "simulated", "awake", "wall"):
        table.add_column(name, justify="right")
    for family, rows in sorted(by_family.items()):
        table.add_row(*_family_row(family, rows))
    if len(by_family) > 1:
        table.add_section()
        table.add_row(*_family_row("all", list(summary.rows)))
    return table


def families(summary: Summary) -> dict[str, list[Row]]:
    """Family -> its runs, in order of collection."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in summary.rows:
        found[row.family].append(row)
    return found


def _family_row(family: str, rows: list[Row]) -> list[Text]:
    counts = [sum(row.verdict is verdict for row in rows) for verdict in _COLUMNS.values()]
    cells = [Text(family, style=STYLES[worst(row.verdict for row in rows)]), Text(str(len(rows)))]
    cells += [
        Text(str(count) if count else "·", style=STYLES[verdict] if count else "dim")
        for count, verdict in zip(counts, _COLUMNS.values(), strict=True)
    ]
    other = len(rows) - sum(counts)
    cells.append(Text(str(other) if other else "·", style="bold magenta" if other else "dim"))
    spans = [sum(row.simulated_s for row in rows), sum(row.awake_s for row in rows)]
    return [*cells, *(Text(coarse(span_s)) for span_s in spans), Text(f"{sum(row.wall_s for row in rows):.2f} s")]


def _print_unhappy(console: Console, summary: Summary, *, explain_first: bool) -> None:
    rows = summary.unhappy
    if not rows:
        return
    console.print()
    if explain_first:
        first = max(rows, key=lambda row: (row.verdict is Verdict.FAIL, bool(row.explanation)))
        console.print(Text(first.explanation or f"{first.verdict.name}  {first.node}: {first.why}"), soft_wrap=True)
        rows = tuple(row for row in rows if row is not first)
        console.print()
    for row in rows[:_OTHERS_SHOWN]:
        line = Text(f"{row.verdict.name:<14}", style=STYLES[row.verdict])
        console.print(
            line.append(f"{row.node}", style="default").append(f"\n{'':14}{row.why}", style="dim"), soft_wrap=True
        )
    if len(rows) > _OTHERS_SHOWN:
        console.print(f"and {len(rows) - _OTHERS_SHOWN} more")
    console.print()


def _print_left_out(console: Console, summary: Summary) -> None:
    """What was not planned, by name, where many share a reason by number; after Ctrl-C how far it went."""
    for reason, names in summary.left_out_by_reason.items():
        shown = names if len(names) <= _OTHERS_SHOWN else [f"{names[0]} and {len(names) - 1} more"]
        for name in shown:
            console.print(Text(f"left out: {name}: {reason}", style="dim"))
    if summary.cut_short:
        ran = len(summary.rows)
        console.print(Text(f"interrupted after {ran} of {ran + summary.cut_short} runs", style="bold"))


def _bottom_line(summary: Summary) -> Text:
    return Text(f"{summary.verdict.name}  ", style=STYLES[summary.verdict]).append(facts(summary), style="default")


def facts(summary: Summary) -> str:
    """How many runs, how fast time ran, how many MUST requirements are met: one line."""
    simulated_s = sum(row.simulated_s for row in summary.rows)
    run_s = sum(row.wall_s for row in summary.rows)
    musts = [row for row in summary.requirements if row.level == "MUST" and row.verdict > Verdict.NOT_APPLICABLE]
    parts = [f"{len(summary.rows)} runs"]
    if simulated_s and run_s:
        parts.append(f"{coarse(simulated_s)} of simulated time in {summary.wall_s:.1f} s ({simulated_s / run_s:,.0f}x)")
    if musts:
        met = sum(row.verdict is Verdict.PASS for row in musts)
        parts.append(f"{met} of {len(musts)} tested MUST requirements met")
    return "  ·  ".join(parts)


def coarse(span_s: float) -> str:
    """A span for people: to the minute above an hour, to the second above a minute."""
    step_s = 60 if span_s >= 3600 else 1 if span_s >= 60 else 0.1
    return format_span(round(span_s / step_s) * step_s)
