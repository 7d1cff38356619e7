"""The commands of a topology to put hands on: ``up``, ``fault``, ``down``.

Deliberately absent: the topology (``harness.run.hands_on``).
"""

import os
import shlex
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import click
import trio

from harness.base.errors import UsageError, WorldError
from harness.base.span import format_span
from harness.base.verdict import Verdict
from harness.history.events import Event
from harness.report.lanes import Lanes
from harness.report.sentences import sentence
from harness.run.control import Message, ask, seat
from harness.run.interrupt import termination_interrupts
from harness.run.options import Options

READY = b"ready"


# --- up


def stand(*, name: str, sut: str | None, way_out: str | None, hurried: bool, ready_fd: int | None) -> None:
    """Have a topology stand until it is told to leave.

    Args:
        name: by which ``fault`` and ``down`` find it.
        sut: file of the system on trial; None for the reference.
        way_out: the proxy that is the host's only way out.
        hurried: whether the world always hurries.
        ready_fd: is told when it stands, and is then the last that is said; None to go on telling what happens.

    Raises:
        UsageError: an option is wrong, or another is up.
        WorldError: it cannot stand.
        KeyboardInterrupt: it was ended before it stood, or a second time.
    """
    options = Options.checked(world="wire", sut=sut, profile=None, seed=1, faults_off=False, report=None)
    programs_of, hands_on, topology = _wire()
    plan = topology(sorted(options.suts), way_out)
    with seat(name) as ours, termination_interrupts(()):
        board = _Board(Lanes.of(plan), ready_fd)
        hands_on(ours, hurried, board.ready, board.happened).stand(plan, programs_of(plan, options.programs))
    board.say("All of it is gone.")


def _wire() -> Any:
    """What needs the extra ``wire``."""
    from harness.run.runner import world_named

    world_named("wire")
    from harness.run.hands_on import HandsOn, topology
    from harness.run.trial import programs_for

    return programs_for, HandsOn, topology


class _Board:
    """What ``up`` tells: where everything is, then what happens."""

    def __init__(self, lanes: Lanes, ready_fd: int | None) -> None:
        self._lanes, self._ready_fd = lanes, ready_fd
        self._faults = 0
        self.stood = False

    def say(self, text: str) -> None:
        click.echo(text)

    def ready(self, stage: Any) -> None:
        """Everything stands."""
        self.stood = True
        self.say(welcome(stage))
        if self._ready_fd is not None:
            os.write(self._ready_fd, READY)
            os.close(self._ready_fd)
            nowhere = os.open(os.devnull, os.O_RDWR)
            for stream in (sys.stdout, sys.stderr):
                os.dup2(nowhere, stream.fileno())
        else:
            self.say("\n" + self._lanes.head())

    def happened(self, event: Event) -> None:
        """Something happened; it is told once all stands."""
        if event.kind == "fault":
            self._faults += {"began": 1, "healed": -1}.get(event.what, 0)
        if self.stood and self._ready_fd is None and sentence(event):
            self.say("\n".join(self._lanes.lines(event, faulty=self._faults > 0 or event.what == "healed")))


def welcome(stage: Any) -> str:
    """Where everything is, and what can be done with it."""
    ground, folder = stage.ground, stage.children.folder
    rows = [
        ("relay", f"{ground.relay_name}, at {ground.relay_at[0]}:{ground.relay_at[1]}; by its links:"),
        *((f"  {one}", ground.relay_url(one, stage.link_of(one).listens)) for one in stage.clients),
        ("CA", str(folder / "ca.pem")),
        (
            "logs",
            f"{folder}/*.log; each program's own files in {folder}/NAME.{'disk/state' if stage.disks else 'state'}",
        ),
    ]
    inside = {actor.name: ground.inside(actor.name) for actor in stage.plan.cast}
    rows += [(f"on {one}", f"{shlex.join(before)} COMMAND") for one, before in inside.items() if before]
    rows += [
        ("faults", "relayproof fault cut host-relay 30s · relayproof fault host.sleeps 8h"),
        ("end", "Ctrl-C, or relayproof down"),
    ]
    return "\n".join(f"{name:<10}{text}" for name, text in rows)


def detach(options: Mapping[str, Any]) -> int:
    """Have ``up`` stand in a process of its own, and return once it does.

    Args:
        options: of ``up``, by the names of ``stand``.

    Returns:
        Its exit code if it does not stand, else 0.
    """
    reads, writes = os.pipe()
    command = [sys.executable, "-m", "harness.cli", "up", *_spelled({**options, "ready_fd": writes})]
    child = subprocess.Popen(command, stdin=subprocess.DEVNULL, pass_fds=[writes], start_new_session=True)  # noqa: S603
    os.close(writes)
    try:
        with open(reads, "rb") as told:  # noqa: PTH123  a pipe
            stands = told.read() == READY
    except KeyboardInterrupt:
        child.terminate()
        child.wait()
        raise
    return 0 if stands else child.wait()


def _spelled(options: Mapping[str, Any]) -> list[str]:
    flags = {f"--{name.replace('_', '-')}": value for name, value in options.items() if value not in (None, False)}
    return [part for flag, value in flags.items() for part in ([flag] if value is True else [flag, str(value)])]


# --- fault


def inflict(words: Sequence[str], name: str) -> Verdict:
    """Have a fault happen, wait for its end, and print what shows that it bit.

    Returns:
        PASS if it bit, else INCONCLUSIVE.

    Raises:
        UsageError: nothing is up, or it refuses.
        WorldError: what is up says nothing any more, or has ended.
    """
    found: list[Message] = []

    def hear(message: Message) -> bool:
        if "error" in message:
            raise UsageError(message["error"])
        if "began" in message:
            click.echo(begun(message))
        if "evidence" in message:
            found.append(message["evidence"])
        return bool(found)

    if not trio.run(ask, name, {"do": "fault", "words": list(words)}, hear):
        raise WorldError(
            "the topology has ended meanwhile: somebody ended it, or `relayproof up` says why where it runs"
        )
    click.echo(shown(found[0]))
    return Verdict.PASS if found[0]["bit"] else Verdict.INCONCLUSIVE


def begun(message: Message) -> str:
    """Say that a fault has begun, and how long that will take."""
    lasts = (
        f"lasts {format_span(message['lasts_s'])}" if message["lasts_s"] else "is a moment, and is watched for a while"
    )
    return f"{message['began']} begins; it {lasts}{', and the world hurries meanwhile' if message['hurried'] else ''}"


def shown(evidence: Message) -> str:
    """Evidence for people."""
    rows = {
        "bit": "yes" if evidence["bit"] else "not proven",
        "attempted": evidence["attempted"],
        "passed": evidence["passed"],
        "rank": evidence["rank"].lower(),
        "note": evidence["note"],
        "by": ", ".join(evidence["realised_by"]),
    }
    return "\n".join(f"{name:<10}{value}" for name, value in rows.items())


# --- down


def dismiss(name: str) -> None:
    """Have the topology end, and wait until nothing is left of it.

    Raises:
        UsageError: nothing is up.
        WorldError: it does not end.
    """
    trio.run(ask, name, {"do": "down"}, lambda _: False)
    click.echo("All of it is gone.")
