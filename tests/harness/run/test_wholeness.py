from dataclasses import replace

import pytest

from harness.base.verdict import Verdict
from harness.history.events import Event, History
from harness.run.judge import judge
from tests.harness.checks.made import history
from tests.harness.run.judged import FAULT, RUN, SEES, judged, use_proven


@pytest.fixture(autouse=True)
def _fault(monkeypatch):
    use_proven(monkeypatch)


def test_a_standing_clock_is_noticed():
    frozen = [replace(one, t=min(one.t, 2.0)) for one in RUN]
    result = judged(frozen)
    assert result.verdict is Verdict.HARNESS_ERROR
    assert "clock-frozen" in {finding.code for finding in result.findings}


def test_time_that_runs_back_is_noticed():
    made = history(RUN, expectations=(SEES,), story=(FAULT,))
    back = History(made.plan, (*made.events[:-1], replace(made.events[-1], t=0.5)), made.footer)
    assert "disordered" in {finding.code for finding in judge(back).findings}


@pytest.mark.parametrize("name", [[], {}, None, 7])
def test_a_step_that_names_nothing_was_never_planned(name):
    made = history([*RUN, Event(99, 99.0, "host", "story", "step", {"step": name})])
    assert "unplanned" in {finding.code for finding in judge(made).findings}
