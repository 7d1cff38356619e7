"""The wire world: a plan in, a history out, by real processes over TLS on this machine.

Every role is a process behind docs/spec/sut.md; each link is a toxiproxy-server; clocks are hurried by ``warp``. Deliberately absent: the story's
meaning (``director``), what is on stage (``stage``), judgement, and files that outlive the run.
"""

import errno
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager

import trio

from harness.base.errors import HarnessError, WorldError
from harness.history.events import Event, Footer, History
from harness.history.plan import Actor, Expectation, Plan
from harness.sut.command import Command
from harness.worlds.wire.able import lacks, unjudged
from harness.worlds.wire.children import Children
from harness.worlds.wire.haste import is_close
from harness.worlds.wire.preflight import clocking_of
from harness.worlds.wire.real_time import REMEDY, why_not_in_real_time
from harness.worlds.wire.stage import WireStage

ROOM_BYTES = 1024 * 1024
"""With less, the folder is full: a run writes some MB."""

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

    def _program(self, actor: Actor) -> Command:
        return self._programs.get(actor.name) or self._programs[actor.role]

    @staticmethod
    def lacks(plan: Plan) -> str:
        """Why this world cannot play a plan; empty if it can."""
        return lacks(plan)

    @staticmethod
    def unjudged(claim: Expectation) -> str:
        """Why this world shows nothing by which an expectation could be judged; empty if it does."""
        return unjudged(claim)

    @staticmethod
    def is_close(plan: Plan) -> bool:
        """Whether a plan's delays are measured so closely that no other world may run beside it."""
        return is_close(plan)

    def run(self, plan: Plan) -> History:
        """Run a plan to its end.

        Raises:
            WorldError: this world cannot do what the plan asks, or a piece of it broke.
        """
        unhurried = self.unhurried(plan)
        why_not = why_not_in_real_time(plan, unhurried)
        return _unplayed(plan, why_not) if why_not else self.on_stage(plan, WireStage.play, unhurried)

    def unhurried(self, plan: Plan) -> dict[str, str]:
        """Who of a plan's cast keeps real time, and why; found out by starting their programs once."""
        with _one_error():
            clocking = {actor.name: clocking_of(self._program(actor)) for actor in plan.cast}
        return {name: found.why for name, found in clocking.items() if not found.follows}

    def on_stage[T](
        self, plan: Plan, act: Callable[[WireStage], Awaitable[T]], unhurried: Mapping[str, str] | None = None
    ) -> T:
        """Lay a plan's stage, act on it, and leave nothing of it; raises as ``run``, and what ``act`` raises.

        Args:
            plan: whose stage.
            act: what is done there.
            unhurried: actors whose programs keep real time, and why: then everybody does.
        """
        with _one_error():
            return trio.run(self._on_stage, plan, act, unhurried or {})

    async def _on_stage[T](
        self, plan: Plan, act: Callable[[WireStage], Awaitable[T]], unhurried: Mapping[str, str]
    ) -> T:
        with Children() as children, ExitStack() as ground:
            async with trio.open_nursery() as nursery:
                stage = WireStage(plan, children, nursery, self._programs, unhurried)
                ground.callback(stage.ground.close)  # only after whoever stands on it
                try:
                    done = await act(stage)
                finally:
                    stage.let_go()  # what ends from here on is meant to: the true reason must not be outshouted
                    await children.reap_all()
                    nursery.cancel_scope.cancel()
            return done


def _unplayed(plan: Plan, why: str) -> History:
    """The history of a plan that nobody could judge."""
    story = {"step": "setup", "why": f"{why}. To be judged, {REMEDY}", "code": "not-assessable"}
    return History(plan, (Event(0, 0.0, "harness", "story", "failed", story),), Footer(0.0, 0.0, 0.0, "", 0))


@contextmanager
def _one_error() -> Iterator[None]:
    """Let out what the user should hear of; a want of room with its remedy."""
    try:
        yield
    except (OSError, BaseExceptionGroup) as error:
        first = _first(error)
        place = tempfile.gettempdir()
        if isinstance(first, OSError) and _is_full(first, place):
            raise WorldError(f"no room is left in {place}: make some, or set TMPDIR to a folder that has") from error
        if first is error:
            raise
        raise first from error


def _is_full(error: OSError, place: str) -> bool:
    """Whether an error is for want of room in a folder; the kernel says the same of other things that it has no more of."""
    return error.errno == errno.EDQUOT or (error.errno == errno.ENOSPC and shutil.disk_usage(place).free < ROOM_BYTES)


def _first(error: BaseException) -> BaseException:
    """Of several errors one of ours before any other."""
    leaves: list[BaseException] = []
    pending: list[BaseException] = [error]
    while pending:
        one = pending.pop(0)
        if isinstance(one, BaseExceptionGroup):
            pending += one.exceptions
        else:
            leaves.append(one)
    return next((leaf for leaf in leaves if isinstance(leaf, HarnessError)), leaves[0])
