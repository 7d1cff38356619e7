"""The wire world: a plan in, a history out, by real processes over TLS on this machine.

Every role is a process behind docs/spec/sut.md; each link is a toxiproxy-server; clocks are hurried by ``warp``. Deliberately absent: the story's
meaning (``director``), what is on stage (``stage``), judgement, and files that outlive the run.
"""

import sys
from collections.abc import Mapping
from contextlib import ExitStack

import trio

from harness.base.errors import HarnessError
from harness.history.events import History
from harness.history.plan import Plan
from harness.sut.command import Command
from harness.worlds.wire.able import lacks
from harness.worlds.wire.children import Children
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
        try:
            return trio.run(self._run, plan)
        except BaseExceptionGroup as group:
            raise _first(group) from group

    async def _run(self, plan: Plan) -> History:
        with Children() as children, ExitStack() as ground:
            async with trio.open_nursery() as nursery:
                stage = WireStage(plan, children, nursery, self._programs)
                ground.callback(stage.ground.close)  # only after whoever stands on it
                try:
                    history = await stage.play()
                finally:
                    await children.reap_all()
                    nursery.cancel_scope.cancel()
            return history


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
