from pathlib import Path

import pytest

from harness.scenario.expand import plans
from harness.worlds.wire.able import lacks

SCENARIOS = Path(__file__).parents[4] / "scenarios"


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("outage/ten-minute-outage.yaml", ("", "", "fault `cut`: a refused dial leaves no trace")),
        ("sleep/laptop-sleeps.yaml", ("",)),
        ("proxy/only-a-proxy.yaml", ("given `host.network` is not laid",)),
        ("credentials/certificate-rotated.yaml", ("fault `rotates_certificate`: the wire world has no operation `certify`",)),
        ("delivery/relay-loses-power-keeps-acked.yaml", ("given `relay.disk` is not laid",)),
    ],
)  # fmt: skip
def test_what_a_plan_asks_for_and_cannot_have_is_said(file, told):
    said = {lacks(plan) for plan in plans(SCENARIOS / file)}
    assert all(any(one == "" if not word else one.startswith(word) for one in said) for word in told), said
