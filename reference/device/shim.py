"""The device's end of docs/spec/sut.md."""

from reference.device.driver import DeviceDriver
from reference.platform import Door, Platform
from reference.protocol.device import DeviceMachine
from reference.protocol.device_io import Attach, Decide, Detach, List, Rename, Send, Start, Stop
from reference.verbs import Action, Program


async def serve(
    door: Door,
    platform: Platform,
    *,
    machine: type[DeviceMachine] = DeviceMachine,
    driver: type[DeviceDriver] = DeviceDriver,
) -> int:
    """Run one device program until ``bye`` or until nobody is there any more; returns 0.

    Args:
        door: requests and replies.
        platform: the machine to run on.
        machine: the device's decisions; a variant is a subclass.
        driver: what runs them.
    """
    device = machine(platform.timers, platform.entropy)
    return await Program("device", door, platform, device, driver, ACTIONS, {"resume": True}).serve()


ACTIONS: dict[str, Action] = {
    "start": lambda ticket, args: Start(ticket, str(args["credential"]), renew=bool(args.get("renew", True))),
    "stop": lambda ticket, _: Stop(ticket),
    "list": lambda ticket, _: List(ticket),
    "attach": lambda ticket, args: Attach(ticket, str(args["session"])),
    "detach": lambda ticket, _: Detach(ticket),
    "send": lambda ticket, args: Send(ticket, str(args["text"]), str(args.get("msg_id") or "")),
    "answer": lambda ticket, args: Decide(
        ticket, str(args["request"]), str(args["option"]), str(args.get("digest") or "")
    ),
    "rename": lambda ticket, args: Rename(ticket, str(args["title"])),
}
