"""The command ``relayproof``: each sub-command is a few lines over the room that does the work.

Exit codes: 0 pass, 1 fail, 2 usage or harness, 3 inconclusive, 4 stale baseline. Deliberately absent: a second runner; ``run`` is pytest
underneath.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.base.errors import HarnessError, UsageError
from harness.base.verdict import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable

USAGE = 2

WORKERS_MAX = 128
"""Processes at most, each of 110 MB and one core's work: as many as the largest machines in common use have cores."""

_PATHS = click.argument("paths", nargs=-1, required=True)


def _options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Stack decorators, first one on top in ``--help``."""

    def stack(command: Any) -> Any:
        for decorate in reversed(decorators):
            command = decorate(command)
        return command

    return stack


_WHERE = _options(
    click.option(
        "--world",
        default="sim",
        show_default=True,
        help="Where scenarios run: sim is virtual time and network, wire is real processes.",
    ),
    click.option(
        "--sut", metavar="FILE", help="sut.yaml of the system under test; without it the reference is judged."
    ),
    click.option("--profile", metavar="P", help="What is promised; article-2026-02 if not given."),
    click.option("--seed", default=1, show_default=True, metavar="N", help="Of everything random in a run."),
    click.option("--faults-off", is_flag=True, help="Switch the faults' effect off and keep the book-keeping."),
)


def _workers(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """A number from 0 to ``WORKERS_MAX``, or a word of xdist's."""
    if value is None or value in {"auto", "logical"}:
        return value
    if not (value.isascii() and value.isdigit()):
        raise click.BadParameter(f"{value!r} is neither a number of processes nor `auto`")
    if len(value) > len(str(WORKERS_MAX)) or int(value) > WORKERS_MAX:
        raise click.BadParameter(
            f"at most {WORKERS_MAX} processes, and more than one a core gain nothing; `auto` is one a core"
        )
    return value


def _part(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    """``2/5``: the second of five."""
    if value is None:
        return None
    first, slash, step = value.partition("/")
    if (
        slash
        and first.isascii()
        and first.isdigit()
        and step.isascii()
        and step.isdigit()
        and 0 < int(first) <= int(step)
    ):
        return value
    raise click.BadParameter(f"{value!r} is not like 2/5, the second of five parts")


class _Commands(click.Group):
    """A group whose commands never show a traceback for what a user or a file can cause."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; an error of ours becomes one paragraph and its exit code."""
        try:
            return super().invoke(ctx)
        except HarnessError as error:
            click.echo(str(error), err=True)
            ctx.exit(error.exit_code)
        except KeyboardInterrupt:
            click.echo("Interrupted: what was under way has no verdict.", err=True)
            ctx.exit(USAGE)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except BrokenPipeError:
            # Whoever reads has seen enough, as `head` has; what is still buffered goes nowhere, and 1 would say that a system failed.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            ctx.exit(USAGE)
        except Exception:  # noqa: BLE001 - whatever it was, exit code 1 would say that a system failed
            traceback.print_exc()
            click.echo("This is a fault of relayproof itself, and says nothing about the system on trial.", err=True)
            ctx.exit(USAGE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="relayproof")
def main() -> None:
    """Simulation and conformance harness for remote-control relay systems."""


@main.command()
@_PATHS
@_WHERE
@click.option("--report", metavar="DIR", help="Write report.json, summary.md, junit.xml, histories and plans there.")
@click.option("-k", "keyword", metavar="EXPR", help="Only runs whose id, family or requirement matches, as in pytest.")
@click.option("-m", "marker", metavar="EXPR", help="Only these families, as in pytest.")
@click.option("-n", "workers", metavar="N", callback=_workers, help="Spread over N processes; `auto`: one a core.")
@click.option("-x", "stop", is_flag=True, help="Stop at the first run that does not pass.")
@click.option(
    "--one-each",
    is_flag=True,
    help="Of each file only the first permutation that can be run, and those named by FILE::ID.",
)
def run(paths: tuple[str, ...], **options: Any) -> None:
    """Run scenarios: files, folders, or FILE::ID."""
    from harness.cli_run import run_paths

    sys.exit(run_paths(paths, **options))


@main.command()
@_PATHS
def lint(paths: tuple[str, ...]) -> None:
    """Say everything that is wrong with scenario files, with place and remedy."""
    from harness.scenario.lint import lint as problems_of

    problems = problems_of([Path(path) for path in paths])
    for problem in problems:
        click.echo(problem.render())
    if problems:
        click.echo(f"\n{len(problems)} problem{'s' if len(problems) > 1 else ''}.", err=True)
        sys.exit(USAGE)
    click.echo("Every scenario is well-formed.")


@main.command()
@click.argument("plan", type=click.Path())
@click.option("--sut", metavar="FILE", help="sut.yaml of the system under test, as given to the run that is repeated.")
@click.option("--world", metavar="W", help="Where to repeat it, sim or wire; in the world it ran in if not given.")
@click.option("--report", metavar="DIR", help="Keep the new history there.")
def replay(plan: str, sut: str | None, report: str | None, world: str | None) -> None:
    """Repeat a saved plan, faults at the same moments, and judge it again."""
    from harness.cli_history import replay_plan

    where, trial = Path(report) if report else None, Path(sut) if sut else None
    sys.exit(replay_plan(Path(plan), where, trial, world).exit_code)


@main.command()
@click.argument("first", metavar="REPORT", type=click.Path())
@click.argument("second", metavar="REPORT", type=click.Path())
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def diff(first: str, second: str, *, as_json: bool) -> None:
    """Compare two reports, verdict by verdict: of two worlds, two versions, two days."""
    from harness.cli_history import compare_reports

    sys.exit(compare_reports((Path(first), Path(second)), as_json=as_json).exit_code)


@main.command()
@click.argument("log", type=click.Path())
@click.option("--out", metavar="FILE", help="Write the scenario there, or into this folder; without it, it is printed.")
@click.option(
    "--link",
    type=click.Choice(["host-relay", "phone-relay"]),
    default="host-relay",
    show_default=True,
    help="What was down.",
)
@click.option("--skip", default=0, metavar="N", type=click.IntRange(min=0), help="Begin after the first N outages.")
@click.option(
    "--longest-up", default="15m", show_default=True, metavar="SPAN", help="Shorten times between outages to this."
)
def record(log: str, **options: Any) -> None:
    """Turn a log of outages (CSV, JSON, or a Prometheus range query) into a scenario that replays them."""
    from harness.cli_record import record_log

    record_log(Path(log), **options)


@main.command()
@click.argument("history", type=click.Path())
@click.option("--timeline", is_flag=True, help="Print everything that happened, not only what explains the verdict.")
def judge(history: str, *, timeline: bool) -> None:
    """Judge a saved history without running anything."""
    from harness.cli_history import judge_history

    sys.exit(judge_history(Path(history), timeline=timeline).exit_code)


@main.command()
@_PATHS
@_WHERE
@click.option("--runs", default=10, show_default=True, metavar="N", type=click.IntRange(min=2), help="How often.")
def determinism(paths: tuple[str, ...], runs: int, **options: Any) -> None:
    """Run every plan N times and compare histories and segment traces, byte for byte."""
    from harness.cli_history import compare_runs

    sys.exit(compare_runs([Path(path) for path in paths], runs, **options).exit_code)


@main.command()
@click.argument("id", required=False)
@click.option("--coverage", is_flag=True, help="What is covered, what is not yet, what is excluded and why.")
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def spec(id: str | None, *, coverage: bool, as_json: bool) -> None:  # noqa: A002 - the argument's name in --help
    """Show the requirements: all, one, an area, or how they are covered."""
    from harness.cli_spec import show_coverage, show_requirements

    click.echo(show_coverage(as_json=as_json) if coverage else show_requirements(id, as_json=as_json))


@main.command()
def schema() -> None:
    """Print the JSON Schema of scenario files, for editors."""
    from harness.scenario.schema import schema_text

    click.echo(schema_text(), nl=False)


@main.command()
@_PATHS
@click.option("--runs", default=5, show_default=True, metavar="N", type=click.IntRange(min=1), help="How often.")
def bench(paths: tuple[str, ...], runs: int) -> None:
    """Measure how much faster than real time scenarios run, in a warm process."""
    from harness.run.bench import bench as measured
    from harness.run.bench import bench_text, wakes_per_s

    click.echo(bench_text(measured([Path(path) for path in paths], runs), wakes_per_s()))


@main.command()
def clocks() -> None:
    """Measure a night of sleep and a wait of ten minutes in unmodified programs, CPython and Node, and how true their clocks stay."""
    from harness.worlds.wire.clock_speed import HEAD, clock_speed, line
    from harness.worlds.wire.linux import why_not_here

    if why := why_not_here():
        raise UsageError(why)
    click.echo(HEAD)
    for span in clock_speed():
        click.echo(line(span))


@main.command()
@click.option("--gallery", default="tests/mutants", show_default=True, metavar="DIR", help="Folder of the mutants.")
@click.option("--files", "paths", multiple=True, default=("scenarios",), show_default=True, metavar="PATH")
@click.option("--only", multiple=True, metavar="ID", help="Run this mutant; may be given several times.")
@click.option(
    "--all-permutations",
    is_flag=True,
    help="Run every plan of each file, not one; on the wire every one of the kill map.",
)
@click.option("--remember", is_flag=True, help="Keep what was found as the kill map, one by one.")
@click.option("--again", is_flag=True, help="Remember also those that were mapped with what is here now.")
@click.option("--part", metavar="K/N", callback=_part, help="Only what is in the K-th of N parts of the gallery.")
@click.option(
    "--quick", is_flag=True, help="Each mutant only in the plans that its kill map names; on the wire in one of them."
)
@click.option(
    "--world",
    default="sim",
    show_default=True,
    type=click.Choice(["sim", "wire"]),
    help="wire: as processes, compared with the sim code by code.",
)
@click.option("--report", metavar="DIR", help="Write mutants.json there, and histories of what is not as declared.")
@click.option(
    "-n", "workers", metavar="N", type=click.IntRange(1, WORKERS_MAX), help="Processes; 2, on the wire 1, if not given."
)
def mutants(gallery: str, paths: tuple[str, ...], report: str | None, workers: int | None, **options: Any) -> None:
    """Run systems that are broken on purpose: each must be caught, exactly as it declares."""
    from harness.cli_mutants import WORKERS, Wish, show_mutants

    wish = Wish(**options)
    where = Path(report) if report else None
    sys.exit(show_mutants(Path(gallery), paths, wish, report=where, workers=workers or WORKERS[wish.world]).exit_code)


@main.command()
@click.option("--fast", is_flag=True, help="Tell it without pauses.")
def demo(*, fast: bool) -> None:
    """Watch one ten-minute outage and one night's sleep, in ten seconds."""
    from harness.run.demo import tell

    sys.exit(tell(fast=fast).exit_code)


_NAME = click.option("--name", default="up", show_default=True, help="Of the topology, where there is more than one.")


@main.command()
@click.option(
    "--sut", metavar="FILE", help="sut.yaml of the system under test; without it the reference plays all roles."
)
@click.option(
    "--way-out", metavar="KIND", help="Put a proxy into the host's only way out: plain, password, inspects_tls..."
)
@click.option(
    "--hurried", is_flag=True, help="Let the world hurry always, not only while a fault lasts longer than a minute."
)
@click.option("--detach", is_flag=True, help="Return once all stands, and leave it running.")
@click.option("--ready-fd", type=int, hidden=True)
@_NAME
def up(*, detach: bool, **options: Any) -> None:
    """Have a relay, a host and a phone stand as real processes, to put hands on."""
    from harness.cli_hands_on import detach as leave_running
    from harness.cli_hands_on import stand

    if detach:
        sys.exit(leave_running(options))
    stand(**options)


@main.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})  # -1h is a word
@click.argument("words", nargs=-1, required=True, metavar="FAULT [WORDS]")
@_NAME
def fault(words: tuple[str, ...], name: str) -> None:
    """Have a fault happen to what is up: `cut host-relay 30s`, `host.sleeps 8h`, `host.roams`; say whether it bit."""
    from harness.cli_hands_on import inflict

    sys.exit(inflict(words, name).exit_code)


@main.command()
@_NAME
def down(name: str) -> None:
    """End what is up, and leave nothing of it."""
    from harness.cli_hands_on import dismiss

    dismiss(name)


@main.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--name", default="127.0.0.1", show_default=True, help="Of the relay: a host name or an address.")
def ca(folder: Path, name: str) -> None:
    """Make an authority and a relay's certificate, for a relay that is served by hand."""
    from harness.cli_ca import make_authority

    click.echo(make_authority(folder, name))


def _role(name: str, about: str) -> None:
    """Add a command that is one of the reference's programs; its own options are its own business."""

    @main.command(name, help=about, context_settings={"ignore_unknown_options": True, "help_option_names": []})
    @click.argument("args", nargs=-1, type=click.UNPROCESSED)
    def role(args: tuple[str, ...]) -> None:
        from reference.native.command import main as programs

        programs([name, *args], prog_name="relayproof")


_role("relay", "Serve the reference relay for real, over TLS.")
_role("host", "Run the reference host for real: an agent, shared through a relay.")
_role("device", "Run the reference device for real.")

assert {verdict.exit_code for verdict in Verdict} == {0, 1, 2, 3}


if __name__ == "__main__":
    main()
