"""The harness's end of a process of ours that stands on a link for a whole run: what it is told and what it says, in JSON lines.

Deliberately absent: what they say (``tap``, ``proxy``).
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import trio

from harness.base.errors import WorldError
from harness.sut.lines import Garbage, line, objects
from harness.worlds.wire.children import Child, Children

READY_S = 60.0
"""Importing mitmproxy takes 1.5 s of a quiet core and four of a busy one."""


@dataclass
class Attendant(ABC):
    """One process; whoever subclasses it takes what it says.

    Attributes:
        ready: set once it does its work.
    """

    ready: trio.Event = field(init=False, default_factory=trio.Event)
    _child: Child | None = field(init=False, default=None)
    _over: bool = field(init=False, default=False)

    @property
    @abstractmethod
    def title(self) -> str:
        """What people call it, with its article."""

    @abstractmethod
    def take(self, told: dict[str, Any]) -> None:
        """Take one thing that the process said.

        Raises:
            WorldError: something in it broke.
        """

    async def start(
        self, children: Children, nursery: trio.Nursery, name: str, command: Sequence[str], environ: dict[str, str]
    ) -> None:
        """Start the process and wait until it does its work; from then on it is listened to.

        Args:
            children: who starts processes.
            nursery: where it is listened to.
            name: of the process.
            command: program and arguments.
            environ: all of its environment.

        Raises:
            WorldError: it does not start.
        """
        self._child = await children.start(name, command, environ, talks=True)
        nursery.start_soon(self.listen, self._child)
        with trio.move_on_after(READY_S):
            await self.ready.wait()
        if not self.ready.is_set():
            raise WorldError(f"{self.title} does not start: {self._child.last_words()}")

    async def listen(self, child: Child) -> None:
        """Take what the process says until it is ended.

        Raises:
            WorldError: it ended by itself, something in it broke, or it says what none says.
        """
        assert child.process.stdout is not None
        try:
            async with aclosing(objects(child.process.stdout)) as lines:
                async for told in lines:
                    self.take(told)
        except (Garbage, KeyError, ValueError) as error:
            raise WorldError(f"{self.title} says what none says: {error!r}") from error
        if not self._over:
            raise WorldError(f"{self.title} ended: {child.last_words()}")

    def end(self) -> None:
        """From now on its end is meant."""
        self._over = True

    def say(self, told: dict[str, Any]) -> None:
        """Say something at once: a line is far below what a pipe takes without waiting.

        Raises:
            WorldError: nobody listens there any more.
        """
        assert self._child is not None
        stdin: Any = self._child.process.stdin  # a stream of a pipe, which trio's type does not say
        try:
            os.write(stdin.fileno(), line(told))
        except OSError as error:
            raise WorldError(f"{self.title} takes no settings: {error.strerror}: {self._child.last_words()}") from error
