"""The summary of a session as Markdown, for a job summary of continuous integration or a comment: what failed, and how to see it again.

Short on purpose: GitHub takes 1 MiB a step, and nobody reads as much. Deliberately absent: whole explanations; the history has them
(``relayproof judge``).
"""

import re

from harness.base.verdict import Verdict, worst
from harness.report.console import facts, families
from harness.report.model import Row, Summary

FAILURES_SHOWN = 10
REASONS_SHOWN = 20
TEXT_SHOWN = 400
"""Characters of one text; whatever a system under test says ends up in here."""

_MEANS = re.compile(r"([\\`*_\[\]<>#|~&$@])")
"""What Markdown or GitHub may take for more than itself."""


def markdown_text(summary: Summary) -> str:
    """Render the summary: a heading with the verdict, families, the first failures with the commands that repeat them, what was left out."""
    worlds = "".join(f", {world}" for world in sorted({row.world for row in summary.rows if row.world}))
    parts = [f"## relayproof{worlds}: {summary.verdict.name}\n\n{plain(facts(summary))}", _families(summary)]
    parts += _failures(summary.unhappy)
    parts += _left_out(summary)
    return "\n\n".join(part for part in parts if part) + "\n"


def plain(text: str) -> str:
    """A text that Markdown shows as it is, on one line and not too long."""
    line = " ".join(text.split())
    return _MEANS.sub(r"\\\1", line if len(line) <= TEXT_SHOWN else f"{line[:TEXT_SHOWN]}…")


def _families(summary: Summary) -> str:
    shown = [verdict for verdict in Verdict if summary.totals[verdict.name]] or [Verdict.NOT_RUN]
    head = f"| family | runs | {' | '.join(plain(verdict.name) for verdict in shown)} |"
    lines = [head, "|---|" + "--:|" * (len(shown) + 1)]
    by_family = sorted(families(summary).items())
    lines += [_family(plain(name or "none"), rows, shown) for name, rows in by_family]
    return "\n".join([*lines, _family("**all**", list(summary.rows), shown)])


def _family(name: str, rows: list[Row], shown: list[Verdict]) -> str:
    counts = [sum(row.verdict is verdict for row in rows) for verdict in shown]
    return f"| {name} | {len(rows)} | {' | '.join(str(count or '·') for count in counts)} |"


def _failures(rows: tuple[Row, ...]) -> list[str]:
    """What did not pass, the worst first: a person begins there."""
    first = sorted(rows, key=lambda row: row.verdict is not worst(one.verdict for one in rows))
    parts = ["### What did not pass"] if rows else []
    parts += [_failure(row) for row in first[:FAILURES_SHOWN]]
    if len(rows) > FAILURES_SHOWN:
        parts.append(f"and {len(rows) - FAILURES_SHOWN} more, all of them in `report.json`")
    return parts


def _failure(row: Row) -> str:
    text = f"**{plain(row.verdict.name)}** {plain(row.id)}\n{plain(row.why)}".rstrip()
    return f"{text}\n\n{_code(row.again)}" if row.again else text


def _code(command: str) -> str:
    """A block of code that no run of backticks inside of it can end."""
    fence = "`" * max([3, *(len(run) + 1 for run in re.findall(r"`+", command))])
    return f"{fence}\n{command}\n{fence}"


def _left_out(summary: Summary) -> list[str]:
    by_reason = list(summary.left_out_by_reason.items())
    lines = [
        f"| {len(names)} | {plain(reason)} | {plain(_some(names))} |" for reason, names in by_reason[:REASONS_SHOWN]
    ]
    if len(by_reason) > REASONS_SHOWN:
        lines.append(f"| | and {len(by_reason) - REASONS_SHOWN} more reasons | |")
    table = "\n".join(["| runs | why | which |", "|--:|---|---|", *lines])
    parts = [f"### Left out\n\n{table}"] if lines else []
    if summary.cut_short:
        parts.append(f"Interrupted after {len(summary.rows)} of {len(summary.rows) + summary.cut_short} runs.")
    return parts


def _some(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
