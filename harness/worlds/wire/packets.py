"""Packets as the kernel shows them: read from a packet socket of a namespace, as far as this world looks into them.

Deliberately absent: what they add up to (``census``, ``transit``).
"""

import socket
import struct
from collections.abc import AsyncGenerator
from typing import NamedTuple

import trio

SNAP_BYTES = 160
"""Headers, and the first byte of what is inside."""
BUFFER_BYTES = 128 << 20
"""Of the socket, at most: ten megabytes of a story's are 20,000 sightings, each of which takes 2 to 4 kB of it until it is read."""

_ETH_P_ALL = 0x0003
"""Only a socket for all protocols hears what is sent, too."""
_PACKET_OUTGOING = 4
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
_SO_TIMESTAMPNS = 35
_SO_RCVBUFFORCE = 33
_TCP, _UDP = 6, 17
FIN, SYN, RST, ACK = 0x01, 0x02, 0x04, 0x10
"""Flags of TCP."""


class Packet(NamedTuple):
    """What is read of a TCP segment.

    Attributes:
        ns: when, true REALTIME nanoseconds.
        interface: of the router.
        leaves: whether the router sends it there, else it came from there.
        source: address and port.
        target: address and port.
        flags: of TCP.
        sequence: of its first byte.
        size: of the IP packet, bytes.
        payload: bytes in it.
        first: its first byte, -1 without payload.
        is_datagram: whether it is of UDP, which has no flags and no sequence.
        ident: identification of the IP packet: what is sent again has another.
    """

    ns: int
    interface: str
    leaves: bool
    source: tuple[str, int]
    target: tuple[str, int]
    flags: int
    sequence: int
    size: int
    payload: int
    first: int
    is_datagram: bool = False
    ident: int = 0


def parse(data: bytes, interface: str, kind: int, ns: int) -> Packet | None:
    """Read a packet from its IP header on; None if it is neither TCP nor UDP over IPv4, or cut short."""
    if len(data) < 28 or data[0] >> 4 != 4 or data[9] not in (_TCP, _UDP):
        return None
    header = (data[0] & 15) * 4
    size, ident = struct.unpack_from("!HH", data, 2)
    addresses = socket.inet_ntoa(data[12:16]), socket.inet_ntoa(data[16:20])
    leaves = kind == _PACKET_OUTGOING
    if data[9] == _UDP:
        ports = struct.unpack_from("!HH", data, header)
        source, target = zip(addresses, ports, strict=True)
        return Packet(ns, interface, leaves, source, target, 0, 0, size, size - header - 8, -1, is_datagram=True)
    if len(data) < header + 20:
        return None
    source_port, target_port, sequence = struct.unpack_from("!HHI", data, header)
    begins = header + (data[header + 12] >> 4) * 4
    payload = size - begins
    return Packet(
        ns=ns,
        interface=interface,
        leaves=leaves,
        source=(addresses[0], source_port),
        target=(addresses[1], target_port),
        flags=data[header + 13],
        sequence=sequence,
        size=size,
        payload=payload,
        first=data[begins] if payload > 0 and len(data) > begins else -1,
        ident=ident,
    )


def hear() -> trio.socket.SocketType:
    """A socket that hears all interfaces of the namespace of the moment, with the kernel's stamps."""
    heard = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(_ETH_P_ALL))
    heard.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
    heard.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return trio.socket.from_stdlib_socket(heard)


def missed(heard: trio.socket.SocketType) -> int:
    """How many packets a socket did not hear for want of room, since this was asked last."""
    _, drops = struct.unpack("=II", heard.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
    return int(drops)


async def packets(heard: trio.socket.SocketType) -> AsyncGenerator[Packet]:
    """The packets of TCP that a socket hears, until cancelled."""
    with heard:
        while True:
            data, ancillary, _, sender = await heard.recvmsg(SNAP_BYTES, 64)
            interface, _, kind = sender[:3]  # type: ignore[index]  # of a packet socket a tuple
            packet = parse(data, interface, kind, _stamp(ancillary))
            if packet is not None:
                yield packet


def _stamp(ancillary: list[tuple[int, int, bytes]]) -> int:
    """When the kernel saw the packet, true REALTIME nanoseconds."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
            seconds, rest = struct.unpack("=qq", data[:16])
            return int(seconds * 1_000_000_000 + rest)
    return 0
