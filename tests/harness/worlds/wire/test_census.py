import pytest

from harness.worlds.wire.census import Census
from harness.worlds.wire.packets import ACK, FIN, RST, SYN, Packet

LATER = 10**12
HOST, RELAY, PROXY = ("10.1.1.2", 40_000), ("10.250.1.1", 443), ("10.250.2.1", 3128)


class Places:
    """Addresses of two machines."""

    clients = ("host", "phone")

    def address(self, client):
        return {"host": "10.1.1.2", "phone": "10.1.2.2"}[client]

    def front(self, client, kind):
        return f"10.250.{('relay', 'proxy', 'portal').index(kind) + 1}.{self.clients.index(client) + 1}"


class Router:
    """Feeds a census and keeps what it tells."""

    def __init__(self):
        self.told = []
        self.census = Census(Places(), lambda ns, actor, what, data: self.told.append((ns, actor, what, data)))
        self.census.learn()
        self.ns = 0

    def _packet(self, source, target, flags, payload, leaves, sequence):
        self.ns += 1
        first = payload[0] if payload else -1
        size = 40 + len(payload)
        at = "mid" if leaves == (source == HOST) else "m1"
        return Packet(self.ns, at, leaves, source, target, flags, sequence, size, len(payload), first)

    def up(self, flags, payload=b"", *, passes=True, to=RELAY, sequence=100):
        for leaves in (False, True)[: 1 + passes]:
            self.census.take(self._packet(HOST, to, flags, payload, leaves, sequence))

    def down(self, flags, payload=b"", *, given=True, passes=True, by=RELAY, sequence=900):
        for leaves in ((False,) if given else ()) + ((True,) if passes else ()):
            self.census.take(self._packet(by, HOST, flags, payload, leaves, sequence))

    def connect(self, to=RELAY):
        self.up(SYN, to=to)
        self.down(SYN | ACK, by=to)
        self.up(ACK, to=to)

    def said(self, what):
        return [data for _, _, name, data in self.told if name == what]


@pytest.fixture
def router():
    return Router()


def test_a_connection_from_its_dial_to_its_end(router):
    router.connect()
    router.up(ACK, b"\x16\x03\x01")
    router.down(ACK, b"abcde")
    router.down(FIN | ACK)
    conn = {"conn": 1, "link": "host-relay"}
    assert [what for _, _, what, _ in router.told] == [
        "socket.dialled", "socket.connected", "socket.spoke", "socket.closed",
    ]  # fmt: skip
    assert router.said("socket.dialled") == [
        conn | {"to": "relay", "address": "10.250.1.1", "port": 443, "via": "direct", "allowed": True}
    ]
    assert router.said("socket.spoke") == [conn | {"tls": True}]
    assert router.said("socket.closed") == [conn | {"sent": 3, "received": 5, "error": "fin"}]


def test_a_dial_that_is_sent_again_is_one_dial(router):
    router.up(SYN, passes=False)
    router.up(SYN, passes=False)
    assert len(router.said("socket.dialled")) == 1
    router.up(SYN, passes=False, sequence=777)
    assert len(router.said("socket.dialled")) == 2


@pytest.mark.parametrize(("established", "error"), [(False, "refused"), (True, "reset")])
def test_what_a_reset_means_depends_on_the_handshake(router, established, error):
    if established:
        router.connect()
    else:
        router.up(SYN, passes=False)
    router.down(RST | ACK, given=False)
    assert [data["error"] for data in router.said("socket.closed")] == [error]


def test_whoever_ends_it_itself_has_no_error_and_it_is_told_once(router):
    router.connect()
    router.up(FIN | ACK)
    router.down(FIN | ACK)
    router.down(RST)
    assert [data["error"] for data in router.said("socket.closed")] == [None]


def test_when_a_machine_spoke_and_let_go_is_remembered(router):
    router.connect()
    router.up(ACK, b"one")
    router.down(ACK, b"two")
    spoke_ns = router.ns - 3
    router.up(FIN | ACK)
    (flow,) = router.census.flows.values()
    assert (flow.said_ns, flow.left_ns) == ([spoke_ns], router.ns - 1)


def test_words_in_clear_are_seen(router):
    router.connect()
    router.up(ACK, b"GET / HTTP/1.1")
    router.up(ACK, b"\x16")
    assert [data["tls"] for data in router.said("socket.spoke")] == [False]


def test_a_proxy_is_no_direct_way(router):
    router.connect(PROXY)
    assert [(data["to"], data["via"]) for data in router.said("socket.dialled")] == [("host.proxy", "proxy")]


def test_somewhere_else_is_named_by_its_address(router):
    router.up(SYN, to=("93.184.216.34", 80))
    assert [(data["to"], data["port"]) for data in router.said("socket.dialled")] == [("93.184.216.34", 80)]


def test_strangers_are_nobodys_business(router):
    router.census.take(
        Packet(
            1,
            "mid",
            leaves=False,
            source=("10.251.0.2", 443),
            target=("10.250.0.2", 5),
            flags=SYN,
            sequence=1,
            size=40,
            payload=0,
            first=-1,
        )
    )
    assert router.told == []


def test_the_probe_is_marked(router):
    router.census.probing = "host"
    router.connect()
    assert [data["probe"] for data in router.said("socket.dialled")] == [True]


def test_what_a_link_carries_is_what_was_given_to_it(router):
    router.connect()
    router.census.counted.add("host-relay")
    router.up(ACK, b"x" * 100)
    router.up(ACK, b"x" * 60, passes=False, sequence=200)
    router.down(ACK, b"y" * 10)
    router.down(RST, given=False)  # the router's own word
    told = router.census.told("host-relay", LATER)
    assert (told["up"].bytes, told["up"].passed, told["up"].largest) == (240, 140, 100)
    assert (told["up"].stopped, told["down"].stopped) == (1, 0)
    assert (told["down"].bytes, told["down"].passed) == (50, 50)
    assert router.census.told("host-relay", LATER) == {}


def test_segments_above_a_cap_are_counted_apart(router):
    router.connect()
    router.census.counted.add("host-relay")
    router.census.caps["host-relay"] = 50
    router.up(ACK, b"x" * 51, passes=False)
    router.up(ACK, b"x" * 50, sequence=200)
    assert router.census.told("host-relay", LATER)["up"].over_cap == 1


def test_what_is_still_on_its_way_through_the_router_was_not_stopped(router):
    router.connect()
    router.census.counted.add("host-relay")
    router.up(ACK, b"x", passes=False)
    assert router.census.told("host-relay", router.ns)["up"].stopped == 0
    assert router.census.told("host-relay", LATER)["up"].stopped == 1


def test_what_is_sent_again_does_not_hide_that_it_was_stopped_before(router):
    router.connect()
    router.census.counted.add("host-relay")
    first = Packet(
        9, "m1", leaves=False, source=HOST, target=RELAY, flags=ACK, sequence=7, size=41, payload=1, first=1, ident=1
    )
    for packet in (first, first._replace(ident=2), first._replace(ident=2, leaves=True, interface="mid")):
        router.census.take(packet)
    told = router.census.told("host-relay", LATER)["up"]
    assert (told.stopped, told.bytes, told.passed) == (1, 82, 41)


def test_what_is_given_to_a_forgotten_connection_is_told(router):
    router.connect()
    flow = router.census.live("host-relay")[0]
    router.census.forget(flow, router.ns, "idle", "none")
    assert router.census.live("host-relay") == []
    router.up(ACK, b"hello", passes=False)
    assert router.said("flow.forgotten") == [{"conn": 1, "link": "host-relay", "why": "idle", "notice": "none"}]
    assert router.said("flow.lost") == [{"conn": 1, "link": "host-relay", "bytes": 45}]


def test_what_crosses_although_it_is_forgotten_is_told_too(router):
    router.connect()
    flow = router.census.live("host-relay")[0]
    router.census.forget(flow, router.ns, "idle", "none")
    router.up(ACK, b"hello")
    router.down(RST, given=False, passes=False)
    told = [(data.get("bytes"), data.get("passed")) for data in router.said("flow.lost")]
    assert told == [(45, None), (None, 45)]


def test_what_came_before_a_connection_was_forgotten_and_is_read_later_is_not_of_it(router):
    router.connect()
    flow = router.census.live("host-relay")[0]
    router.census.forget(flow, router.ns + 2, "idle", "none")
    router.up(ACK, b"hello")
    assert router.said("flow.lost") == []


def test_connections_are_numbered_by_dial_and_found_by_order_of_their_handshakes(router):
    router.up(SYN, passes=False)
    router.connect(PROXY)
    router.up(SYN, sequence=555)
    router.down(SYN | ACK)
    router.up(ACK, passes=False, sequence=556)
    assert router.census.number_of("host", "relay", 0) is None  # the other side does not have it yet
    router.up(ACK, sequence=556)
    assert router.census.number_of("host", "relay", 0) == 3
    assert router.census.number_of("host", "proxy", 0) == 2
    assert router.census.number_of("host", "relay", 1) is None


def test_a_datagram_is_as_good_as_a_dial_but_for_questions_for_names(router):
    sent = Packet(
        1,
        "m1",
        leaves=False,
        source=HOST,
        target=("8.8.8.8", 53),
        flags=0,
        sequence=0,
        size=60,
        payload=32,
        first=-1,
        is_datagram=True,
    )
    asked = sent._replace(target=("10.250.0.53", 53))
    for packet in (sent, sent._replace(leaves=True), sent._replace(source=(HOST[0], 41_000)), asked):
        router.census.take(packet)
    told = [(data["to"], data["port"], data["protocol"], data["via"]) for data in router.said("socket.dialled")]
    assert told == [("8.8.8.8", 53, "udp", "direct")]
