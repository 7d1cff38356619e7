"""The host's end of docs/spec/sut.md."""

from dataclasses import fields
from typing import Any

from reference.host.driver import HostDriver, qr_lines
from reference.platform import Door, Platform
from reference.protocol.host import HostMachine
from reference.protocol.host_io import VERSION, Contract, Press, Rename, Start, Stop, Type
from reference.verbs import Action, Program

_STOPS = ("graceful", "terminal_closed")


async def serve(
    door: Door, platform: Platform, *, machine: type[HostMachine] = HostMachine, driver: type[HostDriver] = HostDriver
) -> int:
    """Run one host program until it ends; returns its exit code. The event ``exiting`` comes before the end.

    Args:
        door: requests and replies.
        platform: the machine to run on.
        machine: the host's decisions; a variant is a subclass.
        driver: what runs them.
    """
    host = machine(platform.timers, platform.entropy)
    claims = {"outage_limit_s": platform.timers.outage_limit_s, "promote": True}
    return await _HostProgram("host", door, platform, host, driver, ACTIONS, claims).serve()


class _HostProgram(Program):
    def screen(self) -> dict[str, Any]:
        """The screen, with the QR code if it is shown."""
        screen = super().screen()
        if screen["qr"]:
            screen["lines"] = [*screen["lines"], *qr_lines(screen["url"])]
        return screen


def _start(ticket: int, args: dict[str, Any]) -> Start:
    given = args.get("contract") or {}
    contract = Contract(**{one.name: given[one.name] for one in fields(Contract) if one.name in given})
    history = args.get("history") or [] if args.get("mode", "fresh") == "promote" else []
    return Start(
        ticket,
        instance=str(args["instance"]),
        title=str(args.get("title") or ""),
        cwd=str(args.get("cwd") or "."),
        credential=str(args["credential"]),
        permissions=str(args.get("permissions") or "ask"),
        history=tuple(history),
        contract=contract,
        version=str(args.get("version") or VERSION),
    )


def _stop(ticket: int, args: dict[str, Any]) -> Stop:
    how = args.get("how", "graceful")
    if how not in _STOPS:
        raise ValueError(f"how is one of {_STOPS}, not {how!r}")
    return Stop(ticket, how)


ACTIONS: dict[str, Action] = {
    "start": _start,
    "stop": _stop,
    "rename": lambda ticket, args: Rename(ticket, str(args["title"])),
    "type": lambda ticket, args: Type(ticket, str(args["text"])),
    "press": lambda ticket, args: Press(ticket, str(args["key"])),
}
