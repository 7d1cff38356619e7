import http.server
import threading
from contextlib import contextmanager

import pytest
import trio

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.base.errors import WorldError
from harness.worlds.wire import toxiproxy
from harness.worlds.wire.children import Children
from harness.worlds.wire.ports import free_port
from harness.worlds.wire.toxiproxy import LinkProxy, Shape
from tests.harness.worlds.wire.home import AT_HOME

pytestmark = pytest.mark.usefixtures("toxiproxy_server")


def on_link(act):
    """Have ``act`` play with a link whose server is real."""

    async def main():
        with Children() as children:
            children.before = AT_HOME
            try:
                link = await toxiproxy.start(children, "phone")
                link.lay(f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
                return act(link)
            finally:
                await children.reap_all()

    return trio.run(main)


def toxics(link):
    link._here()
    return {name: dict(toxic.attributes) for name, toxic in link._proxy.toxics().items()}


def test_what_is_added_is_there_and_what_is_cleared_is_not():
    def act(link):
        link.add("timeout", "upstream", timeout=0)
        link.add("slow_close", "upstream", delay=9)
        there = toxics(link)
        link.clear("timeout", "slow_close")
        return there, toxics(link)

    assert on_link(act) == ({"timeout_upstream": {"timeout": 0}, "slow_close_upstream": {"delay": 9}}, {})


def test_a_line_keeps_its_shape_at_each_pace_and_loses_it():
    def act(link):
        found = []
        for link.shape, rate in ((Shape(latency_s=0.2), 1.0), (Shape(latency_s=0.2), 2.0), (Shape(), 1.0)):
            link.keep_shape(rate)
            found.append({name: of["latency"] for name, of in toxics(link).items()})
        return found

    both = [dict.fromkeys(("latency_upstream", "latency_downstream"), ms) for ms in (200, 100)]
    assert on_link(act) == [*both, {}]


def fails(monkeypatch, act, says, *, without=""):
    """``act`` is an error of ours that ``says`` so; ``without`` an answer of the client's proxy that is then a lie."""

    def broken(link):
        if without:
            monkeypatch.setattr(type(link._proxy), without, lambda *_args, **_named: None)
        with pytest.raises(WorldError, match=says):
            act(link)

    on_link(broken)


def test_a_toxic_that_the_server_did_not_take_is_noticed(monkeypatch):
    fails(
        monkeypatch,
        lambda link: link.add("timeout", "upstream", timeout=0),
        "for something else: None",
        without="add_toxic",
    )


def test_a_toxic_that_the_server_keeps_is_noticed(monkeypatch):
    def act(link):
        link.add("timeout", "upstream", timeout=0)
        link.clear("timeout")

    fails(monkeypatch, act, "kept the toxic timeout_upstream", without="destroy_toxic")


def test_a_shape_that_the_server_keeps_is_noticed(monkeypatch):
    def act(link):
        for link.shape in (Shape(latency_s=0.2), Shape()):
            link.keep_shape(1.0)

    fails(monkeypatch, act, "kept the toxic latency_upstream", without="destroy_toxic")


def test_a_port_that_stays_shut_is_noticed(monkeypatch):
    fails(monkeypatch, LinkProxy.drop_connections, "did not open its port again", without="enable")


@pytest.mark.parametrize(
    ("act", "says"),
    [
        (lambda link: link.add("no such kind", "upstream"), "cannot POST .*: .*invalid toxic type"),
        (
            lambda link: (link.add("timeout", "upstream", timeout=0), link.add("timeout", "upstream", timeout=0)),
            "cannot POST",
        ),
        (lambda link: link._removed("timeout_upstream"), "cannot DELETE .*not found"),
        (
            lambda link: (link._proxy.destroy(), link.lay("192.0.2.1:1", "127.0.0.1:1")),
            "cannot POST .*: .*listen tcp 192.0.2.1:1: bind",
        ),
    ],
    ids=["unknown kind", "twice", "not there", "no address of ours"],
)
def test_what_the_server_refuses_is_an_error_of_ours(act, says, monkeypatch):
    fails(monkeypatch, act, says)


def test_a_server_that_stands_still_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(toxiproxy, "CALL_S", 0.2)

    def act(link):
        link.stand("test")
        link.add("timeout", "upstream", timeout=0)

    fails(monkeypatch, act, "does not answer POST")


@contextmanager
def answering(status):
    """Somebody who answers everything so; yields the port."""

    class Always(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"no")

        def log_message(self, *_args):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Always) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("status", "says"), [(200, "somebody else answers at port"), (500, "cannot GET .*: no")])
def test_whoever_had_the_port_before_is_not_taken_for_the_server(status, says, monkeypatch):
    with answering(status) as port:
        monkeypatch.setattr(toxiproxy, "free_port", lambda: port)
        with pytest.raises(WorldError, match=says):
            on_link(print)


def test_a_proxy_in_the_environment_is_nobodys_way_to_it(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert on_link(toxics) == {}
