"""The router's rules: what nftables drops and refuses, each rule under a name by which it goes again.

Deliberately absent: proof that a rule bit; that is what the ``census`` saw on both sides of it.
"""

from dataclasses import dataclass, field

from harness.worlds.wire.namespaces import Namespaces

_TABLE = """table inet relayproof {
    set dead { type ipv4_addr . inet_service; }
    chain faults { }
    chain forward {
        type filter hook forward priority filter; policy accept;
        ip saddr . tcp sport @dead drop
        ip daddr . tcp dport @dead drop
        jump faults
    }
}
"""


@dataclass
class Firewall:
    """The rules of one run's router."""

    namespaces: Namespaces
    _rules: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._nft(_TABLE)

    def put(self, name: str, *rules: str) -> None:
        """Put rules in force under a name, in place of what had it; none = take them away."""
        self._rules[name] = list(rules)
        lines = [f"add rule inet relayproof faults {rule}" for rules in self._rules.values() for rule in rules]
        self._nft("\n".join(["flush chain inet relayproof faults", *lines]) + "\n")

    def bury(self, address: str, port: int) -> None:
        """Drop all that a connection of a machine carries from now on, for good."""
        self._nft(f"add element inet relayproof dead {{ {address} . {port} }}\n")

    def _nft(self, text: str) -> None:
        self.namespaces.run("router", "nft", "-f", "-", text=text)
