"""``relayproof run``: pytest underneath, our exit codes on top."""

from collections.abc import Generator
from pathlib import Path
from typing import Any

import click
import pytest

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.pytest_plugin import SESSION
from harness.run.interrupt import termination_interrupts, termination_is_ours

ENDED_EARLY = 2
"""Usage, broken files, Ctrl-C, SIGTERM, an error inside pytest: whatever keeps the planned runs from having a verdict."""

NOT_NEEDED = ("anyio", "hypothesispytest")
"""Plugins of pytest that scenarios have no use for; each process would load them for a third of a second."""

NO_CACHE_NEEDED = ("-W", "ignore::pytest.PytestCacheWarning")
"""Nothing of a verdict is in pytest's cache, and a checkout may be read-only."""


def run_paths(paths: tuple[str, ...], **options: Any) -> int:
    """Run scenarios.

    Args:
        paths: files, folders, or ``file::id``.
        options: as declared by ``relayproof run``.

    Returns:
        The exit code.

    Raises:
        UsageError: a path does not exist.
    """
    for path in paths:
        if not Path(path.split("::")[0]).exists():
            raise UsageError(f"{path}: there is no such file or folder")
    watch = _Watch()
    with termination_interrupts(watch.workers):
        code = pytest.main(pytest_arguments(paths, **options), plugins=[watch])
    if code == pytest.ExitCode.NO_TESTS_COLLECTED and not watch.is_told:
        click.echo(
            f"No scenario was found in {', '.join(paths)} (or none was selected); a scenario is a YAML file with a `scenario:` key.",
            err=True,
        )
    return exit_code(code, watch.verdict)


def pytest_arguments(paths: tuple[str, ...], **options: Any) -> list[str]:
    """Spell our options as pytest's; without tracebacks and pytest's own summary, since ours follows."""
    given = {
        "--world": options["world"],
        "--sut": options["sut"],
        "--profile": options["profile"],
        "--seed": str(options["seed"]),
        "--report": options["report"],
        "-k": options["keyword"],
        "-m": options["marker"],
        "-n": options["workers"],
    }
    flags = {"--faults-off": options["faults_off"], "-x": options["stop"], "--one-each": options["one_each"]}
    spelled = [part for name, value in given.items() if value for part in (name, value)]
    return [
        *paths,
        *spelled,
        *NO_CACHE_NEEDED,
        *(name for name, on in flags.items() if on),
        "--no-header",
        "--tb=no",
        "-rN",
        "--assert=plain",
        *(part for plugin in NOT_NEEDED for part in ("-p", f"no:{plugin}")),
    ]


def exit_code(code: int, verdict: Verdict | None) -> int:
    """Join what pytest says with the worst verdict.

    Args:
        code: pytest's exit code.
        verdict: worst of all runs; None if the session ended before there was one.
    """
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED} or verdict is None:
        return ENDED_EARLY
    return verdict.exit_code


class _Watch:
    """Learns the session's verdict from the plugin and who works for it, and shows what is wrong with files, which ``--tb=no`` hides."""

    def __init__(self) -> None:
        self.verdict: Verdict | None = None
        self.is_told = False
        self.workers: list[int] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_sessionstart(self) -> Generator[None]:
        """Workers of xdist are started here."""
        with termination_is_ours():
            return (yield)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: Any) -> None:
        """A worker has begun; xdist tells its number to nobody, and is the one to wait for it, so that it stays this worker's to the end."""
        self.workers.append(gateway._io.popen.pid)  # noqa: SLF001 - execnet's, which tells it nowhere else

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Print every problem of a file that cannot be collected."""
        if report.failed:
            click.echo(f"\n{report.longreprtext}", err=True)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Read it when the book is closed."""
        book = session.config.stash.get(SESSION, None)
        self.verdict = book.verdict if book else None
        self.is_told = book is not None and book.summary is not None
