"""Programs that are broken where only a real machine shows it: a table, and the entry point that starts one.

Each patches the reference's program in one place and then runs it: ``python -P wire_only.py ID host --shim ...``. Deliberately absent: mutants of
the protocol, which the simulated world kills too.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import trio

import reference.dial
import reference.drive
import reference.host.shim
import reference.native.command
import reference.native.machine
import reference.native.stdio
import reference.relay.service
from reference.protocol import limits
from reference.protocol.relay_io import Request
from reference.relay.store import SqliteStore


@dataclass(frozen=True)
class WireOnly:
    """One broken program.

    Attributes:
        id: unique in the table.
        role: whose program it is.
        about: one sentence: what is wrong, as its user would meet it.
        source: the property or report that it stands for.
        scenario: file under ``scenarios`` in which it is killed; its first plan that the wire world can play will do.
        kills: requirement -> code of all that must fail there, and nothing else may.
        patch: breaks the program.
        where_it_stands: requirement -> code of what fails, too, in a run at whose end a stream stood for long enough; it never passes.
    """

    id: str
    role: str
    about: str
    source: str
    scenario: str
    kills: Mapping[str, str]
    patch: Callable[[], None]
    where_it_stands: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> tuple[str, ...]:
        """What stands in for ``python -m reference`` of its role."""
        return (sys.executable, "-P", __file__, self.id)


# --- credentials in plain view


def _credential(use):
    """Have ``use`` told of the enrolment that the host is started with."""
    serve = reference.host.shim.serve

    async def listening(door, platform):
        async def requests():
            async for request in door.requests:
                if request.get("verb") == "start":
                    use(request["args"]["credential"])
                yield request

        return await serve(replace(door, requests=requests()), platform)

    reference.host.shim.serve = listening


def _launches(change):
    """Launch the agent with another command and environment, as ``change(command, environ)`` says."""
    launched = reference.native.machine.launched
    reference.native.machine.launched = lambda command, cwd, environ, complain, **how: launched(
        *_placed(cwd, *change(command, environ)), complain, **how
    )


def _placed(cwd, command, environ):
    return command, cwd, environ


def _token_in_argv():
    known = []
    _credential(known.append)
    _launches(lambda command, environ: ([*command, "--token", known[-1]], environ))


def _token_in_environment():
    known = []
    _credential(known.append)
    _launches(lambda command, environ: (command, {**environ, "SESSION_TOKEN": known[-1]}))


def _host_logs_headers():
    call = reference.drive.Driver._call

    def logging(self, what):
        self.platform.print(f"{what.method} {what.path} {dict(what.headers)}")
        call(self, what)

    reference.drive.Driver._call = logging


def _requests(write):
    """Have ``write`` told of each request that the relay takes."""
    submit = reference.relay.service.RelayService.submit

    def logging(self, what):
        if isinstance(what, Request):
            write(f"{what.method} {what.path} {what.headers}\n")
        submit(self, what)

    reference.relay.service.RelayService.submit = logging


def _relay_logs_headers():
    _requests(sys.stderr.write)


def _relay_keeps_a_debug_log():
    folder = Path(sys.argv[sys.argv.index("--state") + 1])

    def write(line):
        with (folder / "debug.log").open("a") as file:
            file.write(line)

    _requests(write)


# --- the disk


def _synchronous(how):
    def patch():
        opened = SqliteStore._open

        def careless(self):
            db = opened(self)
            db.execute(f"PRAGMA synchronous={how}")
            return db

        SqliteStore._open = careless

    return patch


def _answers_while_it_writes():
    commit = SqliteStore.commit

    async def promised(self, records):
        trio.lowlevel.spawn_system_task(commit, self, records)

    SqliteStore.commit = promised


# --- the network's buffers


def _sends(write):
    """Send what leaves the program over TCP by ``write(descriptor, data)``."""

    async def send_all(self, data):
        try:
            await trio.lowlevel.checkpoint()
            await write(self.socket.fileno(), data)
        except OSError as error:
            raise trio.BrokenResourceError from error

    trio.SocketStream.send_all = send_all


def _one_writes_at_a_time():
    turn = trio.Lock()
    send_all = trio.SocketStream.send_all

    async def in_turn(self, data):
        async with turn:
            await send_all(self, data)

    trio.SocketStream.send_all = in_turn
    limits.UNSENT_BYTES_MAX = 1 << 30


async def _believes_that_all_went(descriptor, data):
    await trio.lowlevel.wait_writable(descriptor)
    os.write(descriptor, data)


def _asks_for_the_name():
    send = reference.dial.Dialler._send

    async def curious(self, *what):
        with suppress(OSError):
            await trio.to_thread.run_sync(socket.getaddrinfo, self._base.host, self._base.port)
        return await send(self, *what)

    reference.dial.Dialler._send = curious


# --- files, processes, signals


def _store_open_to_others():
    umask = os.umask
    os.umask = lambda _mode: umask(0o022)
    folder = Path(sys.argv[sys.argv.index("--state") + 1])
    prepare = reference.native.machine.NativeHome.prepare

    def careless(self):
        prepare(self)
        folder.chmod(0o755)

    reference.native.machine.NativeHome.prepare = careless


def _helper(**options):
    """Start a helper beside the agent and forget it, as programs do that keep a machine awake."""

    def change(command, environ):
        subprocess.Popen(["sleep", "600"], env=dict(environ), **options)
        return command, environ

    return lambda: _launches(change)


def _deaf():
    del reference.native.stdio._STOP[signal.SIGTERM]
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _dies_of_sigterm():
    del reference.native.stdio._STOP[signal.SIGTERM]


_ANY = "session/qr-on-space.yaml"
_ENDS = "session/clean-exit.yaml"
_SLOW = "machine/slow-reader.yaml"
_DISK = "machine/disk-before-answer.yaml"

WIRE_ONLY: tuple[WireOnly, ...] = (
    WireOnly(
        "token-in-argv", "host", "The agent gets the enrolment as an argument, for everybody to see in `ps`.",
        "AUT-15, CC#43236", _ANY, {"RC-AUT-015.not-in-argv": "credential-in-argv"}, _token_in_argv,
    ),
    WireOnly(
        "token-in-environment", "host", "The agent inherits the enrolment, and so does every tool that it runs.",
        "AUT-15", _ANY, {"RC-AUT-015.not-in-argv": "credential-in-environment"}, _token_in_environment,
    ),
    WireOnly(
        "log-leaks-a-token", "host", "The log of a host names each request with its headers, the token too.",
        "AUT-15", _ANY, {"RC-AUT-015.not-in-log": "credential-in-log"}, _host_logs_headers,
    ),
    WireOnly(
        "relay-logs-tokens", "relay", "The access log of a relay holds everybody's tokens.",
        "AUT-15", _ANY, {"RC-AUT-015.not-in-log": "credential-in-log"}, _relay_logs_headers,
    ),
    WireOnly(
        "relay-keeps-a-debug-log", "relay", "A relay writes what it was asked, tokens too, beside its store.",
        "LOC-5, CC#71654", _ANY, {"RC-LOC-005.at-rest": "credential-at-rest"}, _relay_keeps_a_debug_log,
    ),
    WireOnly(
        "store-open-to-others", "relay", "Every user of the relay's machine may read its store.",
        "LOC-5", _ANY, {"RC-LOC-005.private": "open-to-others"}, _store_open_to_others,
    ),
    WireOnly(
        "child-left-behind", "host", "A helper that the host started outlives it, and holds its output open.",
        "OPS-4", _ENDS, {"RC-OPS-004.leaves-nobody": "left-behind"}, _helper(),
    ),
    WireOnly(
        "child-escapes", "host", "A helper with a session of its own outlives the host that started it.",
        "OPS-4", _ENDS, {"RC-OPS-004.leaves-nobody": "left-behind"},
        _helper(start_new_session=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL),
    ),
    WireOnly(
        "signal-ignored", "host", "SIGTERM does nothing; a machine that shuts down kills the session without a word.",
        "OPS-4", _ANY, {"RC-OPS-004.obeys-signal": "did-not-leave"}, _deaf,
    ),
    WireOnly(
        "relay-ignores-signal", "relay", "SIGTERM does nothing; each deployment of the relay waits, then kills it.",
        "OPS-4", _ANY, {"RC-OPS-004.obeys-signal": "did-not-leave"}, _deaf,
    ),
    WireOnly(
        "dies-of-sigterm", "host", "SIGTERM ends the host where it stands: it signs off nowhere.",
        "OPS-4, CC#87623", _ANY, {"RC-OPS-004.obeys-signal": "wrong-exit-code"}, _dies_of_sigterm,
    ),
    WireOnly(
        "ack-without-fsync", "relay", "The relay says `stored` of what the operating system has still in memory.",
        "OUT-15", _DISK, {"RC-OUT-015.syncs-first": "answered-before-sync"}, _synchronous("OFF"),
    ),
    WireOnly(
        "fsync-now-and-then", "relay", "The relay syncs its store when its journal is full, long after it answered.",
        "OUT-15, Jepsen NATS 2.12.1", _DISK, {"RC-OUT-015.syncs-first": "answered-before-sync"}, _synchronous("NORMAL"),
    ),
    WireOnly(
        "ack-before-fsync", "relay", "The relay writes and syncs what it was given, and answers meanwhile.",
        "OUT-15", _DISK, {"RC-OUT-015.syncs-first": "answered-before-sync"}, _answers_while_it_writes,
    ),
    WireOnly(
        "slow-reader-freezes-all", "relay", "The relay waits until the slowest device has read, and so does everybody.",
        "ORD-14, CX#23482", _SLOW, {"RC-ORD-014.slow-consumer": "late"}, _one_writes_at_a_time,
    ),
    WireOnly(
        "partial-write-lost", "relay", "Where the kernel takes only a part of what is written the rest is forgotten.",
        "ORD-1", "machine/more-than-a-buffer.yaml", {"RC-SES-005.late-joiner": "lost-write"}, lambda: _sends(_believes_that_all_went),
        where_it_stands={"RC-ORD-001.no-loss": "lost-write"},  # this one's comes and goes
    ),
    WireOnly(
        "asks-for-the-name", "host", "Behind a proxy the host still asks the network's own server for its relay's name.",
        "EGR-4", "proxy/only-a-proxy.yaml", {"RC-EGR-004.proxy-only": "asked-direct"}, _asks_for_the_name,
    ),
)  # fmt: skip


def main() -> None:
    """Break the program that the first argument names, then run it with the rest."""
    name = sys.argv.pop(1)
    next(one for one in WIRE_ONLY if one.id == name).patch()
    reference.native.command.main(prog_name="relayproof")


if __name__ == "__main__":
    main()
