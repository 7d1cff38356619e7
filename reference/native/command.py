"""The three programs as commands: ``relay``, ``host`` and ``device``.

Deliberately absent: terminals for people; with ``--shim`` a program speaks docs/spec/sut.md on its standard streams.
"""

import os
import shlex
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NoReturn

import click
import trio

from reference.native.files import BadState
from reference.native.machine import BadSetting, Setting
from reference.native.stdio import serve_stdio
from reference.platform import Door, Platform

USAGE = 64
"""EX_USAGE of sysexits.h: the command was used wrongly."""

type Serve = Callable[[Door, Platform], Awaitable[int | None]]

_SHIM = click.option("--shim", is_flag=True, required=True, help="Speak JSON lines on the standard streams.")
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


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Serve or dial for real."""


@main.command()
@_SHIM
@_STATE
@click.option(
    "--cert", "cert_file", required=True, metavar="FILE", type=click.Path(path_type=Path), help="PEM: key, then chain."
)
def relay(*, shim: bool, state_dir: Path, cert_file: Path) -> NoReturn:
    """Serve a relay; hosts and devices dial it over TLS."""
    del shim
    from reference.relay.shim import serve

    _run(serve, Setting(state_dir=state_dir, cert_file=cert_file))


@main.command()
@_SHIM
@_STATE
@_CA
@click.option("--agent", required=True, metavar="COMMAND", help="The agent to run; it speaks ACP on its streams.")
def host(*, shim: bool, state_dir: Path, ca_file: Path | None, agent: str) -> NoReturn:
    """Run an agent and share its session through a relay."""
    del shim
    try:
        command = tuple(shlex.split(agent))
    except ValueError as error:
        _refuse(f"--agent: {error}; quote it as for a shell")
    if not command:
        _refuse("--agent: there is no command in it")
    from reference.host.shim import serve

    _run(serve, Setting(state_dir=state_dir, ca_file=ca_file, agent=command))


@main.command()
@_SHIM
@_STATE
@_CA
def device(*, shim: bool, state_dir: Path, ca_file: Path | None) -> NoReturn:
    """Attach to a session through a relay."""
    del shim
    from reference.device.shim import serve

    _run(serve, Setting(state_dir=state_dir, ca_file=ca_file))


def _run(serve: Serve, setting: Setting) -> NoReturn:
    os.umask(0o077)  # a store, its journal and its log are nobody else's
    try:
        platform = setting.platform()
    except (BadState, BadSetting) as error:
        _refuse(str(error))
    sys.exit(trio.run(_served, serve, platform))


async def _served(serve: Serve, platform: Platform) -> Any:
    return await serve_stdio(serve, platform)


def _refuse(why: str) -> NoReturn:
    click.echo(why, err=True)
    sys.exit(USAGE)
