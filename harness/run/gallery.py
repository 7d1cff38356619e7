"""What a mutant is, and how a gallery of them is read from a folder.

A mutant is a system that is broken on purpose in one place, or a variant that is right (benign), or a harness that is broken (harness). What it
kills is declared beforehand; so a gallery is the documentation of what each check is for. Deliberately absent: running them (``mutants``), and
any mutant: they live with the tests, for the reference must not know of them.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Literal, Protocol

from harness.base.errors import UsageError

if TYPE_CHECKING:  # a broken program starts in half the time without them
    from harness.run.kill_map import Pair
    from harness.run.runner import World
    from harness.sut.inprocess import Program

Kind = Literal["delete", "weaken", "late", "liar", "unconditional", "historic", "benign", "harness"]
"""A rule taken out, made weaker, kept too late; one that says it did and did not; a system that answers everything alike; a bug that
shipped somewhere; a variant that is right; a harness that is broken."""

type Count = Callable[[], None]
"""Called whenever the broken place is used: a mutant whose seam was never used has shown nothing."""

type Note = Callable[[str], None]
"""Called with the name of a seam whenever the reference uses it."""

type Watch = Callable[[Note], Mapping[str, Program]]
"""Makes the reference's programs so that they tell which of their seams they use, and do nothing else differently."""


class Splice(Protocol):
    """Makes role or actor -> broken program; gets the counter of the seam.

    It may have ``seams``: what it replaces, as a ``Watch`` names it. In a plan where the reference uses none of that the mutant *is* the
    reference, and its run is spared. Without, every plan is run.
    """

    def __call__(self, count: Count, /) -> Mapping[str, Program]:
        """Make the programs."""


PACKAGE = "relayproof_gallery"
"""Name under which a gallery's folder is imported, wherever it lies."""

PROGRAM = "program.py"
"""The file of a gallery that runs one of its mutants as a process."""


@dataclass(frozen=True)
class Mutant:
    """One entry of the gallery.

    Attributes:
        id: unique in the gallery.
        kind: what sort of deviation it is.
        role: on trial: ``relay``, ``host``, ``device``, or ``harness``.
        about: one sentence: what is wrong, as its user would meet it.
        source: the property, article claim or report that it stands for.
        kills: requirement -> code, or codes, of the findings that it is there for; what else it brings down stands in the gallery's kill map.
            Empty for benign and harness mutants.
        programs: of broken roles.
        world: makes the broken world, for harness mutants.
        sim_only: why it can be no process; empty if it can.
    """

    id: str
    kind: Kind
    role: Literal["relay", "host", "device", "harness"]
    about: str
    source: str
    kills: Mapping[str, str | tuple[str, ...]] = field(default_factory=dict)
    programs: Splice | None = None
    world: Callable[[Count], World] | None = None
    sim_only: str = ""

    def __post_init__(self) -> None:
        assert (self.programs is None) is (self.role == "harness"), self.id
        assert (self.world is None) is (self.role != "harness"), self.id
        assert bool(self.kills) is (self.kind not in ("benign", "harness")), self.id

    @cached_property
    def purpose(self) -> frozenset[Pair]:
        """What it is there for, as pairs of requirement and code."""
        codes = {law: (code,) if isinstance(code, str) else code for law, code in self.kills.items()}
        return frozenset((law, code) for law, several in codes.items() for code in several)

    def is_spared(self, used: frozenset[str]) -> bool:
        """Whether a run is the reference's own, given the seams that the reference used in it."""
        seams: frozenset[str] = getattr(self.programs, "seams", frozenset())
        return bool(seams) and not seams & used


@dataclass(frozen=True)
class Gallery:
    """A folder of mutants.

    Attributes:
        mutants: by id, in order of file and place.
        watches: one for each set of seams.
        homes: id -> the file that it stands in.
    """

    mutants: Mapping[str, Mutant]
    watches: tuple[Watch, ...] = ()
    homes: Mapping[str, Path] = field(default_factory=dict)

    def watched(self, note: Note) -> dict[str, Program]:
        """The reference's programs, every seam watched."""
        return {role: program for watch in self.watches for role, program in watch(note).items()}


def load_gallery(folder: Path) -> Gallery:
    """Read every module of a folder: its ``MUTANTS``, and its ``watch`` where it has one.

    Raises:
        UsageError: no such folder, no mutants in it, or an id that comes twice.
    """
    if not folder.is_dir():
        raise UsageError(f"--gallery {folder}: there is no such folder")
    modules = _modules(folder)
    found: dict[str, Mutant] = {}
    homes: dict[str, Path] = {}
    for module, mutant in ((one, mutant) for one in modules for mutant in getattr(one, "MUTANTS", ())):
        if mutant.id in found:
            raise UsageError(f"--gallery {folder}: the mutant {mutant.id} is there twice")
        found[mutant.id], homes[mutant.id] = mutant, Path(str(module.__file__))
    if not found:
        raise UsageError(f"--gallery {folder}: no module there has MUTANTS")
    return Gallery(found, tuple(module.watch for module in modules if hasattr(module, "watch")), homes)


def load_mutant(home: Path, name: str) -> Mutant:
    """One mutant, without its neighbours: a program that starts has no time for them.

    Args:
        home: the module in which it stands.
        name: its id.
    """
    _lay(home.parent)
    module = importlib.import_module(f"{PACKAGE}.{home.stem}")
    mutants: tuple[Mutant, ...] = module.MUTANTS
    return next(mutant for mutant in mutants if mutant.id == name)


def _modules(folder: Path) -> list[ModuleType]:
    """Import all of a folder's files but its program."""
    _lay(folder)
    names = sorted(path.stem for path in folder.glob("*.py") if path.name not in ("__init__.py", PROGRAM))
    return [importlib.import_module(f"{PACKAGE}.{name}") for name in names]


def _lay(folder: Path) -> None:
    """Make the folder a package of its own name, so that its files may import each other."""
    package = ModuleType(PACKAGE)
    package.__path__ = [str(folder.resolve())]
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]
    sys.modules[PACKAGE] = package
