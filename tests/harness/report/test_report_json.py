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


def test_what_the_worlds_own_path_takes_stands_with_its_run_and_the_slowest_for_all():
    quick, slow = (
        {"link": f"{one}-relay", "samples": 100, "p99_s": p99_s} for one, p99_s in (("host", 0.002), ("phone", 0.003))
    )
    report = report_object(Summary((row(), row(id="b", calibration=(quick, slow)))))
    assert [scenario["calibration"] for scenario in report["scenarios"]] == [[], [quick, slow]]
    assert report["calibration"] == {"id": "b", **slow}


def test_where_nothing_was_calibrated_the_report_says_so():
    assert report_object(Summary((row(),)))["calibration"] is None


def test_delays_stand_with_their_run():
    delay = {"line": 9, "budget_s": 0.16, "p50_s": 0.1, "p95_s": 0.1, "p99_s": "never", "lines": 40}
    report = report_object(Summary((row(), row(delays=(delay,)))))
    assert [scenario["delays"] for scenario in report["scenarios"]] == [[], [delay]]


def test_the_text_is_the_object():
    summary = Summary((row(),))
    assert json.loads(report_text(summary)) == report_object(summary)
