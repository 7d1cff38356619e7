"""``relayproof up``: the topology of the wire world stands until it is told to leave, and takes faults meanwhile.

Deliberately absent: how it is reached (``control``), what goes on there (``harness.worlds.live``), and words for people (``cli_hands_on``).
"""

import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import Any

import trio

from harness.base.errors import HarnessError, UsageError, WorldError
from harness.checks.model import case_of
from harness.faults.model import FAULTS
from harness.history.events import Event, Footer, History
from harness.history.plan import Actor, Plan, Step
from harness.run.control import Message, Say, Seat
from harness.run.evidence import FaultEvidence, evidence_of
from harness.scenario.document import did_you_mean
from harness.scenario.fault_line import read_fault
from harness.scenario.profiles import DEFAULT, contract_of
from harness.worlds.live import PATIENCE_S, Live, lasts_s
from harness.worlds.way_out import WAYS_OUT
from harness.worlds.wire.able import lacks
from harness.worlds.wire.account import so_far
from harness.worlds.wire.haste import REAL, Haste
from harness.worlds.wire.real_time import why_not_in_real_time
from harness.worlds.wire.stage import WireStage
from harness.worlds.wire.world import WireWorld

PULSE_S = 1.0
"""True seconds between two signs of life while a fault is under way."""

GLANCE_S = 0.2
"""True seconds between two looks at what has happened."""

_LEAVE = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

SEED = 1
ROLES = {"relay": "relay", "host": "host", "phone": "device"}


def topology(suts: Sequence[str] = (), way_out: str | None = None) -> Plan:
    """A relay, a host and a phone, as a plan that expects nothing.

    Its story names faults for which the ground has to be laid before anybody asks for them; nobody walks it.

    Args:
        suts: roles or names that a program on trial plays.
        way_out: the proxy that is the only way out of the host's network, as ``only_way_out`` of a scenario.

    Raises:
        UsageError: there is no such proxy.
    """
    if way_out is not None and way_out not in WAYS_OUT:
        raise UsageError(f"--way-out {way_out}: there is no such proxy; {did_you_mean(way_out, WAYS_OUT)}")
    cast = tuple(
        Actor(name, role, "sut" if {name, role} & set(suts) else "reference")  # type: ignore[arg-type]
        for name, role in ROLES.items()
    )
    given = {"host": {"network": {"only_way_out": way_out}}} if way_out else {}
    about, contract = "A topology to put hands on.", contract_of(DEFAULT)
    plan = Plan("up", "up", "", "relayproof up", "", about, {}, "wire", SEED, contract, cast, given, (), ())
    return replace(plan, story=tuple(step for step in _PREPARED if not lacks(replace(plan, story=(step,)))))


_PREPARED = tuple(
    Step(f"prepared.{client}", 0, "fault", "", "latency", {"link": f"{client}-relay"}) for client in ("host", "phone")
)
"""Delays have to be measured from the beginning of a connection on."""


@dataclass
class HandsOn:
    """One topology that stands.

    Args:
        seat: where it is reached.
        hurried: whether the world always hurries, not only through long faults.
        ready: is told once all stands.
        happened: is told what happens, as it does.
    """

    seat: Seat
    hurried: bool
    ready: Callable[[WireStage], None]
    happened: Callable[[Event], None]
    _asked: int = 0
    _interrupted: bool = False

    def stand(self, plan: Plan, programs: Mapping[str, Any]) -> None:
        """Stand until told to leave: by ``down``, Ctrl-C, SIGTERM or SIGHUP; afterwards nothing is left.

        Raises:
            WorldError: it cannot stand, or a piece of it broke.
            KeyboardInterrupt: it was ended at once; that its pieces ended then is no news.
        """
        try:
            world = WireWorld(programs)
            world.on_stage(plan, self._act, world.unhurried(plan))
        except WorldError as error:
            if not self._interrupted:
                self.seat.farewell({"error": str(error)})
                raise
        if self._interrupted:
            raise KeyboardInterrupt

    async def _act(self, stage: WireStage) -> None:
        stage.children.remove_at_end(self.seat.folder)
        live = Live(
            stage.plan,
            stage,
            ready=lambda: self.ready(stage),
            hurry=lambda wanted: stage.hurry(self._haste(stage, long=wanted)),
        )
        stage.hurry(self._haste(stage, long=False))
        async with trio.open_nursery() as nursery:
            leave = partial(self._leave, live, stage, nursery.cancel_scope)
            nursery.start_soon(self._heed_signals, leave)
            nursery.start_soon(self.seat.serve, partial(self._answer, live, stage, leave))
            nursery.start_soon(self._tell, stage)
            await stage.follow(live.directions())
            nursery.cancel_scope.cancel()

    def _haste(self, stage: WireStage, *, long: bool) -> Haste:
        """How the world goes; in real time where somebody's program cannot be hurried."""
        return Haste() if (long or self.hurried) and not stage.unhurried else REAL

    def _leave(self, live: Live, stage: WireStage, everything: trio.CancelScope) -> None:
        """Have everybody leave; asked for again, or while nobody is there yet, it ends at once."""
        if not live.is_ready or live.is_over:
            self._interrupted = True
            everything.cancel()
        live.end()
        stage.wake()

    async def _heed_signals(self, leave: Callable[[], None]) -> None:
        heeded = [one for one in _LEAVE if signal.getsignal(one) is not signal.SIG_IGN]  # as nohup has it
        with trio.open_signal_receiver(*heeded) as signals:
            async for _ in signals:
                leave()

    async def _tell(self, stage: WireStage) -> None:
        told = 0
        while True:
            for event in stage.events[told:]:
                self.happened(event)
            told = len(stage.events)
            await trio.sleep(GLANCE_S)

    # --- what callers ask

    async def _answer(
        self, live: Live, stage: WireStage, leave: Callable[[], None], request: Message, say: Say
    ) -> None:
        try:
            if request.get("do") == "down":
                leave()
                await trio.sleep_forever()  # our end is the answer
            await self._fault(live, stage, [str(word) for word in request.get("words", [])], say)
        except HarnessError as error:
            await say({"error": str(error)})

    async def _fault(self, live: Live, stage: WireStage, words: list[str], say: Say) -> None:
        """Carry out a fault, say each second that it goes on, and then what shows that it bit."""
        self._asked += 1
        step = read_fault(words, stage.plan, f"fault.{self._asked}")
        refuse(step, stage)
        over = trio.Event()
        live.begin(step, over.set)
        stage.wake()
        await say(
            {
                "began": step.verb,
                "lasts_s": lasts_s(step),
                "hurried": self._haste(stage, long=lasts_s(step) > PATIENCE_S) != REAL,
            }
        )
        while not over.is_set():
            with trio.move_on_after(PULSE_S):
                await over.wait()
            await say({"at": stage.now})
        await say({"evidence": told_of(weighed(stage.plan, step, so_far(stage)))})


def refuse(step: Step, stage: WireStage) -> None:
    """Refuse a fault that cannot be had here.

    Raises:
        UsageError: with the reason.
    """
    plan = replace(stage.plan, story=(step,))
    why = lacks(plan) or why_not_in_real_time(plan, stage.unhurried)
    if why:
        raise UsageError(why)
    fault, cast = FAULTS[step.verb](**step.args), [actor.name for actor in plan.cast]
    for operation in (*fault.begin(), *fault.heal()):
        machine, called = operation.args.get("machine"), operation.args.get("actor", plan.cast[0].name)
        if operation.name == "middlebox" and machine not in stage.boxes:
            raise UsageError(
                f"nothing stands in the way out of {machine} that could do this; `relayproof up --way-out plain` puts a proxy into the host's"
            )
        if called not in cast:
            raise UsageError(f"nobody here is called `{called}`; {did_you_mean(called, cast)}")


def weighed(plan: Plan, step: Step, events: tuple[Event, ...]) -> FaultEvidence:
    """What shows that the fault of a step bit."""
    history = History(replace(plan, story=(step,)), events, Footer(0.0, 0.0, 0.0, "", 0))
    return next(evidence_of(case_of(history)))


def told_of(found: FaultEvidence) -> Message:
    """Evidence as JSON: ``report.json`` says the same of a fault, under the same names."""
    assert found.evidence is not None
    return asdict(found.evidence) | {
        "rank": found.evidence.rank.name,
        "bit": found.bit,
        "realised_by": list(found.realised_by),
    }
