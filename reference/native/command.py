"""The three programs as commands: ``relay``, ``host`` and ``device``.

For a person they go by flags and typed lines (``plain``); with ``--shim`` a harness speaks docs/spec/sut.md on their standard streams.
Deliberately absent: a second implementation; either way it is the same role behind a door.
"""

import os
import shlex
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import click
import trio

from reference.native.files import BadState
from reference.native.machine import USAGE, BadSetting, Setting
from reference.native.stdio import serve_stdio
from reference.platform import Door, Platform

if TYPE_CHECKING:
    from reference.native.plain import Wants

LISTEN = ("127.0.0.1", 8443)
"""Where a relay listens if it is not told: on this machine only."""

type Serve = Callable[[Door, Platform], Awaitable[int | None]]


class _Programs(click.Group):
    """Commands whose usage errors leave with ``USAGE``; click's own code is 2."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _usage():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with _usage():
            return super().invoke(ctx)


@contextmanager
def _usage() -> Iterator[None]:
    try:
        yield
    except click.UsageError as error:
        error.exit_code = USAGE  # type: ignore[misc]  # of the class in click's types only
        raise


def _address(_ctx: click.Context, _option: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """``127.0.0.1:8443``, ``[::1]:8443``."""
    if value is None:
        return None
    host, _, port = value.rpartition(":")
    if not host or not (port.isascii() and port.isdigit()) or int(port) > 65_535:
        raise click.BadParameter(f"{value!r} is not like 127.0.0.1:8443; port 0 takes a free one")
    return host.strip("[]"), int(port)


def _enrolment(_ctx: click.Context, _option: click.Parameter, values: tuple[str, ...]) -> tuple[tuple[str, Path], ...]:
    """``host=FILE``, ``device=FILE``; whom it enrols goes by the file's name."""
    split = [value.partition("=") for value in values]
    for role, _, path in split:
        if role not in ("host", "device") or not path:
            raise click.BadParameter(f"{role!r} is not like host=FILE or device=FILE")
    names = [Path(path).name for _, _, path in split]
    for name, times in Counter(names).items():
        if times > 1:
            raise click.BadParameter(
                f"{times} files are named {name!r}, and each enrolment goes by that; name them differently"
            )
    return tuple((role, Path(path)) for role, _, path in split)


def _https(_ctx: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None and not _is_https(value):
        raise click.BadParameter(f"{value!r} is not like https://relay.example:8443; the relay prints its own")
    return value


def _is_https(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:  # brackets that do not close, a port that is no number
        return False


def _secret(_ctx: click.Context, _option: click.Parameter, value: Path | None) -> str | None:
    """The credential in a file; it may stand nowhere else."""
    if value is None:
        return None
    try:
        if value.stat().st_mode & 0o077:
            raise click.BadParameter(f"{value}: others may read it; chmod 600 {value}")
        text = value.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "not text"
        raise click.BadParameter(f"{value}: {why}; `relay --enrol` makes such a file") from error
    if not text:
        raise click.BadParameter(f"{value}: is empty; remove it, and `relay --enrol` makes it anew")
    return text


def _only_plain(*, shim: bool, needed: dict[str, object], more: dict[str, object]) -> None:
    """A person says by flags what a harness says by ``start``: one or the other."""
    for name, value in {**needed, **more}.items():
        if shim and value:
            raise click.UsageError(f"{name}: not with --shim, where the verb `start` says it; leave one of them out")
    for name, value in needed.items():
        if not shim and not value:
            raise click.UsageError(f"{name} is missing; or --shim, for a harness")


_SHIM = click.option("--shim", is_flag=True, help="Speak JSON lines on the standard streams, for a harness.")
_STATE = click.option(
    "--state",
    "state_dir",
    required=True,
    metavar="DIR",
    type=click.Path(path_type=Path, file_okay=False),
    help="Private directory of this program; made if it is not there.",
)
_CA = click.option(
    "--ca",
    "ca_file",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="PEM of authorities to trust instead of the system's.",
)


_URL = click.option("--url", metavar="URL", callback=_https, help="Of the relay, as it prints it.")
_CREDENTIAL = click.option(
    "--credential",
    metavar="FILE",
    type=click.Path(path_type=Path),
    callback=_secret,
    help="Enrolment that the relay wrote.",
)


@click.group(cls=_Programs, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Serve or dial for real."""


@main.command()
@_SHIM
@_STATE
@click.option(
    "--cert", "cert_file", required=True, metavar="FILE", type=click.Path(path_type=Path), help="PEM: key, then chain."
)
@click.option("--listen", metavar="ADDRESS:PORT", callback=_address, help="127.0.0.1:8443 if not given.")
@click.option("--name", help="Of this relay in its URL; the address if not given.")
@click.option(
    "--enrol",
    "enrols",
    metavar="ROLE=FILE",
    multiple=True,
    callback=_enrolment,
    help="Write a new credential of a host or device into a new FILE.",
)
def relay(
    *,
    shim: bool,
    state_dir: Path,
    cert_file: Path,
    listen: tuple[str, int] | None,
    name: str | None,
    enrols: tuple[tuple[str, Path], ...],
) -> NoReturn:
    """Serve a relay; hosts and devices dial it over TLS."""
    _only_plain(shim=shim, needed={}, more={"--listen": listen, "--name": name, "--enrol": enrols})
    from reference.relay.shim import serve

    setting = Setting(state_dir=state_dir, cert_file=cert_file)
    if shim:
        _run(serve, setting, stays=True)
    from reference.native.plain import runs_relay

    address = listen or LISTEN
    _run(serve, setting, runs_relay(address, name or _in_url(address[0]), enrols))


@main.command()
@_SHIM
@_STATE
@_CA
@click.option("--agent", required=True, metavar="COMMAND", help="The agent to run; it speaks ACP on its streams.")
@_URL
@_CREDENTIAL
@click.option("--title", help="Of the session; the name of this folder if not given.")
def host(
    *,
    shim: bool,
    state_dir: Path,
    ca_file: Path | None,
    agent: str,
    url: str | None,
    credential: str | None,
    title: str | None,
) -> NoReturn:
    """Run an agent in this folder and share its session through a relay."""
    _only_plain(shim=shim, needed={"--url": url, "--credential": credential}, more={"--title": title})
    try:
        command = tuple(shlex.split(agent))
    except ValueError as error:
        _refuse(f"--agent: {error}; quote it as for a shell")
    if not command:
        _refuse("--agent: there is no command in it")
    from reference.host.shim import serve

    setting = Setting(state_dir=state_dir, ca_file=ca_file, agent=command)
    if shim:
        _run(serve, setting)
    from reference.native.plain import runs_host

    _run(serve, setting, runs_host(url or "", credential or "", title or ""))


@main.command()
@_SHIM
@_STATE
@_CA
@_URL
@_CREDENTIAL
@click.option("--session", metavar="ID", help="Which to attach to; the only one if not given.")
def device(
    *,
    shim: bool,
    state_dir: Path,
    ca_file: Path | None,
    url: str | None,
    credential: str | None,
    session: str | None,
) -> NoReturn:
    """Attach to a session through a relay; each line typed is a prompt."""
    _only_plain(shim=shim, needed={"--url": url, "--credential": credential}, more={"--session": session})
    from reference.device.shim import serve

    setting = Setting(state_dir=state_dir, ca_file=ca_file)
    if shim:
        _run(serve, setting)
    from reference.native.plain import runs_device

    _run(serve, setting, runs_device(url or "", credential or "", session or ""))


def _run(serve: Serve, setting: Setting, wants: "Wants | None" = None, *, stays: bool = False) -> NoReturn:
    _fill_streams()
    umask = os.umask(0o077)  # a store, its journal and its log are nobody else's; what an agent makes is its person's
    setting = replace(setting, agent_umask=umask)
    try:
        if wants is None:
            sys.exit(trio.run(partial(serve_stdio, serve, setting.platform(), stays=stays)))
        from reference.native.plain import alone, serve_person
        from reference.native.terminal import Terminal

        terminal = Terminal()
        platform = replace(setting, say=terminal.prints, agent_apart=True).platform()
        with alone(setting.state_dir):
            sys.exit(trio.run(serve_person, serve, platform, wants, terminal))
    except (BadState, BadSetting) as error:
        _refuse(str(error))


def _fill_streams() -> None:
    """Lead standard streams that are closed nowhere: the next file that is opened would be taken for one of them."""
    for stream in range(3):
        try:
            os.fstat(stream)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # noqa: FBT003 - it takes no keyword


def _in_url(address: str) -> str:
    return f"[{address}]" if ":" in address else address


def _refuse(why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(USAGE)
