"""``relayproof mutants``: the gallery of broken systems, each of which must be caught exactly as declared."""

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from harness.base.errors import UsageError
from harness.base.verdict import Verdict
from harness.run.gallery import PROGRAM, load_gallery
from harness.run.kill_map import read_kill_map
from harness.run.mapping import keep, sliced, stamps_of, unmapped
from harness.run.mutants import Outcome, Table, run_gallery, unmapped_of
from harness.run.mutants_table import keep_histories, last_word, line, write_json
from harness.run.mutants_wire import run_on_wire
from harness.run.mutants_wire_table import last_word as last_word_on_wire
from harness.run.mutants_wire_table import line as line_on_wire
from harness.run.mutants_wire_table import write_json as write_json_of_wire
from harness.run.runner import world_named
from harness.run.shelf import Shelf
from harness.scenario.discover import discover

WORKERS = {"sim": 2, "wire": 1}
"""Processes that work at once if nobody says how many: hurried clocks on two cores bear no neighbour."""


@dataclass(frozen=True)
class Wish:
    """Which mutants in which plans.

    Attributes:
        only: ids of mutants; empty for all that have a kill map or need none.
        all_permutations: run every plan of each file instead of one; on the wire all that the kill map names, not only those of what is declared.
        remember: write what was found into the gallery's kill map, mutant by mutant, to be read as a diff; without ``only`` all broken systems
            whose kill map was not made with the content of now.
        again: remember also those whose kill map was.
        part: ``2/5`` for those of them that are in the second fifth of the gallery.
        quick: run mutants only in the plans that the kill map names; on the wire in one of them.
        world: ``sim``, or ``wire`` to compare.
    """

    only: tuple[str, ...] = ()
    all_permutations: bool = False
    remember: bool = False
    again: bool = False
    part: str | None = None
    quick: bool = False
    world: str = "sim"


def show_mutants(
    gallery: Path, paths: tuple[str, ...], wish: Wish, *, report: Path | None = None, workers: int = 2
) -> Verdict:
    """Run the gallery and print a line for each mutant.

    Args:
        gallery: folder of the mutants.
        paths: scenario files and folders.
        wish: which mutants in which plans.
        report: folder for ``mutants.json``, and for the histories of mutants that are not as declared.
        workers: processes.

    Returns:
        PASS if every mutant is as declared; FAIL otherwise.

    Raises:
        HarnessError: a folder, a file or an id is wrong; what would be lost when all has run is found before anything runs.
    """
    if wish.world == "wire":
        return _show_on_wire(gallery, paths, wish, report=report, workers=workers)
    began = time.perf_counter()
    if report is not None:
        Shelf.opened(report)
    files = discover([Path(path) for path in paths])
    loaded = load_gallery(gallery)
    stamps = stamps_of(loaded, gallery, files, whole=wish.all_permutations) if wish.remember else {}
    left_out = () if wish.only or wish.remember else unmapped_of(loaded.mutants.values(), read_kill_map(gallery))
    if wish.remember and not wish.only:
        chosen = unmapped(loaded, gallery, {} if wish.again else stamps)
    else:
        chosen = list(wish.only) or [name for name in loaded.mutants if name not in left_out]
    if wish.part is not None:
        ours = set(sliced(list(loaded.mutants), wish.part))
        chosen = [name for name in chosen if name in ours]
    if not chosen:
        click.echo("Nothing to do: the kill map was made with what is here now; --again makes it anew.")
        return Verdict.PASS
    show_again = partial(again, gallery=gallery, paths=paths, whole=wish.all_permutations, quick=wish.quick)
    teller = _Teller(gallery, len(chosen), began, stamps, show_again)
    table = run_gallery(
        gallery,
        files,
        only=chosen,
        whole=wish.all_permutations,
        quick=wish.quick,
        workers=workers,
        tell=teller.tell,
        measured=teller.measured,
    )
    click.echo(last_word(table, time.perf_counter() - began))
    if report is None and not all(one.exact for one in table.outcomes):
        click.echo("`--report DIR` behind such a line keeps the histories that show what differs.")
    if left_out:
        click.echo(
            f"{len(left_out)} more have no kill map yet: `relayproof mutants --remember --only {left_out[0]}` makes it"
        )
    if report is not None:
        _keep(table, report)
    return Verdict.PASS if table.is_good else Verdict.FAIL


def _show_on_wire(gallery: Path, paths: tuple[str, ...], wish: Wish, *, report: Path | None, workers: int) -> Verdict:
    """Run the gallery as processes and print what differs from the sim; raises as ``show_mutants``."""
    if wish.remember or wish.again:
        raise UsageError("--world wire: the kill map is made in the sim; --remember and --again go without it")
    if wish.quick and wish.all_permutations:
        raise UsageError(
            "--world wire: --quick is one plan of each mutant, --all-permutations all that its kill map names; choose"
        )
    if not (gallery / PROGRAM).is_file():
        raise UsageError(f"--gallery {gallery}: it has no {PROGRAM}, so its mutants cannot be run as processes")
    world_named("wire")
    began = time.perf_counter()
    if report is not None:
        Shelf.opened(report)
    only = list(wish.only)
    if wish.part is not None:
        ours = sliced(list(load_gallery(gallery).mutants), wish.part)
        only = [name for name in ours if not only or name in only]
    passage = run_on_wire(
        gallery,
        discover([Path(path) for path in paths]),
        only=only,
        quick=wish.quick,
        whole=wish.all_permutations,
        workers=workers,
        keep=report and report / "mutants",
        tell=lambda outcome: click.echo(line_on_wire(outcome)),
    )
    click.echo(last_word_on_wire(passage, time.perf_counter() - began))
    if report is not None:
        write_json_of_wire(passage, report)
    return Verdict.PASS if passage.is_good else Verdict.FAIL


def _keep(table: Table, report: Path) -> None:
    """Write the table, and histories of what is not as declared.

    Those are made here and only now: a world in this process takes the clock away from the threads that serve the workers.
    """
    write_json(table, report)
    for outcome in table.outcomes:
        for history in keep_histories(outcome, report):
            click.echo(f"{outcome.mutant.id}: relayproof judge --timeline {shlex.quote(str(history))}")


def again(mutant: str, gallery: Path, paths: tuple[str, ...], *, whole: bool, quick: bool) -> str:
    """The command that repeats the runs of one mutant, all of them: what is not caught anywhere cannot be looked for in one file."""
    flags = [*(["--all-permutations"] if whole else []), *(["--quick"] if quick else [])]
    files = [part for path in paths for part in ("--files", path)]
    return shlex.join(["relayproof", "mutants", "--only", mutant, "--gallery", str(gallery), *files, *flags])


@dataclass
class _Teller:
    """Says how far a gallery has come, and keeps what is to be remembered as soon as it is known.

    Attributes:
        gallery: its folder.
        total: mutants to run.
        began: when the whole did.
        stamps: id -> of what is to be remembered; empty for nothing.
        again: the command that repeats a mutant's runs.
        plans: on which the reference is green.
        done: mutants so far.
    """

    gallery: Path
    total: int
    began: float
    stamps: Mapping[str, str]
    again: Callable[[str], str]
    plans: frozenset[str] = frozenset()
    done: int = 0

    def measured(self, table: Table) -> None:
        """The reference has been through all plans."""
        self.plans = table.plans - set(table.red)
        wall_s = time.perf_counter() - self.began
        click.echo(f"reference: green on {len(self.plans)} of {len(table.plans)} plans, {wall_s:.0f} s", err=True)
        self.began += wall_s

    def tell(self, outcome: Outcome) -> None:
        """A mutant has been through its plans."""
        self.done += 1
        click.echo(line(outcome))
        if not outcome.exact:
            click.echo(f"       again:       {self.again(outcome.mutant.id)}")
        kept = ""
        if self.stamps:
            is_kept = keep(self.gallery, outcome, self.plans, self.stamps[outcome.mutant.id])
            kept = ", kept" if is_kept else ", not kept: it is no measure"
        spent_s = time.perf_counter() - self.began
        left_s = spent_s / self.done * (self.total - self.done)
        click.echo(f"{self.done} of {self.total}{kept}; about {left_s / 60:.0f} min to go", err=True)
