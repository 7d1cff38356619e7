"""Time that can be hurried, for unmodified processes: the world's clock, and the pages from which ``warp.c`` answers in each program.

The world's time is a broken line over the true MONOTONIC: legs, each with a rate. A machine's three clocks follow it with offsets of their own, so
that a sleep holds back one of them and a step moves another. A change of rate is announced two slices of ``warp.c`` ahead: waits that
are under way meet it exactly. Deliberately absent: when to hurry (``haste``), and stopping of processes (``children``).
"""

import hashlib
import mmap
import shutil
import struct
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache as remembered
from pathlib import Path

from harness.base.errors import WorldError
from harness.worlds import cache

NS = 1_000_000_000
NOTICE_NS = 25_000_000
"""How long before it holds a new rate is announced: two slices of ``warp.c`` and a half."""

_LEG = struct.Struct("=qdqqq")
_SEQUENCE = struct.Struct("=Q")
_PAGE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Leg:
    """From a true instant on, the world gains ``rate`` seconds a second.

    Attributes:
        from_ns: true MONOTONIC, nanoseconds.
        rate: 1 is real time.
        world_ns: the world's time at its beginning.
    """

    from_ns: int
    rate: float
    world_ns: int

    def at(self, true_ns: int) -> int:
        """The world's time at a true instant."""
        return self.world_ns + int((true_ns - self.from_ns) * self.rate)


@dataclass
class MachineClocks:
    """Offsets of one machine's clocks from the world's time, and the page that tells its programs.

    Attributes:
        path: the page's file.
        awake_ns: of MONOTONIC, which stands in sleep.
        elapsed_ns: of BOOTTIME.
        wall_ns: of REALTIME.
    """

    path: Path
    awake_ns: int
    elapsed_ns: int
    wall_ns: int

    def __post_init__(self) -> None:
        self._sequence = 0
        self.path.write_bytes(bytes(_PAGE_BYTES))
        with self.path.open("r+b") as file:
            self._page = mmap.mmap(file.fileno(), _PAGE_BYTES)

    def write(self, first: Leg, second: Leg) -> None:
        """Put two legs into the page, as this machine's clocks show them."""
        legs = b"".join(
            _LEG.pack(
                leg.from_ns, leg.rate, *(leg.world_ns + of for of in (self.awake_ns, self.elapsed_ns, self.wall_ns))
            )
            for leg in (first, second)
        )
        self._mark()
        self._page[_SEQUENCE.size : _SEQUENCE.size + len(legs)] = legs
        self._mark()

    def sleep_at_once(self, s: float) -> None:
        """A sleep that takes no time: BOOTTIME and the calendar leap by ``s`` seconds, MONOTONIC stands; in the page with the next ``tell``."""
        self.elapsed_ns += round(s * NS)
        self.wall_ns += round(s * NS)

    def _mark(self) -> None:
        self._sequence += 1
        self._page[: _SEQUENCE.size] = _SEQUENCE.pack(self._sequence)

    def close(self) -> None:
        """Unmap the page."""
        self._page.close()


def calendar_s(environ: Mapping[str, str]) -> float:
    """What a program of this environment takes the calendar for, seconds; asked of one that is not ours.

    Raises:
        WorldError: it does not say.
    """
    program = shutil.which("date", path="/usr/bin:/bin") or "date"
    warped = {name: environ[name] for name in ("LD_PRELOAD", "WARP_PAGE") if name in environ}
    done = subprocess.run([program, "+%s.%N"], env=warped, capture_output=True, text=True, check=False, timeout=10)  # noqa: S603
    try:
        return float(done.stdout)
    except ValueError as error:
        raise WorldError(f"date(1) says no time: {(done.stdout + done.stderr)[:200]!r}") from error


@dataclass
class WorldClock:
    """The world's time, and everybody's pages.

    Attributes:
        machines: name -> its clocks.
        legs: all so far, oldest first; the last may begin only in a moment.
    """

    machines: dict[str, MachineClocks] = field(default_factory=dict)
    legs: list[Leg] = field(default_factory=lambda: [Leg(time.monotonic_ns(), 1.0, 0)])

    @property
    def now(self) -> float:
        """True seconds of the world since it began."""
        return self.of(time.monotonic_ns())

    @property
    def rate(self) -> float:
        """The rate announced last."""
        return self.legs[-1].rate

    def of(self, true_ns: int) -> float:
        """The world's time at a true instant of MONOTONIC, also a past one."""
        leg = next((leg for leg in reversed(self.legs) if leg.from_ns <= true_ns), self.legs[0])
        return leg.at(true_ns) / NS

    def true_s_until(self, at: float) -> float:
        """True seconds until the world's time is ``at``, or until the next leg begins."""
        true_ns = time.monotonic_ns()
        first, second = self._two()
        if true_ns >= second.from_ns:
            return (at * NS - second.at(true_ns)) / second.rate / NS
        return min((at * NS - first.at(true_ns)) / first.rate, second.from_ns - true_ns) / NS

    def machine(self, name: str, page: Path) -> MachineClocks:
        """Add a machine whose clocks show what this computer's do."""
        world_ns = round(self.now * NS)
        clocks = MachineClocks(
            page,
            time.monotonic_ns() - world_ns,
            time.clock_gettime_ns(time.CLOCK_BOOTTIME) - world_ns,
            time.time_ns() - world_ns,
        )
        self.machines[name] = clocks
        clocks.write(*self._two())
        return clocks

    def turn(self, rate: float) -> None:
        """Have the world go at another rate, in a moment."""
        if rate == self.rate:
            return
        from_ns = time.monotonic_ns() + NOTICE_NS
        if len(self.legs) > 1 and self.legs[-1].from_ns > time.monotonic_ns():
            self.legs.pop()
        self.legs.append(Leg(from_ns, rate, self.legs[-1].at(from_ns)))
        self.tell()

    def tell(self) -> None:
        """Write everybody's page anew."""
        for clocks in self.machines.values():
            clocks.write(*self._two())

    def _two(self) -> tuple[Leg, Leg]:
        return self.legs[-2:][0], self.legs[-1]

    def close(self) -> None:
        """Unmap all pages."""
        for clocks in self.machines.values():
            clocks.close()


def shim() -> Path:
    """The compiled ``warp.c``; compiled at first use and kept for its exact text.

    Raises:
        WorldError: there is no C compiler, or it fails.
    """
    source = Path(__file__).with_name("warp.c")
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    with cache.writing() as folder:
        kept = folder / f"warp-{digest}.so"
        if not kept.exists():
            _compile(source, kept)
    return kept


@remembered
def why_no_shim() -> str:
    """Why nothing can be hurried here, with the remedy, in one line; empty if it can. A compiler that is there may lack the C library's headers."""
    try:
        shim()
    except WorldError as error:
        return str(error)
    return ""


def _compiler() -> str | None:
    return shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")


_REMEDY = "install gcc and the headers of the C library (Debian: apt install gcc libc6-dev)"

COMPILE_S = 60.0
"""The clock library takes half a second."""


def _compile(source: Path, kept: Path) -> None:
    program = _compiler()
    if program is None:
        raise WorldError(f"there is no C compiler (cc) to make the clock library with; {_REMEDY}")
    with tempfile.TemporaryDirectory(dir=kept.parent) as folder:
        fresh = Path(folder) / kept.name
        command = [program, "-O2", "-shared", "-fPIC", "-o", str(fresh), str(source), "-ldl", "-lpthread"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=COMPILE_S)  # noqa: S603
        except subprocess.TimeoutExpired as error:
            raise WorldError(f"{program} did not end within {COMPILE_S:g} s; look why, and try again") from error
        except OSError as error:
            raise WorldError(f"{program} cannot be run ({error.strerror or error}); {_REMEDY}") from error
        if done.returncode:
            raise WorldError(f"{program} cannot make the clock library ({_complaint(done.stderr)}); {_REMEDY}")
        fresh.replace(kept)


def _complaint(said: str) -> str:
    """Of what a compiler said the line that tells most."""
    lines = said.strip().splitlines() or ["without a word"]
    return next((line for line in lines if "error" in line), lines[-1])[:300]
