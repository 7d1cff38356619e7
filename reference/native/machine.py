"""The platform of a real machine: what ``reference.platform`` asks for, from the operating system."""

import os
import random
import ssl
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import click

from reference.native.agent import launched
from reference.native.clocks import instant
from reference.native.files import NativeHome
from reference.platform import AgentPipe, Platform, Store

STORE = "relay.sqlite"

USAGE = 64
"""EX_USAGE of sysexits.h: a program was started wrongly."""


class BadSetting(Exception):  # noqa: N818 - it names what was met
    """A file that was named cannot be used; the message says which and why."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a program is given when it starts.

    Attributes:
        state_dir: private directory of this role.
        ca_file: PEM of authorities to trust instead of the system's; None = the system's.
        cert_file: PEM of key and certificate chain that a relay shows.
        agent: command of the agent that a host launches.
        agent_apart: whether Ctrl-C at a terminal reaches the agent only through its host.
        agent_umask: permissions that files of the agent do not get; -1 = as this program's.
        say: prints a line for people.
    """

    state_dir: Path
    ca_file: Path | None = None
    cert_file: Path | None = None
    agent: tuple[str, ...] = ()
    agent_apart: bool = False
    agent_umask: int = -1
    say: Callable[[str], None] = lambda text: click.echo(text, err=True)

    def platform(self) -> Platform:
        """The machine as a role sees it.

        Raises:
            BadState: the state directory cannot be used.
            BadSetting: a PEM file cannot be used.
        """
        home = NativeHome(self.state_dir)
        home.prepare()
        if self.ca_file is not None:
            _loaded("authorities", self.ca_file, self.client_tls)
        if self.cert_file is not None:
            _loaded("key and certificate", self.cert_file, self.server_tls)
        return Platform(
            instant=instant,
            entropy=random.SystemRandom(),
            environ=os.environ,
            client_tls=self.client_tls,
            server_tls=self.server_tls,
            home=home,
            open_store=self.open_store,
            launch_agent=self.launch_agent,
            print=self.say,
        )

    def launch_agent(self, cwd: str) -> AbstractAsyncContextManager[AgentPipe]:
        """Run the agent in a directory."""
        return launched(self.agent, cwd, os.environ, self.say, apart=self.agent_apart, umask=self.agent_umask)

    def open_store(self) -> Store:
        """The relay's store in its private directory; raises as ``SqliteStore``."""
        from reference.relay.store import SqliteStore

        return SqliteStore(self.state_dir / STORE)

    def client_tls(self) -> ssl.SSLContext:
        """A fresh context that verifies the relay's name and chain."""
        context = ssl.create_default_context(cafile=None if self.ca_file is None else str(self.ca_file))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        return context

    def server_tls(self) -> ssl.SSLContext:
        """A fresh context with this relay's certificate."""
        assert self.cert_file is not None
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.cert_file)
        return context


def _loaded(what: str, path: Path, load: Callable[[], ssl.SSLContext]) -> None:
    try:
        load()
    except (OSError, ssl.SSLError) as error:
        raise BadSetting(f"{path}: cannot be used as {what}: {error.strerror or error}") from error
