"""What was asked for on the command line, checked once, before anything runs.

The same value serves ``relayproof run``, plain pytest and every worker of xdist.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from harness.base.errors import UsageError
from harness.run.runner import WORLDS
from harness.run.shelf import Shelf
from harness.run.trial import trial_of
from harness.scenario.expand import Setup
from harness.scenario.profiles import contract_of


@dataclass(frozen=True, slots=True)
class Options:
    """Options of one session.

    Attributes:
        world: a key of ``WORLDS``.
        profile: name of the contract in force; None leaves it to each scenario.
        seed: of everything random.
        faults_off: effects off, book-keeping on.
        suts: roles, or names of the cast, on trial by somebody else's program; empty when the reference stands in.
        programs: role or name -> that program.
        sut: the file that says so; empty for the reference.
        shelf: where runs leave their files; None to leave none.
    """

    world: str = "sim"
    profile: str | None = None
    seed: int = 1
    faults_off: bool = False
    suts: frozenset[str] = frozenset()
    programs: Mapping[str, Any] = field(default_factory=dict)
    sut: str = ""
    shelf: Shelf | None = None

    @classmethod
    def checked(
        cls, *, world: str, sut: str | None, profile: str | None, seed: int, faults_off: bool, report: str | None
    ) -> Self:
        """Make options of what was written.

        Raises:
            UsageError: an option is wrong; the message says what would be right.
        """
        if world not in WORLDS:
            raise UsageError(f"--world {world}: there is no such world; choose one of: {', '.join(WORLDS)}")
        if seed < 0:
            raise UsageError(f"--seed {seed}: a seed is a number from 0 up")
        if profile is not None:
            contract_of(profile)
        trial = trial_of(Path(sut), world) if sut else {}
        return cls(
            world=world,
            profile=profile,
            seed=seed,
            faults_off=faults_off,
            suts=frozenset(trial),
            programs=trial,
            sut=sut or "",
            shelf=Shelf.opened(Path(report)) if report else None,
        )

    def setup(self) -> Setup:
        """What the scenario language has to know."""
        return Setup(self.world, self.seed, self.profile, self.faults_off, self.suts or None)
