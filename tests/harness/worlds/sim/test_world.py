"""The simulated world as a whole: a small plan becomes a history, the same one each time."""

import gc
from dataclasses import replace
from pathlib import Path

import pytest
import trio

from harness.base.errors import WorldError
from harness.base.verdict import Verdict
from harness.history import journal
from harness.run.judge import judge
from harness.scenario.expand import plans
from harness.sut.inprocess import REFERENCE
from harness.worlds.sim import kernel, operations, world
from harness.worlds.sim.flow import Flow
from harness.worlds.sim.link import Link
from harness.worlds.sim.world import RELAY_NAME, SimWorld

SCENARIOS = Path(__file__).parents[4] / "scenarios"

STORY = """\
scenario: small
about: The session says a word and the phone shows it.
cast: {host: sut, relay: reference, phone: reference}
story:
  - host.says: one
  - phone.sees: one
expect:
  - {phone.sees: one, times: 1, proves: RC-OUT-001.catches-up}
"""


def small(**given):
    (plan,) = plans(STORY)
    return replace(plan, given=given)


def of(history, kind, what):
    return [event for event in history.events if (event.kind, event.what) == (kind, what)]


@pytest.fixture(scope="module")
def history():
    return SimWorld().run(small())


def test_events_stand_in_order_of_time_and_are_numbered(history):
    assert [event.n for event in history.events] == list(range(len(history.events)))
    assert [event.t for event in history.events] == sorted(event.t for event in history.events)


def test_everybody_starts_and_the_word_arrives(history):
    assert [event.actor for event in of(history, "ok", "start")] == ["relay", "host", "phone"]
    assert [event.data["text"] for event in of(history, "saw", "shown")] == ["one"]
    assert of(history, "wire", "frame")


def test_the_probe_is_marked_as_ours(history):
    listening = [event for event in of(history, "os", "socket.listening") if event.actor == "host"]
    assert [event.data["probe"] for event in listening] == [True]


def test_time_and_segments_are_counted(history):
    assert 0 < history.footer.awake_s <= history.footer.simulated_s
    assert history.footer.segments > 0
    assert history.events[-1].t <= history.footer.simulated_s


def test_no_credential_and_no_folder_of_ours_is_in_it(history):
    text = repr(history.events)
    assert "rcr_" not in text
    assert "rca_" not in text


def test_the_same_plan_gives_the_same_bytes(history):
    again = SimWorld().run(small())
    assert journal.history_sha256(again) == journal.history_sha256(history)
    assert again.footer.trace_sha256 == history.footer.trace_sha256


def test_another_program_stands_in_for_an_actor_or_a_role():
    async def refuses(door, platform):
        async for request in door.requests:
            door.send({"id": request["id"], "err": {"code": "unsupported"}})
        return 0

    for name in ("phone", "device"):
        history = SimWorld({name: refuses}).run(small())
        assert [event.data["code"] for event in of(history, "story", "failed")] == ["setup"]
    assert SimWorld({"tablet": refuses}).run(small()).events
    assert refuses not in REFERENCE.values()


async def restless(door, platform):
    """Does all that is asked and looks around a thousand times a second, for ever."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(REFERENCE["device"], door, platform)
        while True:  # noqa: ASYNC110  the point
            await trio.sleep(0.001)


def test_a_run_that_never_rests_is_cut_short_and_keeps_what_was_seen(monkeypatch):
    monkeypatch.setattr(kernel, "WORK_MAX", 5_000)
    first, second = (SimWorld({"phone": restless}).run(small()) for _ in range(2))
    (failed,) = of(first, "story", "failed")
    assert failed.data["code"] == "budget-spent"
    assert "turns taken: phone " in failed.data["why"]
    assert not of(first, "story", "drained")
    assert journal.history_sha256(first) == journal.history_sha256(second)
    judgement = judge(first)
    assert judgement.verdict is Verdict.INCONCLUSIVE
    assert judgement.first_failure is not None


@pytest.mark.slow
def test_a_program_that_spins_without_time_passing_is_cut_short():
    async def spins(door, platform):
        while True:
            await trio.lowlevel.checkpoint()

    (failed,) = of(SimWorld({"phone": spins}).run(small()), "story", "failed")
    assert (failed.data["step"], failed.data["code"]) == ("setup", "budget-spent")
    assert "phone spins" in failed.data["why"]


def test_a_run_that_takes_too_long_is_an_error_with_its_place(monkeypatch):
    monkeypatch.setattr(world, "RUN_S_MAX", -1.0)
    with pytest.raises(WorldError, match=r"overdue: .* turns taken: "):
        SimWorld().run(small())


def test_a_proxy_that_is_given_is_the_only_way_out():
    history = SimWorld().run(small(host={"network": {"only_way_out": "plain"}}))
    dialled = [event.data for event in of(history, "os", "socket.dialled") if event.actor == "host"]
    assert {(data["via"], "probe" in data) for data in dialled} == {("direct", True), ("proxy", False)}


def test_planted_secrets_stay_out_of_the_history():
    history = SimWorld().run(small(host={"secrets_in": ["env", "files"]}))
    assert "Cenv-" not in repr(history.events)
    assert "Cfiles-" not in repr(history.events)


def test_a_run_leaves_the_collector_as_it_found_it():
    was = gc.isenabled()
    try:
        for enabled in (True, False):
            (gc.enable if enabled else gc.disable)()
            SimWorld().run(small())
            assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


def planned(file, word):
    """The first plan of a scenario whose id says a word."""
    return next(plan for plan in plans(SCENARIOS / file) if word in plan.id)


@pytest.mark.parametrize("broken", ["", "holds nothing", "loses it"])
def test_what_is_held_comes_later_and_a_hold_that_does_not_hold_or_loses_is_found_out(broken, monkeypatch):
    if broken == "holds nothing":
        monkeypatch.setitem(operations.PERFORM, "block", lambda *_, **_named: None)
    if broken == "loses it":
        keep = Link.keep
        monkeypatch.setattr(Link, "keep", lambda self, way, now_ns, _: keep(self, way, now_ns, lambda *_: None))
    history = SimWorld().run(planned("session/rename-while-cut-off.yaml", "held"))
    found = judge(history)
    assert (found.verdict is Verdict.PASS) is (not broken), found
    assert [fault.evidence.bit for fault in found.evidence] == [not broken]
    assert bool(of(history, "os", "link.kept")) is (not broken)


@pytest.mark.slow
def test_a_stream_that_is_truncated_too_late_is_found_out(monkeypatch):
    monkeypatch.setattr(Flow, "_within_limit", lambda self: self._queue[0])
    found = judge(SimWorld().run(planned("outage/breaks-off-in-mid-frame.yaml", "down to the phone")))
    (seen,) = [fault.evidence for fault in found.evidence]
    assert (found.verdict > Verdict.PASS, seen.bit, seen.passed > 0) == (True, False, True)


def test_the_relays_name_is_no_name_of_a_story():
    assert RELAY_NAME.endswith(".test")
