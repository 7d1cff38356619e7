import json

from harness.base.verdict import Verdict
from harness.report.model import Summary
from harness.report.report_json import report_object, report_text
from harness.scenario.expand import LeftOut
from tests.harness.report.sample import row


def test_the_interface_that_others_read():
    report = report_object(Summary((row(Verdict.FAIL),), (LeftOut("x", "no root"),), 1.0))
    assert report["totals"]["FAIL"] == 1
    assert report["left_out"] == [{"id": "x", "reason": "no root"}]
    scenario = report["scenarios"][0]
    assert scenario["verdict"] == "FAIL"
    assert scenario["requirements"] == [{"id": "RC-OUT-002.ends", "level": "MUST", "verdict": "FAIL"}]
    assert scenario["faults"] == [{"name": "cut", "evidence": {"bit": True}, "realised_by": ["sim"]}]
    assert (scenario["world"], scenario["profile"], scenario["seed"]) == ("sim", "article-2026-02", 7)
    wanted = {"id", "file", "verdict", "simulated_s", "awake_s", "wall_s", "history_sha256", "requirements", "faults"}
    assert wanted <= set(scenario)
    assert report["requirements"] == scenario["requirements"]


def test_the_text_is_the_object():
    summary = Summary((row(),))
    assert json.loads(report_text(summary)) == report_object(summary)
