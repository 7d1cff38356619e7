"""``relayproof record``: a log of outages in, a scenario out, that passes ``relayproof lint`` or is not written.

Deliberately absent: what the log means and what the scenario claims (``harness.outages``).
"""

import re
from pathlib import Path
from typing import Literal

import click

from harness.base.errors import UsageError
from harness.base.span import parse_span
from harness.outages.read import read_log
from harness.outages.story import Wish, acts_of, notes, scenario_text
from harness.report.whole import write_whole
from harness.scenario.expand import expand
from harness.scenario.profiles import DEFAULT, contract_of

_NAME_MAX = 80


def record_log(
    log: Path, *, out: str | None, link: Literal["host-relay", "phone-relay"], skip: int, longest_up: str
) -> None:
    """Write the scenario of a log, or print it; what it does not have as the log has it is said on standard error.

    Raises:
        UsageError: the log, an option or the place to write to is wrong; nothing was written.
    """
    file = _writable(Path(out), log) if out else None
    name = file.stem if file else _slug(log.stem)
    try:
        content = log.read_bytes()
    except OSError as error:
        raise UsageError(f"{log}: cannot be read ({error.strerror or error})") from error
    outages, zone = read_log(content, log.name)
    wish = Wish(name, _shown(log.name), zone, link, _span_s(longest_up), skip)
    acts = acts_of(outages, wish, contract_of(DEFAULT))
    text = scenario_text(acts, outages, wish)
    assert expand(text).plans, "what is written here can be run"
    for note in notes(acts, outages, wish):
        click.echo(f"note: {note}", err=True)
    if file is None:
        click.echo(text, nl=False)
    else:
        write_whole(file, text)
        click.echo(f"{file}: {len(acts)} of {len(outages)} outages")


def _writable(file: Path, log: Path) -> Path:
    """The file, or one called like the log in the folder, if a scenario may be called so and nothing is there yet.

    Raises:
        UsageError: it may not, or there is.
    """
    if file.is_dir():
        file /= f"{_slug(log.stem)}.yaml"
    if not file.parent.is_dir() or not file.suffix:
        raise UsageError(
            f"--out {file}: there is no folder {file.parent if file.suffix else file}; make it first, or name another"
        )
    if file.suffix != ".yaml" or file.stem != _slug(file.stem):
        raise UsageError(
            f"--out {file}: a scenario's file is called like outages-of-march.yaml; try {_slug(file.stem)}.yaml"
        )
    if file.exists():
        raise UsageError(f"--out {file}: is there already; remove it, or name another file")
    return file


def _slug(stem: str) -> str:
    """A name for a scenario: lower-case words joined by ``-``."""
    return re.sub(r"[^a-z0-9]+", "-", stem.lower())[:_NAME_MAX].strip("-") or "outages"


def _shown(name: str) -> str:
    """A file's name as it may stand in a comment."""
    return re.sub(r"[^\w.-]", "_", name)[:_NAME_MAX]


def _span_s(text: str) -> float:
    try:
        return parse_span(text)
    except ValueError as error:
        raise UsageError(f"--longest-up: {error}") from None
