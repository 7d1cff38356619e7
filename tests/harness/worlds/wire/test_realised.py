import pytest

from harness.faults.model import Operation
from harness.worlds.wire.realised import is_routed, realised_by


@pytest.mark.parametrize(
    ("how", "by", "routed"), [("drop", ("toxiproxy",), False), ("hold", ("toxiproxy", "signal"), True)]
)
def test_a_hold_is_real_by_a_proxy_that_stands_and_needs_namespaces(how, by, routed):
    block = Operation("block", {"link": "host-relay", "how": how})
    assert (realised_by(block, routed=True), is_routed(block)) == (by, routed)


@pytest.mark.parametrize(
    ("operation", "routed", "by"),
    [
        (Operation("forget", {"link": "host-relay", "idle_s": 60.0, "notice": "rst"}), True, ("kernel",)),
        (Operation("forget", {"link": "host-relay", "idle_s": 60.0, "notice": "none"}), True, ("nftables",)),
        (Operation("refuse", {"link": "host-relay", "how": "rst"}), True, ("nftables",)),
        (Operation("reset", {"link": "host-relay", "how": "rst"}), True, ("kernel",)),
        (Operation("middlebox", {"machine": "host", "portal": True}), True, ("mitmproxy", "resolver", "nftables")),
        (Operation("middlebox", {"machine": "host", "portal": False}), False, ("mitmproxy", "toxiproxy")),
        (Operation("middlebox", {"machine": "host", "answer": "403"}), True, ("mitmproxy",)),
    ],
)
def test_by_what_it_is_real_depends_on_how_and_where(operation, routed, by):
    assert realised_by(operation, routed=routed) == by
