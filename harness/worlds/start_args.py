"""Arguments of the verb ``start``, the same in every world: what a role is told of the run it takes part in.

Deliberately absent: addresses and credentials as such; worlds give them.
"""

from dataclasses import asdict
from typing import Any

from harness.history.plan import Actor, Plan


def of_relay(plan: Plan, actor: Actor, name: str, port: int) -> dict[str, Any]:
    """Arguments of a relay that serves under a name at a port."""
    return _common(plan, actor) | {"name": name, "port": port}


def of_client(plan: Plan, actor: Actor, *, relay_url: str, credential: str, cwd: str) -> dict[str, Any]:
    """Arguments of a host or a device.

    Args:
        plan: of the run.
        actor: who.
        relay_url: where it finds the relay.
        credential: with which it enrolled; it goes nowhere else.
        cwd: of a host's session, on its machine.
    """
    own = _of_host(plan, actor, cwd) if actor.role == "host" else _of_device(plan, actor)
    return _common(plan, actor) | {"relay_url": relay_url, "credential": credential} | own


def _common(plan: Plan, actor: Actor) -> dict[str, Any]:
    given = plan.given.get(actor.name, {})
    return {"contract": asdict(plan.contract)} | ({"version": given["version"]} if "version" in given else {})


def _of_host(plan: Plan, actor: Actor, cwd: str) -> dict[str, Any]:
    given = plan.given.get(actor.name, {})
    return {
        "instance": given.get("instance", actor.name),
        "title": given.get("title", f"work on {actor.name}"),
        "cwd": cwd,
        "mode": "promote" if given.get("history") else "fresh",
        "history": [{"role": "agent", "text": text} for text in given.get("history", [])],
        "permissions": given.get("permissions", "ask"),
    }


def _of_device(plan: Plan, actor: Actor) -> dict[str, Any]:
    given = plan.given.get(actor.name, {})
    return {"device": actor.name, "renew": given.get("token", {}).get("renews") != "never"}
