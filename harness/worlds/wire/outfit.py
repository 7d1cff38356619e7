"""How a role is fitted out: its command, its environment, its home with the secrets that must stay there, its clocks and observers.

Deliberately absent: running it (``roles``).
"""

import os
import random
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from harness.history.plan import Actor
from harness.sut.command import Command
from harness.worlds.secrets import plant
from harness.worlds.wire import syscalls
from harness.worlds.wire.account import TRACE
from harness.worlds.wire.disk import Disk
from harness.worlds.wire.laying import trusted
from harness.worlds.wire.observers import Observer
from harness.worlds.wire.roles import Role
from harness.worlds.wire.warp import NS, shim

if TYPE_CHECKING:
    from harness.worlds.wire.stage import WireStage


async def outfit(stage: "WireStage", nursery: trio.Nursery, actor: Actor) -> Role:
    """Make an actor's role; its program is not started, its command not known until the links are laid."""
    folder, name = stage.children.folder, actor.name
    page, socket = folder / f"{name}.page", folder / f"{name}.agent"
    if stage.routed is not None:
        stage.children.unmount_at_end(folder / f"{name}.disk")
        stage.disks[name] = Disk(folder / f"{name}.disk")
    clocks = stage.clock.machine(name, page)
    clocks.wall_ns += round(stage.plan.given.get(name, {}).get("clock", {}).get("offset", 0.0) * NS)
    role = Role(
        actor=actor,
        command=(),
        environ=_environ(stage, name, page),
        children=stage.children,
        nursery=nursery,
        record=partial(stage.record, name),
        changed=stage.wake,
        clocks=clocks,
        observer=Observer(str(page).encode(), _state(stage, name), lambda: min(stage.now, stage.ended_at)),
    )
    if actor.role == "host":
        await role.listen_to_agent(socket)
    return role


def _state(stage: "WireStage", name: str) -> Path:
    """The private directory of a role's program, which makes it itself."""
    return stage.disks[name].state if name in stage.disks else stage.children.folder / f"{name}.state"


def command_for(stage: "WireStage", role: Role, template: Command) -> list[str]:
    """The command of a role's program, filled in; it is as it would be for anybody.

    Args:
        stage: its links are laid.
        role: whose environment an observer of system calls may add to.
        template: with ``harness.sut.command.PLACEHOLDERS``.
    """
    folder, name = stage.children.folder, role.actor.name
    words = {
        "ca_file": str(trusted(stage, name)),
        "cert_file": str(folder / "relay.pem"),
        "state_dir": str(_state(stage, name)),
        "agent_cmd": f"{sys.executable} -P -m harness.sut.agent_process {folder / name}.agent",
        "relay_url": "" if role.actor.role == "relay" else stage.relay_url(name),
        "proxy_url": role.environ.get("HTTPS_PROXY", ""),
    }
    command = [word.format(**words) for word in template]
    if role.actor.role == "relay" and syscalls.wanted(stage.plan):
        command, role.environ = syscalls.watched(command, role.environ, folder / TRACE)
    return [*stage.ground.inside(name), *command]


def _environ(stage: "WireStage", name: str, page: Path) -> dict[str, str]:
    """The environment of a program: of the harness's own only ``PATH``, no setting and no name of a scenario.

    It can see that it is tried: by ``LD_PRELOAD`` and ``WARP_PAGE``, by folders of that name in its paths, and by the agent's command.
    """
    home = stage.children.folder / f"{name}.home"
    home.mkdir()
    environ = {
        "PATH": os.environ.get("PATH", ""),
        "HOME": str(home),
        "WARP_PAGE": str(page),
        **({} if name in stage.unhurried else {"LD_PRELOAD": str(shim())}),
    }
    _plant(stage, name, home, environ)
    return environ


def _plant(stage: "WireStage", name: str, home: Path, environ: dict[str, str]) -> None:
    """Plant the secrets that must stay on the machine."""

    def write(path: str, data: bytes) -> None:
        (home / path).parent.mkdir(parents=True, exist_ok=True)
        (home / path).write_bytes(data)

    places = stage.plan.given.get(name, {}).get("secrets_in", ())
    entropy = random.Random(f"{stage.plan.seed} canaries {name}")  # noqa: S311  of the plan's seed, as everywhere
    for kind, values in plant(places, entropy, write, environ).items():
        stage.canaries.setdefault(kind, []).extend(values)
