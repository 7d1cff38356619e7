"""The wire world without root: all on one loopback, the rest as everywhere. Needs the extra ``wire``, and Go or toxiproxy-server."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.base.verdict import Verdict
from harness.scenario.expand import plans

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.run.judge import judge
from harness.worlds.wire.disk import Disk
from harness.worlds.wire.namespaces import Namespaces
from harness.worlds.wire.toxiproxy import LinkProxy
from harness.worlds.wire.world import WireWorld

pytestmark = [pytest.mark.usefixtures("toxiproxy_server", "rootless")]

SCENARIOS = Path(__file__).parents[4] / "scenarios"


@pytest.fixture(autouse=True)
def no_namespaces(monkeypatch):
    """Whoever makes one all the same is found out."""

    def refused(*_args):
        raise AssertionError("a namespace was made")

    monkeypatch.setattr(Namespaces, "__init__", refused)


def judged(plan):
    history = WireWorld().run(plan)
    assert any(event.what == "ground.shared" for event in history.events)
    return judge(history)


def plan_of(file, name):
    (plan,) = [one for one in plans(SCENARIOS / file, world="wire") if one.id == name]
    return plan


@pytest.mark.slow
@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("outage/ten-minute-outage.yaml", "ten-minute-outage[eight minutes cost nothing,how=black hole]"),
        ("sleep/sleep-in-mid-turn.yaml", "sleep-in-mid-turn[nap=11m]"),
        ("proxy/proxy-begins-to-buffer.yaml", "proxy-begins-to-buffer"),
    ],
)
def test_an_outage_a_sleep_and_a_proxy_are_played_to_the_end(file, name):
    found = judged(plan_of(file, name))
    assert found.verdict is Verdict.PASS, found
    assert [fault.evidence.bit for fault in found.evidence] == [True]


@pytest.mark.slow
def test_delays_are_measured_where_no_disk_in_memory_can_be_had(monkeypatch):
    monkeypatch.setattr(Disk, "__post_init__", lambda _disk: pytest.fail("a disk was mounted"))
    found = judged(plans(SCENARIOS / "latency/burst-of-lines.yaml", world="wire")[0])
    # Nobody calibrated a path here: on a busy machine no budget is kept for certain.
    assert found.verdict <= Verdict.INCONCLUSIVE, found
    delays = [one for one in found.findings if one.requirement == "RC-LAT-001.echo"]
    assert delays
    assert all(one.measured > 0 for one in delays)


@pytest.mark.slow
def test_an_outage_without_effect_is_found_out(monkeypatch):
    monkeypatch.setattr(LinkProxy, "add", lambda *_args, **_named: None)
    name = "ten-minute-outage[eight minutes cost nothing,how=black hole]"
    found = judged(plan_of("outage/ten-minute-outage.yaml", name))
    assert found.verdict > Verdict.PASS
    assert [fault.evidence.bit for fault in found.evidence] == [False]


ROOTLESS = "import os; os.geteuid = lambda: 1000; from harness.cli import main; main()"


@pytest.mark.slow
def test_what_cannot_be_had_is_left_out_by_name_and_the_rest_is_played(tmp_path):
    command = [sys.executable, "-c", ROOTLESS, "run", "proxy/proxy-and-outage.yaml", "--world", "wire"]
    done = subprocess.run([*command, "--report", tmp_path], cwd=SCENARIOS, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    need_root = "network namespaces need root"
    assert {one["id"]: one["reason"] for one in report["left_out"]} == {
        "proxy-and-outage[how=reset]": f"fault `cut`: {need_root}",
        "proxy-and-outage[how=black hole]: RC-EGR-004.proxy-only": (
            f"`host.direct_attempts` needs the census of connections: {need_root}"
        ),
    }
    assert [one["id"] for one in report["scenarios"]] == ["proxy-and-outage[how=black hole]"]
    assert "RC-EGR-004.proxy-only" not in {one["id"] for one in report["requirements"]}
