import os
import signal
import socket
import sys
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import trio

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.base.errors import WorldError
from harness.worlds.wire import toxiproxy, vigil
from harness.worlds.wire.children import Children
from harness.worlds.wire.ports import free_port
from harness.worlds.wire.toxiproxy import LinkProxy
from harness.worlds.wire.vigil import Vigil
from tests.harness.worlds.wire.home import AT_HOME

SERVES = """
import socket, sys, threading
server = socket.create_server(("127.0.0.1", int(sys.argv[1])))
print("up", flush=True)
def serve(client):
    with client:
        client.recv(1000)
        client.sendall(b"HTTP/1.1 200 OK" * int(sys.argv[2]))
while True:  # somebody else's test may dial the port, too, and say nothing
    threading.Thread(target=serve, args=(server.accept()[0],), daemon=True).start()
"""


@asynccontextmanager
async def watched(*, answers=1, stands=lambda _machine: False):
    port = free_port()
    with Children() as children:
        children.before = AT_HOME
        command = [sys.executable, "-c", SERVES, str(port), str(answers)]
        link = await children.start("link", command, {}, talks=True)
        assert await link.process.stdout.receive_some() == b"up\n"
        other = await children.start("tap", ["sleep", "600"], {}, talks=False)
        try:
            yield Vigil({"phone": LinkProxy(link, port)}, [other], stands), link, other
        finally:
            await children.reap_all()


def look(harm=None, **how):
    async def main():
        async with watched(**how) as (made, link, other):
            if harm is not None:
                await harm(made, link, other)
            with trio.fail_after(30):
                await made.look()

    trio.run(main)


async def stopped(child):
    os.kill(child.pid, signal.SIGSTOP)
    os.waitid(os.P_PID, child.pid, os.WSTOPPED | os.WNOWAIT)  # noqa: ASYNC222 - it stops at once


async def killed(child):
    child.signal(signal.SIGKILL)
    await child.process.wait()


def test_who_does_its_work_is_left_alone():
    look()


@pytest.mark.parametrize(
    ("harm", "message"),
    [
        (lambda _vigil, link, _other: killed(link), "the toxiproxy-server of phone ended in mid-run, code -9"),
        (lambda _vigil, link, _other: stopped(link), "the toxiproxy-server of phone was stopped in mid-run"),
        (lambda _vigil, _link, other: killed(other), "the tap ended in mid-run, code -9"),
        (lambda _vigil, _link, other: stopped(other), "the tap was stopped in mid-run"),
    ],
    ids=["killed link", "stopped link", "killed tap", "stopped tap"],
)
def test_who_does_not_is_an_error(harm, message):
    with pytest.raises(WorldError, match=message):
        look(harm)


def test_one_that_does_not_answer_is_an_error():
    with pytest.raises(WorldError, match="does not answer in mid-run"):
        look(answers=0)


def filled(dialled):
    """Send until nothing has been taken for the socket's time-out."""
    while True:
        dialled.send(bytes(65536))


@contextmanager
def wedged(link):
    """The real server waits, with a toxic, for a receiver that does not read."""
    with socket.create_server(("127.0.0.1", 0)) as upstream:
        link.lay(f"127.0.0.1:{free_port()}", f"127.0.0.1:{upstream.getsockname()[1]}")
        address, _, port = link.listens.rpartition(":")
        with socket.create_connection((address, int(port)), timeout=0.3) as dialled, upstream.accept()[0]:
            with pytest.raises(TimeoutError):
                filled(dialled)
            with pytest.raises(WorldError, match="does not answer POST"):
                link.add("latency", "upstream", latency=1)
            yield


@pytest.mark.slow
@pytest.mark.usefixtures("toxiproxy_server")
def test_a_server_that_is_wedged_is_an_error_though_it_tells_its_version(monkeypatch):
    monkeypatch.setattr(toxiproxy, "CALL_S", 1.0)
    monkeypatch.setattr(vigil, "CALL_S", 1.0)

    async def main():
        with Children() as children:
            children.before = AT_HOME
            link = await toxiproxy.start(children, "phone")
            try:
                watching = Vigil({"phone": link}, [], lambda _machine: False)
                await watching.look()
                with wedged(link), pytest.raises(WorldError, match="of phone does not answer in mid-run"):
                    await watching.look()
            finally:
                await children.reap_all()

    trio.run(main)


def test_a_link_that_sleeps_with_its_machine_is_none(monkeypatch):
    monkeypatch.setattr(vigil, "CALL_S", 0.1)
    look(lambda _vigil, link, _other: stopped(link), stands=lambda _machine: True)


def test_a_link_stands_until_the_last_reason_is_gone():
    async def act(made, link, _other):
        proxy = made.links["phone"]
        for why in ("held", "asleep"):
            proxy.stand(why)
            assert _state(link) == "T"
        proxy.go_on("asleep")
        assert proxy.stands
        assert _state(link) == "T"
        proxy.go_on("held")
        assert not proxy.stands
        assert _state(link) != "T"

    look(act)


def _state(child):
    return Path(f"/proc/{child.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_after_the_run_they_may_end():
    async def end(made, _link, other):
        made.end()
        await killed(other)

    look(end)
