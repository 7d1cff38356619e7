"""Sockets of a machine that accept connections from the network, read from the kernel's table of its namespace.

Deliberately absent: sockets of the file system, which nobody reaches from outside.
"""

import socket
import struct
from collections.abc import Iterable
from pathlib import Path

TABLES = (Path("/proc/thread-self/net/tcp"), Path("/proc/thread-self/net/tcp6"))
_LISTEN = "0A"
_WORD = 8
"""Hexadecimal digits of four bytes, which the kernel prints as a number of this machine."""


def listening() -> set[str]:
    """``address:port`` of every socket that listens in the namespace of the moment."""
    return {found for table in TABLES if table.exists() for found in read(table.read_text().splitlines())}


def read(lines: Iterable[str]) -> Iterable[str]:
    """The listeners of a table's text."""
    for line in lines:
        words = line.split()
        if len(words) > 3 and words[3] == _LISTEN:
            address, _, port = words[1].partition(":")
            yield f"{_text(address)}:{int(port, 16)}"


def _text(digits: str) -> str:
    raw = b"".join(struct.pack("=I", int(digits[at : at + _WORD], 16)) for at in range(0, len(digits), _WORD))
    return socket.inet_ntop(socket.AF_INET if len(raw) == 4 else socket.AF_INET6, raw)
