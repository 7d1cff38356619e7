"""Runs one relay machine: inputs in, effects out, one task for its deadline and one for its store.

Inputs are taken at once, by whichever task brings them, and timers only by the deadline task: so an input never waits for a timer, and a message
costs no trip through a queue. Deliberately absent: bytes and streams (``server.py``).
"""

import math
from collections import deque
from typing import Protocol

import trio

from reference.platform import Platform
from reference.protocol.relay import RelayMachine
from reference.protocol.relay_io import (
    CloseStream,
    Commit,
    Committed,
    Effect,
    Gone,
    Input,
    Issue,
    OpenStream,
    Respond,
    Revoke,
    StorageFailed,
    StreamData,
    Tick,
    Told,
)


class Peer(Protocol):
    """Whoever carries the answer of one request."""

    def take(self, effect: Respond | OpenStream | StreamData | CloseStream) -> None:
        """Carry out an effect for its request; never blocks."""


class RelayService:
    """One relay on one platform.

    Args:
        platform: clocks and store.
        machine: fresh; ``run`` restores it.
    """

    def __init__(self, platform: Platform, machine: RelayMachine) -> None:
        self.machine = machine
        self._platform = platform
        self._store = platform.open_store()
        self._peers: dict[int, Peer] = {}
        self._told: dict[int, trio.MemorySendChannel[dict[str, str | int]]] = {}
        self._rid = 0
        self._inputs: deque[Input] = deque()
        self._busy = False
        self._deadline_s: float | None = None
        self._alarm = trio.CancelScope()
        self._commit: Commit | None = None
        self._committer = trio.lowlevel.ParkingLot()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Restore from the store, then serve inputs until cancelled."""
        self.machine.restore(await self._store.load(), self._platform.instant())
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._watch_deadline)
                nursery.start_soon(self._watch_commits)
                self._wind()
                task_status.started()
        finally:
            with trio.CancelScope(shield=True):
                await self._store.aclose()

    # --- what connections call

    def new_rid(self, peer: Peer) -> int:
        """Name a new request."""
        self._rid += 1
        self._peers[self._rid] = peer
        return self._rid

    def drop(self, rid: int) -> None:
        """The request is answered, or its peer went away."""
        if self._peers.pop(rid, None) is not None:
            self.submit(Gone(rid))

    def submit(self, what: Input) -> None:
        """Hand one input to the machine and carry out what it says; inputs that this causes come after it."""
        self._inputs.append(what)
        if self._busy:
            return
        self._busy = True
        try:
            while self._inputs:
                now = self._platform.instant()
                for effect in self.machine.handle(self._inputs.popleft(), now):
                    self._perform(effect)
        finally:
            self._busy = False
        self._wind()

    async def ask(self, what: Issue | Revoke) -> dict[str, str | int]:
        """Submit an operator's request, named by ``next_ask``, and wait for the answer."""
        send, receive = trio.open_memory_channel[dict[str, str | int]](1)
        self._told[what.rid] = send
        self.submit(what)
        return await receive.receive()

    def next_ask(self) -> int:
        """Name an operator's request."""
        self._rid += 1
        return self._rid

    # --- effects

    def _perform(self, effect: Effect) -> None:
        if isinstance(effect, Commit):
            self._commit = effect
            self._committer.unpark()
        elif isinstance(effect, Told):
            self._told.pop(effect.rid).send_nowait(effect.result)
        elif (peer := self._peers.get(effect.rid)) is not None:
            if isinstance(effect, Respond | CloseStream):
                del self._peers[effect.rid]
            peer.take(effect)

    async def _watch_commits(self) -> None:
        while True:
            while self._commit is None:
                await self._committer.park()
            commit, self._commit = self._commit, None
            try:
                await self._store.commit(commit.records)
            except OSError:
                self.submit(StorageFailed())
                return
            self.submit(Committed(commit.upto))

    # --- time

    def _wind(self) -> None:
        """Move the deadline task's alarm to the machine's deadline, without waking the task."""
        wanted_s = self.machine.next_deadline()
        if wanted_s == self._deadline_s:
            return
        self._deadline_s = wanted_s
        self._alarm.deadline = self._trio_time(wanted_s)

    def _trio_time(self, awake_s: float | None) -> float:
        return math.inf if awake_s is None else trio.current_time() + awake_s - self._platform.instant().awake_s

    async def _watch_deadline(self) -> None:
        while True:
            with trio.CancelScope(deadline=self._trio_time(self._deadline_s)) as self._alarm:
                await trio.sleep_forever()
            self._tick()

    def _tick(self) -> None:
        """Let time pass, and wind the alarm anew whatever the deadline is."""
        self._deadline_s = None
        self.submit(Tick())
