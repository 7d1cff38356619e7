"""Every program that is broken where only a real machine shows it is killed by the check that is there for it, and by no other."""

from pathlib import Path

import pytest

from harness.base.verdict import Verdict
from harness.scenario.expand import plans
from tests.mutants.wire_only import WIRE_ONLY

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

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
    return judge(WireWorld(programs).run(on_trial(plan, role)))


def passed(found):
    return {one.requirement for one in found.findings if one.verdict is Verdict.PASS}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", WIRE_ONLY, ids=lambda mutant: mutant.id)
def test_each_is_killed_by_what_is_there_for_it(mutant):
    found = judged(mutant.scenario, mutant.role, {mutant.role: (*mutant.command, *REFERENCE[mutant.role][REPLACED:])})
    failed = {(one.requirement, one.code) for one in found.findings if one.verdict > Verdict.INCONCLUSIVE}
    assert failed - set(mutant.where_it_stands.items()) == set(mutant.kills.items()), found.findings
    assert not mutant.where_it_stands.keys() & passed(found)


@pytest.mark.slow
@pytest.mark.parametrize("scenario", sorted({mutant.scenario for mutant in WIRE_ONLY}))
def test_the_reference_passes_the_same(scenario):
    found = judged(scenario, "host", {})
    assert found.verdict is Verdict.PASS
    assert {law for one in WIRE_ONLY if one.scenario == scenario for law in one.kills} <= passed(found)
