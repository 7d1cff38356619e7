import socket
import struct

import pytest

from harness.worlds.wire.packets import ACK, Packet, parse

HOST, RELAY = ("10.1.1.2", 40_000), ("10.250.1.1", 443)


def raw(payload=b"", protocol=6, options=b""):
    tcp = struct.pack("!HHIIBBHHH", 40_000, 443, 7, 8, (5 + len(options) // 4) << 4, ACK, 0, 0, 0) + options
    size = 20 + len(tcp) + len(payload)
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, size, 0, 0, 64, protocol, 0, *map(socket.inet_aton, (HOST[0], RELAY[0]))
    )
    return head + tcp + payload


def test_a_packet_is_read_as_far_as_it_was_kept():
    packet = parse(raw(b"\x16" + b"x" * 500, options=b"\x01" * 12)[:80], "m1", 4, 99)
    assert packet == Packet(
        99, "m1", leaves=True, source=HOST, target=RELAY, flags=ACK, sequence=7, size=553, payload=501, first=0x16
    )


@pytest.mark.parametrize("data", [b"", raw(protocol=1), raw()[:30], b"\x60" + raw()[1:]])
def test_what_is_no_tcp_is_passed_over(data):
    assert parse(data, "m1", 0, 1) is None


def test_a_datagram_is_read():
    packet = parse(raw(b"x" * 20, protocol=17), "m1", 0, 5)
    assert (packet.source, packet.target, packet.is_datagram) == (HOST, RELAY, True)
