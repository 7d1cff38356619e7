"""The wire world: a plan in, a history out, by real processes over TLS on this machine.

Every role is a process behind docs/spec/sut.md; each link is a toxiproxy-server; clocks are hurried by ``warp``. Deliberately absent: the story's
meaning (``director``), what is on stage (``stage``), judgement, and files that outlive the run.
"""

import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack

import trio

from harness.base.errors import HarnessError
from harness.history.events import History
from harness.history.plan import Plan
from harness.worlds.wire.able import lacks
from harness.worlds.wire.children import Children
from harness.worlds.wire.outfit import Command
from harness.worlds.wire.stage import WireStage

REFERENCE: dict[str, Command] = {
    "relay": (sys.executable, "-m", "reference", "relay", "--shim", "--state", "{state_dir}", "--cert", "{cert_file}"),
    "host": (
        *(sys.executable, "-m", "reference", "host", "--shim", "--state", "{state_dir}", "--ca", "{ca_file}"),
        *("--agent", "{agent_cmd}"),
    ),
    "device": (sys.executable, "-m", "reference", "device", "--shim", "--state", "{state_dir}", "--ca", "{ca_file}"),
}


class WireWorld:
    """Runs plans with real processes.

    Args:
        programs: role or actor -> command that stands in instead of the reference's.
    """

    def __init__(self, programs: Mapping[str, Command] | None = None) -> None:
        self._programs = {**REFERENCE, **(programs or {})}

    @staticmethod
    def lacks(plan: Plan) -> str:
        """Why this world cannot play a plan; empty if it can."""
        return lacks(plan)

    def run(self, plan: Plan) -> History:
        """Run a plan to its end.

        Raises:
            WorldError: this world cannot do what the plan asks, or a piece of it broke.
        """
        return self.on_stage(plan, WireStage.play)

    def on_stage[T](self, plan: Plan, act: Callable[[WireStage], Awaitable[T]]) -> T:
        """Lay a plan's stage, act on it, and leave nothing of it; raises as ``run``, and what ``act`` raises."""
        try:
            return trio.run(self._on_stage, plan, act)
        except BaseExceptionGroup as group:
            raise _first(group) from group

    async def _on_stage[T](self, plan: Plan, act: Callable[[WireStage], Awaitable[T]]) -> T:
        with Children() as children, ExitStack() as ground:
            async with trio.open_nursery() as nursery:
                stage = WireStage(plan, children, nursery, self._programs)
                ground.callback(stage.ground.close)  # only after whoever stands on it
                try:
                    done = await act(stage)
                finally:
                    await children.reap_all()
                    nursery.cancel_scope.cancel()
            return done


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """What the user should hear of: an error of ours before any other."""
    leaves: list[BaseException] = []
    pending: list[BaseException] = [group]
    while pending:
        one = pending.pop(0)
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions
        else:
            leaves.append(one)
    return next((leaf for leaf in leaves if isinstance(leaf, HarnessError)), leaves[0])
