"""Every program that is broken where only a real machine shows it is killed by the check that is there for it, and by no other."""

from pathlib import Path

import pytest

from harness.base.verdict import Verdict
from harness.checks.log import _is_connected
from harness.checks.model import case_of
from harness.checks.streams import device_streams
from harness.scenario.expand import plans
from tests.mutants.wire_only import WIRE_ONLY

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make wire` installs it")

from harness.run.judge import judge
from harness.run.mutant_trial import on_trial
from harness.worlds.wire.able import lacks
from harness.worlds.wire.world import REFERENCE, WireWorld

pytestmark = pytest.mark.usefixtures("toxiproxy_server")

SCENARIOS = Path(__file__).parents[4] / "scenarios"
REPLACED = 3
"""Words at the head of the reference's command in whose place a mutant's stand: ``python -m reference``."""


def judged(scenario, role, programs):
    found = plans(SCENARIOS / scenario, world="wire")
    plan = next((plan for plan in found if not lacks(plan)), None)
    if plan is None:
        pytest.skip(lacks(found[0]))
    history = WireWorld(programs).run(on_trial(plan, role))
    return history, judge(history)


def is_attached(history):
    """Whether the newest stream of a device stands at the end."""
    case = case_of(history)
    return any(_is_connected(case, name, device_streams(case, name)) for name in case.names("device"))


@pytest.mark.slow
@pytest.mark.parametrize("mutant", WIRE_ONLY, ids=lambda mutant: mutant.id)
def test_each_is_killed_by_what_is_there_for_it(mutant):
    history, found = judged(
        mutant.scenario, mutant.role, {mutant.role: (*mutant.command, *REFERENCE[mutant.role][REPLACED:])}
    )
    failed = {(one.requirement, one.code) for one in found.findings if one.verdict > Verdict.INCONCLUSIVE}
    more = mutant.if_attached if is_attached(history) else {}
    assert failed == set((mutant.kills | more).items()), found.findings


@pytest.mark.slow
@pytest.mark.parametrize("scenario", sorted({mutant.scenario for mutant in WIRE_ONLY}))
def test_the_reference_passes_the_same(scenario):
    _, found = judged(scenario, "host", {})
    passed = {one.requirement for one in found.findings if one.verdict is Verdict.PASS}
    assert found.verdict is Verdict.PASS
    assert {law for one in WIRE_ONLY if one.scenario == scenario for law in one.kills} <= passed
