"""What lies between a client and its relay: its link's proxy, what stands in its way out, and the tap; laid before anything runs.

Order: client, toxiproxy, corporate proxy where one is given, tap, relay. Deliberately absent: what faults do to it (``operations``).
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from harness.faults.model import FAULTS, Operation
from harness.history.plan import Plan, every_step
from harness.worlds.pki import Authority
from harness.worlds.way_out import WAYS_OUT, Settings
from harness.worlds.wire import proxy, tap, toxiproxy
from harness.worlds.wire.census import Flow
from harness.worlds.wire.operations import perform
from harness.worlds.wire.proxy import Middlebox
from harness.worlds.wire.realised import is_heard
from harness.worlds.wire.toxiproxy import Shape

if TYPE_CHECKING:
    from harness.worlds.wire.stage import WireStage


def operations_of(plan: Plan) -> list[Operation]:
    """What the story's faults are made of."""
    faults = [FAULTS[step.verb](**step.args) for step in every_step(plan.story) if step.do == "fault"]
    return [operation for fault in faults for operation in fault.begin()]


def trusted(stage: "WireStage", name: str) -> Path:
    """File of the authorities that a machine trusts; in a corporate network the employer's too."""
    path = stage.children.folder / f"{name}.ca.pem"
    corporate = "only_way_out" in stage.network_of(name)
    known = [stage.authority, *([Authority(stage.plan.seed, "corporate")] if corporate else [])]
    path.write_bytes(b"".join(one.certificate_pem for one in known))
    return path


def boxes_of(stage: "WireStage", relay: str) -> Iterator[Middlebox]:
    """What stands in machines' ways out: a proxy where it is the only one, else a portal where the story has one."""
    changed = {one.args["machine"] for one in operations_of(stage.plan) if one.name == "middlebox"}
    common = (stage.clock, stage.observe, stage.tap.chunks.append, {stage.ground.relay_name: relay})
    for client in stage.clients:
        way_out = stage.network_of(client).get("only_way_out")
        if way_out is not None:
            yield Middlebox(client, "proxy", WAYS_OUT[way_out], *common)
        elif client in changed:
            yield Middlebox(client, "portal", Settings(), *common)


async def lay(stage: "WireStage", nursery: trio.Nursery) -> None:
    """Start the proxies and the tap, and lay the links.

    Args:
        stage: its tap and boxes are made, not yet started.
        nursery: where they are listened to.
    """
    name, at = stage.ground.relay_name, stage.ground.relay_at
    async with trio.open_nursery() as starting:
        starting.start_soon(partial(tap.start, stage.children, nursery, stage.tap, name=name, relay=at))
        for client in stage.clients:
            starting.start_soon(_start_link, stage, client)
        for box in stage.boxes.values():
            starting.start_soon(_start_box, stage, nursery, box)
    for client in stage.clients:
        _lay(stage, client)
    if stage.routed is not None:
        stage.routed.buried = partial(_bury, stage)
        if any(map(is_heard, operations_of(stage.plan))):
            stage.routed.time_links({_end(link.leads): name for name, link in stage.links.items()})


async def _start_link(stage: "WireStage", client: str) -> None:
    stage.links[f"{client}-relay"] = await toxiproxy.start(stage.children, client)


async def _start_box(stage: "WireStage", nursery: trio.Nursery, box: Middlebox) -> None:
    upstreams = {"raw": ("127.0.0.1", stage.tap.listens[box.machine]), "opened": stage.ground.relay_at}
    places = stage.ground.portal_places(box.machine) if box.kind == "portal" else ["127.0.0.1:0"]
    await proxy.start(stage.children, nursery, box, seed=stage.plan.seed, places=places, upstreams=upstreams)


def _lay(stage: "WireStage", client: str) -> None:
    """Lay a client's link."""
    link, corporate = stage.link_of(client), stage.proxy_of(client)
    if corporate is None:
        link.lay(stage.ground.front(client, "relay"), f"127.0.0.1:{stage.tap.listens[client]}")
    else:
        link.lay(stage.ground.front(client, "proxy"), f"127.0.0.1:{corporate.listens}")
        stage.ground.shut(client)
        place = stage.ground.proxy_place(client, link.listens)
        stage.roles[client].environ["HTTPS_PROXY"] = corporate.given.proxy_url(place)


def shape(stage: "WireStage") -> None:
    """Make the lines what the scenario says they are; until then they are as good as this machine's."""
    for client in stage.clients:
        network = stage.network_of(client)
        stage.shape(client, Shape(network.get("rtt", 0.0) / 2, network.get("jitter", 0.0) / 2, network.get("rate")))
        if "loss" in network:
            perform(stage, Operation("lose", {"link": f"{client}-relay", "probability": network["loss"]}))


def _bury(stage: "WireStage", flow: Flow) -> None:
    """A connection has gone dark: what comes of it from now on is read by nobody."""
    corporate = stage.proxy_of(flow.machine)
    conns: Sequence[int | str] = stage.tap.order[flow.machine] if corporate is None else corporate.order
    if 0 <= flow.order < len(conns):
        stage.tap.bury(flow.machine, conns[flow.order], stage.now)


def _end(place: str) -> tuple[str, int]:
    address, _, port = place.rpartition(":")
    return address, int(port)
