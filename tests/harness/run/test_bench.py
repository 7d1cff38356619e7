import pytest

from harness.base.verdict import Verdict
from harness.run.bench import bench, bench_text, wakes_per_s
from tests.harness.run.stage import use_fake_world, write_story


def test_speed_is_a_ratio_of_the_measured_runs(tmp_path, monkeypatch):
    use_fake_world(monkeypatch)
    write_story(tmp_path / "talk")
    yes, no = bench([tmp_path], 3)
    assert yes.ratio == pytest.approx(60.0 / yes.wall_s)
    assert yes.best >= yes.ratio
    assert (yes.verdict, no.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert "FAIL  a-word[word=no]" in bench_text([no], 20_000.0)
    assert bench_text([no], 19_300.0).endswith("(x 2.00)")


def test_trio_alone_is_timed_without_waiting_for_its_sleeps():
    assert wakes_per_s(1) > 1.0
