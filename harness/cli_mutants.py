"""``relayproof mutants``: the gallery of broken systems, each of which must be caught exactly as declared."""

import shlex
import time
from pathlib import Path

import click

from harness.base.verdict import Verdict
from harness.run.gallery import load_gallery
from harness.run.kill_map import read_kill_map, write_kill_map
from harness.run.mutants import Outcome, kill_map_of, run_gallery, unmapped_of
from harness.run.mutants_table import keep, last_word, line, write_json
from harness.scenario.discover import discover


def show_mutants(
    gallery: Path,
    paths: tuple[str, ...],
    *,
    report: Path | None,
    only: tuple[str, ...] = (),
    all_permutations: bool = False,
    remember: bool = False,
    quick: bool = False,
    workers: int = 2,
) -> Verdict:
    """Run the gallery and print a line for each mutant.

    Args:
        gallery: folder of the mutants.
        paths: scenario files and folders.
        report: folder for ``mutants.json``, and for the histories of mutants that are not as declared.
        only: ids of mutants; empty for all that have a kill map or need none.
        all_permutations: run every plan of each file instead of one.
        remember: run every plan, and write what was found into the gallery's kill map, to be read as a diff.
        quick: run mutants only in the plans that the kill map names.
        workers: processes.

    Returns:
        PASS if every mutant is as declared; FAIL otherwise.

    Raises:
        HarnessError: a folder, a file or an id is wrong.
    """
    began = time.perf_counter()
    files = discover([Path(path) for path in paths])
    mutants = load_gallery(gallery).mutants
    left_out = () if only or remember else unmapped_of(mutants.values(), read_kill_map(gallery))
    whole = all_permutations or remember

    def tell(outcome: Outcome) -> None:
        click.echo(line(outcome))
        if not outcome.exact:
            click.echo(f"       again:       {again(outcome.mutant.id, gallery, paths, whole=whole, quick=quick)}")
            for history in keep(outcome, report) if report is not None else ():
                click.echo(f"       history:     relayproof judge --timeline {shlex.quote(str(history))}")

    table = run_gallery(
        gallery,
        files,
        only=only or [name for name in mutants if name not in left_out],
        whole=whole,
        quick=quick,
        workers=workers,
        tell=tell,
    )
    click.echo(last_word(table, time.perf_counter() - began))
    if report is None and not all(one.exact for one in table.outcomes):
        click.echo("`--report DIR` behind such a line keeps the histories that show what differs.")
    if left_out:
        click.echo(
            f"{len(left_out)} more have no kill map yet: `relayproof mutants --remember --only {left_out[0]}` makes it"
        )
    if report is not None:
        write_json(table, report)
    if remember:
        write_kill_map(gallery, kill_map_of(table, read_kill_map(gallery)))
    return Verdict.PASS if table.is_good else Verdict.FAIL


def again(mutant: str, gallery: Path, paths: tuple[str, ...], *, whole: bool, quick: bool) -> str:
    """The command that repeats the runs of one mutant, all of them: what is not caught anywhere cannot be looked for in one file."""
    flags = [*(["--all-permutations"] if whole else []), *(["--quick"] if quick else [])]
    files = [part for path in paths for part in ("--files", path)]
    return shlex.join(["relayproof", "mutants", "--only", mutant, "--gallery", str(gallery), *files, *flags])
