"""Name resolution of the machines: a small server of ours in the middle; who asks is known by the address.

Deliberately absent: records other than A (an answer without any is given), TCP, recursion.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import trio

PORT = 53
TTL_S = 1
NOBODY = "192.0.2.1"
"""TEST-NET-1 (RFC 5737): what a stale record points to."""

DATAGRAM_BYTES = 4096


@dataclass
class Names:
    """What one machine is answered.

    Attributes:
        known: name -> address.
        fault: ``nxdomain``, ``timeout`` or ``stale``; None if it is answered rightly.
        hijacked: every name leads to this address.
    """

    known: dict[str, str]
    fault: str | None = None
    hijacked: str | None = None

    def answer(self, name: str) -> str:
        """An address, or ``nxdomain``, ``timeout``, ``stale``."""
        if self.fault is not None and (self.fault != "stale" or name in self.known):
            return self.fault
        return self.hijacked or self.known.get(name, "nxdomain")


@dataclass
class Resolver:
    """The server.

    Attributes:
        machine_at: who has an address.
        asked: is told of every question for an address: machine, name, answer as in docs/spec/history.md.
        names: machine -> what it is answered.
    """

    machine_at: Callable[[str], str | None]
    asked: Callable[[str, str, str], None]
    names: dict[str, Names] = field(default_factory=dict)

    async def serve(self, socket: trio.socket.SocketType) -> None:
        """Answer until cancelled."""
        with socket:
            while True:
                datagram, sender = await socket.recvfrom(DATAGRAM_BYTES)
                answer = self.reply_to(sender[0], datagram)
                if answer is not None:
                    await socket.sendto(answer.to_wire(), sender)

    def reply_to(self, address: str, datagram: bytes) -> dns.message.Message | None:
        """What whoever is at an address is answered; None to strangers, to what is no question, and where the answer is lost."""
        machine = self.machine_at(address)
        try:
            return self.reply(machine, dns.message.from_wire(datagram)) if machine else None
        except dns.exception.DNSException:
            return None

    def reply(self, machine: str, query: dns.message.Message) -> dns.message.Message | None:
        """What a machine is answered, None if nothing."""
        if not query.question:
            return None
        question = query.question[0]
        name = question.name.to_text(omit_final_dot=True).lower()
        found = self.names[machine].answer(name)
        if question.rdtype == dns.rdatatype.A:
            self.asked(machine, name, found)
        if found == "timeout":
            return None
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        if found == "nxdomain":
            answer.set_rcode(dns.rcode.NXDOMAIN)
        elif question.rdtype == dns.rdatatype.A:
            address = NOBODY if found == "stale" else found
            answer.answer.append(dns.rrset.from_text(question.name, TTL_S, "IN", "A", address))
        return answer


async def open_socket(address: str) -> trio.socket.SocketType:
    """The server's socket, in the namespace of the moment."""
    socket = trio.socket.socket(trio.socket.AF_INET, trio.socket.SOCK_DGRAM)
    await socket.bind((address, PORT))
    return socket
