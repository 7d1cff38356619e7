"""How fast the world goes while the story waits: in haste where nothing is about to be looked at, calmly (``BRISK`` at most) around what is.

Real time is only where somebody cannot be hurried, where a budget of delays is that small, and (``stage``) while a program starts or ends.
Measured: at x60 a round trip on loopback looks like 8 to 16 ms, and a handshake of 5 ms like 300. Deliberately absent: the clock (``warp``).
"""

import math
from dataclasses import dataclass
from typing import Any

from harness.checks.latency import parse_budget
from harness.history.plan import Plan

HASTE = 60.0
"""A ten-minute outage in ten seconds; round trips still look like those of a good line."""
LONG, LONG_S = 600.0, 1800.0
"""Where more than so much is left to wait for: a night in a minute; round trips look like 77 to 158 ms."""
BRISK = 8.0
"""Between steps and while an answer is awaited: a handshake looks like one over a long line."""
GENTLE = 2.0
"""Where a budget of latency is claimed."""
TRIP_S = 0.5
"""True seconds that a budget of time is never shorter than: a word from host to screen takes 0.03 on a quiet machine, 0.2 on a busy one."""
LINE_S = 0.002
"""Round trip of this machine's own proxies and tap."""
CALM_S = 1.5
"""World seconds before the end of a wait that go by calmly, so that what follows is met exactly."""
STIR_S = 3.0
"""World seconds after something happened that go by calmly: what follows from it, such as a program's end, takes its true time."""
PATIENCE_S = 10.0
"""World seconds that an awaited thing gets before the world is hurried to its deadline."""


@dataclass(frozen=True, slots=True)
class Haste:
    """One run's choice of rates; ``Haste(1, 1, 1)`` is real time."""

    most: float = HASTE
    brisk: float = BRISK
    long: float = LONG

    def rate(self, quiet_s: float, left_s: float, *, awaited: bool) -> tuple[float, float]:
        """The rate for now, and for how many world seconds it holds at most.

        Args:
            quiet_s: world seconds since this wait began, or since something happened if that was later.
            left_s: until it ends at the latest.
            awaited: whether it may end earlier.
        """
        calm_s = (PATIENCE_S if awaited else STIR_S) - quiet_s
        if calm_s > 0 and left_s > 2 * CALM_S:
            return self.brisk, min(left_s, calm_s)
        if left_s > LONG_S:
            return self.long, left_s - LONG_S
        if left_s > 2 * CALM_S:
            return self.most, left_s - CALM_S
        return self.brisk, left_s


REAL = Haste(1.0, 1.0, 1.0)


def is_measured(plan: Plan) -> bool:
    """Whether delays are measured in a plan."""
    return any(claim.verb == "delay" for claim in plan.expectations)


def is_close(plan: Plan) -> bool:
    """Whether a budget of delays is shorter than what a busy machine may take for a word by itself."""
    return is_measured(plan) and _least_s(plan) < TRIP_S


def haste_of(plan: Plan) -> Haste:
    """How a plan may be hurried: where delays are measured at one pace that their budgets bear, else calmly no faster than its shortest spans do."""
    if is_measured(plan):
        pace = _measured(plan)
        return Haste(pace, pace, pace)
    return Haste(brisk=_calm(plan))


def _least_s(plan: Plan) -> float:
    """The tightest budget, without the round trips; what is no budget is judged as none, and needs no time."""
    claims = [claim for claim in plan.expectations if claim.verb == "delay"]
    budgets = [parse_budget(str(claim.args.get("value")), plan.contract, 0.0) for claim in claims]
    return min((budget[1] for budget in budgets if budget is not None), default=math.inf)


def _measured(plan: Plan) -> float:
    """1 for budgets below twice ``TRIP_S``."""
    least_s = _least_s(plan)
    return 1.0 if least_s < 2 * TRIP_S else min(BRISK, least_s / TRIP_S)


def _calm(plan: Plan) -> float:
    """The rate around what is looked at: haste makes a program's own work look long.

    A budget of time keeps ``TRIP_S`` of true time, a line that is given as short is no shorter than this machine's own.
    """
    budgets = [claim.within_s / TRIP_S for claim in plan.expectations if claim.within_s]
    lines = [float(network["rtt"]) / LINE_S for network in _networks(plan) if network.get("rtt")]
    counts = [GENTLE for claim in plan.expectations if claim.proves.startswith("RC-LAT")]
    return max(1.0, min([BRISK, *budgets, *lines, *counts]))


def _networks(plan: Plan) -> list[dict[str, Any]]:
    found = [given.get("network") for given in plan.given.values() if isinstance(given, dict)]
    return [network for network in found if isinstance(network, dict)]
