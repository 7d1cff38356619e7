"""By what each fault operation is real in the wire world, and what an operation needs there: tables.

Deliberately absent: carrying them out (``operations``).
"""

from harness.faults.model import Operation

REALISED_BY: dict[str, tuple[str, ...]] = {
    "block": ("toxiproxy",),
    "unblock": ("toxiproxy",),
    "delay": ("toxiproxy",),
    "rate": ("toxiproxy",),
    "refuse": ("nftables",),
    "reset": ("kernel",),
    "lose": ("nftables",),
    "cap": ("nftables",),
    "truncate": ("toxiproxy",),
    "forget": ("nftables",),
    "move": ("kernel", "nftables"),
    "resolve": ("resolver",),
    "certify": ("mitmproxy",),
    "drop_answer": ("mitmproxy",),
    "middlebox": ("mitmproxy",),
    "suspend": ("signal", "warp"),
    "resume": ("signal", "warp"),
    "freeze": ("signal",),
    "thaw": ("signal",),
    "step_clock": ("warp",),
    "kill": ("signal",),
    "fill_disk": ("kernel",),
    "free_disk": ("kernel",),
    "start": ("process",),
    "call": ("verb",),
}
"""Operation -> by what it is real here; the words are those of docs/spec/history.md."""

_BY_HOW = {"fin": ("toxiproxy",), "half_open": ("nftables", "kernel"), "hold": ("toxiproxy", "signal")}
"""Where it depends on how."""

_PORTAL = {True: ("mitmproxy", "resolver", "nftables"), False: ("mitmproxy", "toxiproxy")}
"""Who leads a machine without a proxy to a captive portal, with namespaces and without."""


def realised_by(operation: Operation, *, routed: bool) -> tuple[str, ...]:
    """By what an operation is real here, with namespaces or without."""
    if "portal" in operation.args:
        return _PORTAL[routed]
    if operation.args.get("notice") == "rst":
        return ("kernel",)
    return _BY_HOW.get(operation.args.get("how", ""), REALISED_BY[operation.name])


_ROUTED = frozenset({"delay", "rate", "refuse", "reset", "lose", "cap", "truncate", "forget", "move", "resolve"})
_ROOTED = _ROUTED | {"fill_disk"}


def is_routed(operation: Operation) -> bool:
    """Whether an operation needs network namespaces, or what only those have who may make some."""
    return operation.name in _ROOTED or is_hold(operation)


_HEARD = frozenset({"delay", "rate", "truncate"})


def is_heard(operation: Operation) -> bool:
    """Whether what shows an operation is heard packet by packet on both sides of the link's proxy (``transit``)."""
    return operation.name in _HEARD or is_hold(operation)


def is_hold(operation: Operation) -> bool:
    """Whether an operation has a link keep what it is given."""
    return operation.name == "block" and operation.args.get("how") == "hold"
