"""The client roles' end of docs/spec/sut.md: requests become actions of a machine, its replies and events go back by the same door."""

from collections.abc import Callable
from typing import Any

import trio

from reference.dial import Dialler
from reference.drive import Driver
from reference.platform import Door, Platform
from reference.protocol.client import Client
from reference.route import BadProxy

VERSION = "0.1.0"

type Action = Callable[[int, dict[str, Any]], Any]
"""Ticket and arguments of a verb -> input of the machine. Raises KeyError, TypeError or ValueError for bad arguments."""


class Program:
    """One program behind a door: ``hello``, ``start``, ``screen``, ``clock``, ``bye``, the role's own verbs, and ``unsupported`` for the rest.

    Args:
        role: ``host`` or ``device``.
        door: requests in, replies and events out.
        platform: the machine to run on.
        machine: decides.
        driver: runs it.
        actions: the role's verbs; ``start`` among them.
        claims: what ``hello`` promises.
    """

    def __init__(
        self,
        role: str,
        door: Door,
        platform: Platform,
        machine: Client,
        driver: type[Driver],
        actions: dict[str, Action],
        claims: dict[str, Any],
    ) -> None:
        self._role, self._claims = role, claims
        self._door, self._platform = door, platform
        self._machine, self._driver_type = machine, driver
        self._actions = actions
        self._driver: Driver | None = None
        self._code = 0

    async def serve(self) -> int:
        """Answer verbs until the program ends; returns its exit code."""
        async with trio.open_nursery() as self._nursery:
            async for request in self._door.requests:
                if not self._answer(request):
                    break
            self._nursery.cancel_scope.cancel()
        return self._code

    def _answer(self, request: dict[str, Any]) -> bool:
        """Answer one request; returns whether another one may follow."""
        number, verb, args = int(request.get("id", 0)), request.get("verb"), request.get("args") or {}
        if verb == "bye":
            self._ok(number, {})
            return False
        if verb == "hello":
            self._ok(number, self._hello())
        elif verb == "clock":
            self._ok(number, self._clock())
        elif verb == "screen":
            self._ok(number, self.screen())
        elif verb in self._actions:
            self._act(number, str(verb), args)
        else:
            self._err(number, "unsupported", f"no verb {verb!r}")
        return True

    def _hello(self) -> dict[str, Any]:
        verbs = ["hello", *self._actions, "screen", "clock", "bye"]
        return {
            "name": f"relayproof-reference-{self._role}",
            "version": VERSION,
            "roles": [self._role],
            "verbs": verbs,
            "claims": self._claims,
        }

    def _clock(self) -> dict[str, float]:
        """What the machine's clocks say, of which one stands in sleep."""
        now = self._platform.instant()
        return {"monotonic_s": now.awake_s, "wall_s": now.wall_s}

    def screen(self) -> dict[str, Any]:
        """What the person sees now."""
        return self._machine.screen()

    def _act(self, number: int, verb: str, args: dict[str, Any]) -> None:
        try:
            action = self._actions[verb](number, args)
            if verb == "start" and self._driver is None:
                self._launch(args)
        except BadProxy as error:
            self._err(number, "bad-args", str(error))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._err(number, "bad-args", f"{verb}: {error!r}")
        else:
            if self._driver is None:
                self._err(number, "bad-args", "start comes first")
            else:
                self._driver.put(action)

    def _launch(self, args: dict[str, Any]) -> None:
        dialler = Dialler(self._platform, str(args["relay_url"]), str(args.get("proxy") or ""))
        dialler.route()
        self._driver = self._driver_type(self._platform, self._machine, dialler, self._door.send)
        self._nursery.start_soon(self._run, self._driver)

    async def _run(self, driver: Driver) -> None:
        self._code = await driver.run()
        assert driver.exit is not None
        over = driver.exit
        self._door.send({"ev": "exiting", "code": over.code, "reason": over.reason, "message": over.message})
        self._nursery.cancel_scope.cancel()

    def _ok(self, number: int, ok: dict[str, Any]) -> None:
        self._door.send({"id": number, "ok": ok})

    def _err(self, number: int, code: str, message: str) -> None:
        self._door.send({"id": number, "err": {"code": code, "message": message}})
