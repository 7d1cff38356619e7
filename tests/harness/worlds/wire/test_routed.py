"""The routed ground for real: needs root, network namespaces and nftables."""

import errno
import subprocess
import sys
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.base.errors import WorldError
from harness.worlds.wire import namespaces
from harness.worlds.wire.doors import Doors
from harness.worlds.wire.namespaces import Namespaces, unavailable
from harness.worlds.wire.routed import RELAY_PORT, Routed

needs_namespaces = pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")


class Ground:
    """A ground with two machines, and what was seen of them."""

    def __init__(self, folder):
        self.seen = []
        self.news = trio.Event()
        self.routed = Routed(["host", "phone"], folder, self._see, lambda ns: ns / 1e9)

    def _see(self, *what):
        self.seen.append(what)
        self.news.set()
        self.news = trio.Event()

    def said(self, what):
        return [data for _, name, data, _ in self.seen if name == what]


@pytest.fixture
def on_ground(tmp_path):
    def run(act):
        async def whole():
            ground = Ground(tmp_path)
            try:
                async with trio.open_nursery() as nursery:
                    await ground.routed.start(nursery)
                    listener = (
                        await trio.open_tcp_listeners(RELAY_PORT, host=ground.routed.namespaces.front("host", "relay"))
                    )[0]
                    async with listener:
                        with trio.fail_after(20):
                            await act(ground, listener)
                    nursery.cancel_scope.cancel()
            finally:
                ground.routed.close()

        home = Path("/proc/thread-self/ns/net").readlink()
        trio.run(whole)
        assert Path("/proc/thread-self/ns/net").readlink() == home

    return run


@asynccontextmanager
async def dialled(ground, machine="host"):
    """A connection of a machine to its relay's address, from inside its namespace."""
    with ground.routed.namespaces.within(machine):
        made = trio.socket.socket()
    with made:
        await made.connect((ground.routed.namespaces.front(machine, "relay"), RELAY_PORT))
        yield made


async def seen(ground, what, count=1):
    while len(ground.said(what)) < count:
        await ground.news.wait()
    return ground.said(what)


@needs_namespaces
def test_a_dial_is_seen_and_refused_and_swallowed_on_demand(on_ground):
    async def act(ground, _listener):
        rule = partial(ground.routed.firewall.put, "refuse")
        near = ground.routed.namespaces.near("host")
        async with dialled(ground):
            await seen(ground, "socket.connected")
            rule(f'iifname "{near}" tcp flags & (syn | ack) == syn reject with tcp reset')
            with pytest.raises(ConnectionRefusedError):
                async with dialled(ground):
                    pass
            rule(f'iifname "{near}" tcp flags & (syn | ack) == syn drop')
            with trio.move_on_after(0.3) as waiting:
                async with dialled(ground):
                    pass
            assert waiting.cancelled_caught
        rule()
        async with dialled(ground):
            await seen(ground, "socket.connected", 2)
        assert [data["error"] for data in await seen(ground, "socket.closed", 3)].count("refused") == 1

    on_ground(act)


@needs_namespaces
def test_a_killed_socket_is_a_reset_for_its_machine_only(on_ground):
    async def act(ground, listener):
        async with dialled(ground) as host, await listener.accept():
            await seen(ground, "socket.connected")
            ground.routed.kill_sockets("host")
            with pytest.raises(ConnectionResetError):
                await host.recv(1)
        assert [data["error"] for data in await seen(ground, "socket.closed")] == ["reset"]

    on_ground(act)


@needs_namespaces
def test_a_moved_machine_leaves_its_connections_behind_in_silence(on_ground):
    async def act(ground, listener):
        async with dialled(ground) as before, await listener.accept() as served:
            await seen(ground, "socket.connected")
            address = ground.routed.move("host")
            assert address != "10.1.1.2"
            await served.send_all(b"anybody?")
            await seen(ground, "flow.lost")
            with trio.move_on_after(0.2) as waiting:
                await before.recv(1)
            assert waiting.cancelled_caught
        async with dialled(ground) as after, await listener.accept() as served:
            await after.send(b"here")
            assert await served.receive_some() == b"here"
            assert served.socket.getpeername()[0] == address

    on_ground(act)


@needs_namespaces
def test_idle_connections_are_forgotten(on_ground):
    async def act(ground, listener):
        async with dialled(ground), await listener.accept():
            ground.routed.forget_idle("host-relay", 0.3, "none")
            [forgotten] = await seen(ground, "flow.forgotten")
            assert (forgotten["why"], forgotten["notice"]) == ("idle", "none")
        ground.routed.forget_idle("host-relay", None, "none")

    on_ground(act)


@needs_namespaces
def test_the_probe_listens_and_dials_and_is_counted(on_ground):
    async def act(ground, listener):
        looked = []
        await Doors(ground.routed, "host", lambda *_, **data: looked.append(data), is_shut=False).probe()
        assert [one["probe"] for one in looked] == [True]
        assert [(data["to"], data["probe"]) for data in await seen(ground, "socket.dialled")] == [("relay", True)]

    on_ground(act)


@needs_namespaces
def test_programs_inside_ask_the_own_resolver(on_ground):
    async def act(ground, listener):
        command = [*ground.routed.inside("phone"), "/usr/bin/getent", "ahostsv4", "relay.test"]
        done = await trio.run_process(command, capture_stdout=True)
        assert ground.routed.namespaces.front("phone", "relay").encode() in done.stdout
        assert ("phone", "dns.asked", {"name": "relay.test", "answer": "10.250.1.2"}) in [
            one[:3] for one in ground.seen
        ]

    on_ground(act)


@needs_namespaces
def test_a_command_that_fails_is_told_with_its_place():
    ground = Namespaces(["host"])
    try:
        with pytest.raises(WorldError, match="host: `ip link show nothing` fails"):
            ground.run("host", "ip", "link", "show", "nothing")
    finally:
        ground.close()


def held():
    """How many files of this process are network namespaces."""
    files = list(Path("/proc/self/fd").iterdir())
    return sum(str(file.readlink()).startswith("net:") for file in files if file.is_symlink())


@needs_namespaces
@pytest.mark.parametrize("fails", ["ip link", "nft"])
def test_a_ground_that_cannot_be_laid_leaves_no_namespace(monkeypatch, tmp_path, fails):
    run = Namespaces.run

    def broken(self, place, *command, text=""):
        if " ".join(command).startswith(fails) and place == "router":
            raise WorldError(f"{fails} fails")
        return run(self, place, *command, text=text)

    before = held()
    monkeypatch.setattr(Namespaces, "run", broken)
    with pytest.raises(WorldError, match=fails):
        Routed(["host"], tmp_path, lambda *_: None, lambda ns: ns / 1e9)
    assert held() == before
    monkeypatch.undo()
    Routed(["host"], tmp_path, lambda *_: None, lambda ns: ns / 1e9).close()
    assert held() == before


@needs_namespaces
def test_a_namespace_that_cannot_be_had_leaves_none(monkeypatch):
    before, made = held(), namespaces._made

    def scarce():
        if held() > before + 2:
            raise OSError(errno.ENOSPC, "no more")
        return made()

    monkeypatch.setattr(namespaces, "_made", scarce)
    with pytest.raises(OSError, match="no more"):
        Namespaces(["host"])
    assert held() == before


@needs_namespaces
def test_to_ask_whether_a_ground_can_be_had_leaves_nothing_behind():
    def left():
        return held(), Path("/proc/self/mounts").read_text(), Path("/proc/net/dev").read_text().count("\n")

    before = left()
    unavailable.cache_clear()
    assert unavailable() == ""
    assert left() == before


@needs_namespaces
@pytest.mark.parametrize("trial", namespaces._TRIALS, ids=lambda trial: trial[0])
def test_what_of_a_ground_cannot_be_had_is_named_with_the_remedy(monkeypatch, trial):
    what, command, _ = trial
    asked = namespaces._asked

    def refused(path, tried, text):
        return asked(path, ("sh", "-c", "echo >&2 not here; exit 1") if tried == command else tried, text)

    before = held()
    monkeypatch.setattr(namespaces, "_asked", refused)
    unavailable.cache_clear()
    assert unavailable().startswith(f"this machine gives no {what} (not here); a container needs --privileged")
    unavailable.cache_clear()
    assert held() == before


@needs_namespaces
@pytest.mark.parametrize(
    "rule", ["reject with tcp reset", "numgen random mod 10000 < 1 drop", "ip saddr . tcp sport @dead drop"]
)
def test_a_kernel_that_lacks_one_kind_of_rule_gives_none(monkeypatch, rule):
    trials = [(what, command, text.replace(rule, "no such rule")) for what, command, text in namespaces._TRIALS]
    assert trials != list(namespaces._TRIALS)
    monkeypatch.setattr(namespaces, "_TRIALS", trials)
    unavailable.cache_clear()
    assert unavailable().startswith("this machine gives no nftables rules (")
    unavailable.cache_clear()


@needs_namespaces
@pytest.mark.skipif(not Path(namespaces.tool("setpriv")).is_file(), reason="setpriv(1) takes a right away")
def test_root_without_the_right_to_lay_a_network_is_told_so():
    asks = "from harness.worlds.wire.namespaces import unavailable; print(unavailable())"
    command = [namespaces.tool("setpriv"), "--bounding-set=-net_admin", sys.executable, "-c", asks]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert told.startswith("this machine gives no pair of veth interfaces (")
    assert "not permitted" in told


def test_without_root_it_is_said(monkeypatch):
    monkeypatch.setattr(namespaces.os, "geteuid", lambda: 1000)
    unavailable.cache_clear()
    assert unavailable() == "network namespaces need root"
    unavailable.cache_clear()


def test_without_the_tools_the_remedy_is_said(monkeypatch):
    monkeypatch.setattr(namespaces.os, "geteuid", lambda: 0)
    monkeypatch.setattr(namespaces.shutil, "which", lambda tool, path: None if tool == "nft" else tool)
    unavailable.cache_clear()
    assert unavailable() == "nft missing: apt install iproute2 util-linux nftables procps"
    unavailable.cache_clear()
