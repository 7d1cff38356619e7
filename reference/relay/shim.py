"""The relay's end of docs/spec/sut.md: verbs in, a running relay out."""

import json
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import trio

from reference.platform import Door, Platform
from reference.protocol.credentials import SCOPES
from reference.protocol.relay import RelayMachine, Terms
from reference.protocol.relay_io import Drain, Issue, Revoke
from reference.relay.server import serve_stream
from reference.relay.service import RelayService

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

NAME = "relayproof-reference-relay"
VERSION = "0.1.0"
ENROLMENT_LIVES_S = 90 * 86_400.0


class _Refused(Exception):  # noqa: N818 - an answer at the door, not an error of ours
    """A verb cannot be done; carries code and message."""


async def serve(
    door: Door,
    platform: Platform,
    *,
    machine: type[RelayMachine] = RelayMachine,
    service: type[RelayService] = RelayService,
) -> None:
    """Answer verbs until ``bye`` or until the other side is gone.

    Args:
        door: requests and replies.
        platform: the machine to run on.
        machine: the relay's decisions; a variant is a subclass.
        service: what drives it.
    """
    async with trio.open_nursery() as nursery:
        program = _Program(platform, nursery, machine, service)
        async for request in door.requests:
            door.send({"id": request.get("id"), **await program.do(request)})
            if request.get("verb") == "bye":
                break
        nursery.cancel_scope.cancel()


class _Program:
    """One relay program, of which at most one relay runs."""

    VERBS: ClassVar[tuple[str, ...]] = ("hello", "start", "issue", "revoke", "drain", "stop", "clock", "bye")

    def __init__(
        self, platform: Platform, nursery: trio.Nursery, machine: type[RelayMachine], service: type[RelayService]
    ) -> None:
        self._platform = platform
        self._nursery = nursery
        self._machine = machine
        self._service = service
        self._relay: RelayService | None = None
        self._scope = trio.CancelScope()
        self._stopped = trio.Event()

    async def do(self, request: dict[str, Any]) -> dict[str, Any]:
        """Carry out one request object; returns ``{"ok": ...}`` or ``{"err": ...}``."""
        verb, args = request.get("verb"), request.get("args") or {}
        if verb not in self.VERBS:
            return _err("unsupported", f"no verb {verb!r}")
        act: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]] = getattr(self, f"_{verb}")
        try:
            return {"ok": await act(args)}
        except _Refused as refused:
            return _err(*refused.args)
        except (KeyError, TypeError, ValueError) as error:
            return _err("bad-args", f"{verb}: {error!r}")
        except OSError as error:
            return _err("network", f"{verb}: {error}")

    # --- verbs

    async def _hello(self, _: dict[str, Any]) -> dict[str, Any]:
        claims = {"durable": True, "drain": True, "heartbeat_s": self._platform.timers.heartbeat_s}
        return {"name": NAME, "version": VERSION, "roles": ["relay"], "verbs": list(self.VERBS), "claims": claims}

    async def _clock(self, _: dict[str, Any]) -> dict[str, Any]:
        now = self._platform.instant()
        return {"monotonic_s": now.awake_s, "wall_s": now.wall_s}

    async def _start(self, args: dict[str, Any]) -> dict[str, Any]:
        if self._relay is not None:
            raise _Refused("bad-args", "the relay runs already")
        name, port = str(args["name"]), int(args["port"])
        address = str(args.get("address") or "0.0.0.0")  # noqa: S104 - a relay is there to be dialled
        listeners = await trio.open_tcp_listeners(port, host=address)
        port = port or listeners[0].socket.getsockname()[1]
        url = f"https://{name}" + ("" if port == 443 else f":{port}")
        terms = _terms(Terms(url=url, timers=self._platform.timers), args.get("contract") or {})
        relay = self._service(self._platform, self._machine(terms, self._platform.entropy))
        await self._nursery.start(self._run, relay, listeners)
        self._relay = relay
        return {"url": url}

    async def _issue(self, args: dict[str, Any]) -> dict[str, Any]:
        role, relay = args["role"], self._running()
        scopes = tuple(args.get("scopes") or SCOPES[role])
        if not set(scopes) <= set(SCOPES[role]):
            raise _Refused("bad-args", f"a {role} cannot hold {sorted(set(scopes) - set(SCOPES[role]))}")
        lives_s = args.get("access_lives_s")
        issue = Issue(
            relay.next_ask(),
            str(args["subject"]),
            role,
            str(args.get("account") or "account"),
            scopes,
            float(args.get("lives_s") or ENROLMENT_LIVES_S),
            None if lives_s is None else float(lives_s),
            str(args.get("plan") or "max"),
            str(args.get("sign_in") or "account"),
        )
        return _told(await relay.ask(issue))

    async def _revoke(self, args: dict[str, Any]) -> dict[str, Any]:
        relay = self._running()
        return _told(await relay.ask(Revoke(relay.next_ask(), str(args["subject"]))))

    async def _drain(self, args: dict[str, Any]) -> dict[str, Any]:
        self._running().submit(Drain(float(args.get("retry_after_s") or 1.0)))
        return {}

    async def _stop(self, _: dict[str, Any]) -> dict[str, Any]:
        if self._relay is not None:
            self._scope.cancel()
            await self._stopped.wait()
        return {}

    async def _bye(self, args: dict[str, Any]) -> dict[str, Any]:
        return await self._stop(args)

    # --- parts

    def _running(self) -> RelayService:
        if self._relay is None:
            raise _Refused("bad-args", "the relay does not run")
        return self._relay

    async def _run(
        self,
        relay: RelayService,
        listeners: list[trio.SocketListener],
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run one relay until it is stopped."""
        tls = self._platform.server_tls()
        edges = [trio.SSLListener(listener, tls, https_compatible=True) for listener in listeners]
        self._stopped = trio.Event()
        try:
            with trio.CancelScope() as self._scope:
                async with trio.open_nursery() as nursery:
                    await nursery.start(relay.run)
                    await nursery.start(
                        partial(trio.serve_listeners, handler_nursery=nursery), partial(_serve, relay), edges
                    )
                    task_status.started()
        finally:
            self._relay = None
            self._stopped.set()


async def _serve(relay: RelayService, stream: trio.abc.Stream) -> None:
    await serve_stream(stream, relay)


def _terms(terms: Terms, contract: dict[str, Any]) -> Terms:
    """Apply the overrides of a contract; what does not concern the relay is ignored."""
    known = {field.name for field in fields(Terms)} - {"url", "timers"}
    overrides: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in contract.items() if name in known
    }
    return replace(terms, **overrides)


def _told(result: dict[str, str | int]) -> dict[str, Any]:
    if "error" in result:
        raise _Refused(str(result["error"]), json.dumps(result))
    return dict(result)


def _err(code: str, message: str) -> dict[str, Any]:
    return {"err": {"code": code, "message": message}}
