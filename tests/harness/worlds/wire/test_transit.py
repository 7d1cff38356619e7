from harness.worlds.wire.packets import ACK, SYN, Packet
from harness.worlds.wire.transit import Transit, Wait

HOST, FRONT = ("10.1.1.2", 40_000), ("10.250.1.1", 443)
PROXY, BACK = ("127.0.0.1", 50_000), ("127.0.0.1", 8001)


def packet(ns, interface, source, target, sequence, payload=0, flags=ACK, *, leaves=False):
    return Packet(ns, interface, leaves, source, target, flags, sequence, 40 + payload, payload, -1)


def connected(host=HOST, proxy=PROXY):
    transit = Transit(None, {FRONT: "host-relay"}, {BACK: "host-relay"})
    dial(transit, host, proxy)
    return transit


def dial(transit, host, proxy):
    transit.take(packet(1, "eth0", host, FRONT, 999, flags=SYN))
    transit.take(packet(2, "eth0", FRONT, host, 499, flags=SYN | ACK, leaves=True))
    transit.take(packet(3, "lo", proxy, BACK, 99, flags=SYN, leaves=True))
    transit.take(packet(4, "lo", BACK, proxy, 9, flags=SYN | ACK, leaves=True))


def test_bytes_are_followed_through_the_proxy_both_ways():
    transit = connected()
    transit.take(packet(100, "eth0", HOST, FRONT, 1000, 50))
    transit.take(packet(350, "lo", PROXY, BACK, 100, 50, leaves=True))
    transit.take(packet(400, "lo", BACK, PROXY, 10, 7, leaves=True))
    transit.take(packet(900, "eth0", FRONT, HOST, 500, 7, leaves=True))
    assert transit.told("host-relay") == {"up": [Wait(100, 350, 50)], "down": [Wait(400, 900, 7)]}
    assert transit.told("host-relay") == {}


def test_what_is_cut_otherwise_on_the_far_side_has_waited_until_its_last_byte_is_gone():
    transit = connected()
    transit.take(packet(100, "eth0", HOST, FRONT, 1000, 50))
    transit.take(packet(200, "lo", PROXY, BACK, 100, 20, leaves=True))
    assert transit.told("host-relay") == {}
    transit.take(packet(300, "lo", PROXY, BACK, 120, 30, leaves=True))
    assert transit.told("host-relay") == {"up": [Wait(100, 300, 50)]}


def test_loopback_shows_each_packet_twice_and_counts_once():
    transit = connected()
    transit.take(packet(100, "eth0", HOST, FRONT, 1000, 50))
    transit.take(packet(200, "lo", PROXY, BACK, 100, 50, leaves=False))
    assert transit.told("host-relay") == {}


def test_the_next_connection_is_the_next_on_the_other_side():
    transit, other = connected(), (HOST[0], 40_001)
    dial(transit, other, ("127.0.0.1", 50_001))
    transit.take(packet(100, "eth0", other, FRONT, 1000, 5))
    transit.take(packet(150, "lo", PROXY, BACK, 100, 5, leaves=True))
    assert transit.told("host-relay") == {}
    transit.take(packet(160, "lo", ("127.0.0.1", 50_001), BACK, 100, 5, leaves=True))
    assert transit.told("host-relay") == {"up": [Wait(100, 160, 5)]}


def test_connections_of_before_are_passed_over():
    transit = Transit(None, {FRONT: "host-relay"}, {BACK: "host-relay"})
    transit.take(packet(100, "eth0", HOST, FRONT, 1000, 50))
    transit.take(packet(200, "lo", PROXY, BACK, 100, 50, leaves=True))
    assert transit.told("host-relay") == {}
