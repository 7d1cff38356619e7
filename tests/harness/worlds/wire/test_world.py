"""The wire world whole: real processes, the real Toxiproxy, the real mitmproxy. Needs the extra ``wire``, and Go or toxiproxy-server."""

import tempfile
from pathlib import Path

import pytest

from harness.base.errors import WorldError
from harness.base.verdict import Verdict
from harness.scenario.expand import plans

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make wire` installs it")

from harness.run.judge import judge
from harness.worlds.wire import toxiproxy
from harness.worlds.wire.world import WireWorld

SCENARIOS = Path(__file__).parents[4] / "scenarios"


@pytest.fixture(autouse=True)
def server():
    try:
        toxiproxy.server_program()
    except WorldError as error:
        pytest.skip(str(error))


def temporary():
    return set(Path(tempfile.gettempdir()).glob("relayproof-*"))


@pytest.mark.slow
def test_eight_minutes_of_outage_cost_nothing_and_leave_nothing():
    before = temporary()
    plan = next(plan for plan in plans(SCENARIOS / "outage" / "ten-minute-outage.yaml") if "eight" in plan.id)
    history = WireWorld().run(plan)
    found = judge(history)
    assert found.verdict is Verdict.PASS, found
    assert 480.0 < history.footer.simulated_s < 600.0
    assert history.footer.wall_s < 60.0
    tried = [event.data for event in history.events if event.what == "socket.attempted"]
    assert sum(one["bytes"] for one in tried) > 0
    assert sum(one["passed"] for one in tried) == 0
    assert temporary() <= before
