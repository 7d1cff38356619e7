"""How fast simulated time runs: ratios within one process, and beside them how fast trio alone is on this machine.

Deliberately absent: limits. A number that depends on who else uses the machine is no test.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import trio
import trio.testing

from harness.base.verdict import Verdict
from harness.history.plan import Plan
from harness.run.runner import Record, run_plan
from harness.scenario.discover import discover
from harness.scenario.expand import plans

WAKES = 5_000
"""So many jumps of trio's own virtual clock are timed at once: about a quarter of a second."""

WAKES_PER_S_THEN = 38_600
"""Jumps a second on the machine on which the goals were set: 0.1 s for a ten-minute outage, 30 s for all scenarios on two cores."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Of one plan in a warm process.

    Attributes:
        plan: which.
        verdict: worst of the measured runs; the speed of a run that does not pass says little.
        simulated_s: how long a run is in simulated time.
        wall_s: median of the real time of a run, judging included.
        ratio: simulated by real time, from the median.
        best: the same from the quickest run.
    """

    plan: Plan
    verdict: Verdict
    simulated_s: float
    wall_s: float
    ratio: float
    best: float


def speed_of(plan: Plan, runs: int) -> Speed:
    """Run a plan once to warm up and then ``runs`` times, at least once, to measure."""
    run_plan(plan)
    return _speed(plan, [run_plan(plan) for _ in range(runs)])


def _speed(plan: Plan, records: Sequence[Record]) -> Speed:
    walls = [record.wall_s for record in records]
    simulated_s = records[0].history.footer.simulated_s
    return Speed(
        plan=plan,
        verdict=max(record.judgement.verdict for record in records),
        simulated_s=simulated_s,
        wall_s=statistics.median(walls),
        ratio=simulated_s / statistics.median(walls),
        best=simulated_s / min(walls),
    )


def bench(paths: Sequence[Path], runs: int) -> list[Speed]:
    """Measure every plan under the paths, in their order."""
    return [speed_of(plan, runs) for path in discover(paths) for plan in plans(path)]


def wakes_per_s(rounds: int = 5) -> float:
    """How often trio alone, without a network or a program, wakes one task a second under its own virtual clock; the best of some rounds.

    Nearly all that a run costs is of this kind, so the figure says how much of a difference between two machines is the machines'.
    """

    async def sleeper() -> None:
        for _ in range(WAKES):
            await trio.sleep(1.0)

    best_s = float("inf")
    for _ in range(rounds):
        began = time.perf_counter()
        trio.run(sleeper, clock=trio.testing.MockClock(autojump_threshold=0.0))
        best_s = min(best_s, time.perf_counter() - began)
    return WAKES / best_s


def bench_text(speeds: Sequence[Speed], wakes: float) -> str:
    """One line for each plan: how many times faster than real time; a last one for ``wakes_per_s``."""
    head = f"{'simulated':>11}  {'wall':>9}  {'x real time':>12}  {'best':>9}"
    lines = [
        f"{one.simulated_s:>9.0f} s  {one.wall_s:>7.3f} s  {one.ratio:>12,.0f}  {one.best:>9,.0f}"
        f"  {one.verdict.name}  {one.plan.id}"
        for one in speeds
    ]
    here = f"trio alone: {wakes:,.0f} wakes a second here, {WAKES_PER_S_THEN:,} where the goals were set (x {WAKES_PER_S_THEN / wakes:.2f})"
    return "\n".join([head, *lines, here])
