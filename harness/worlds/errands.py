"""What a fault asks of programs rather than of machines: start one again, call a verb on one. The same in every world.

Outcomes are recorded when they come; the story does not wait for them. Deliberately absent: verbs of the story (``acts``).
"""

from collections.abc import Callable
from typing import Any

from harness.worlds.stage import Stage


class Errands:
    """Runs errands on one stage.

    Args:
        stage: where.
        roles: name -> role.
        boot: starts a program; the second argument is its version, where it is another than usual.
    """

    def __init__(self, stage: Stage, roles: dict[str, str], boot: Callable[[str, str], None]) -> None:
        self._stage, self._roles, self._boot = stage, roles, boot

    def start(self, args: dict[str, Any]) -> None:
        """Start the program again; a device goes back to its session as its owner would."""
        name, version = args["machine"], args.get("version", "")
        self._boot(name, version)
        started = self._stage.start_args(name) | ({"version": version} if version else {})
        session = self._session() if self._roles[name] == "device" else ""
        back = (lambda: self._send(name, "attach", {"session": session}, _nothing)) if session else _nothing
        self._send(name, "start", started, back)

    def call(self, args: dict[str, Any]) -> None:
        """Call a verb."""
        self._send(args["actor"], args["verb"], args.get("args", {}), _nothing)

    def _session(self) -> str:
        ok = (event for event in reversed(self._stage.events) if event.kind == "ok" and event.what == "start")
        return next((str(event.data["session"]) for event in ok if "session" in event.data), "")

    def _send(self, actor: str, verb: str, args: dict[str, Any], then: Callable[[], None]) -> None:
        public = {key: value for key, value in args.items() if key != "credential"}
        op = f"fault.{len(self._stage.events)}"
        self._stage.record(actor, "invoke", verb, op=op, **public)
        call = self._stage.call(actor, verb, args)

        def answered() -> None:
            data = call.result if call.result is not None else {"code": call.error}
            self._stage.record(actor, call.outcome, verb, op=op, **data)
            then()

        call.when_done(answered)


def _nothing() -> None:
    """Nothing follows."""
