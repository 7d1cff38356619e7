"""A topology that stands: who takes part, what is refused, what its evidence is."""

from types import SimpleNamespace

import pytest

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.base.errors import UsageError
from harness.history.events import Event
from harness.run.hands_on import refuse, told_of, topology, weighed
from harness.scenario.fault_line import read_fault
from harness.worlds.wire import able


def stage(way_out=None, unhurried=(), boxes=()):
    return SimpleNamespace(plan=topology((), way_out), unhurried=dict(unhurried), boxes=dict.fromkeys(boxes))


def fault(line):
    return read_fault(line.split(), topology(), "fault.1")


def test_nobody_is_on_trial_unless_a_file_says_so():
    assert topology().suts == frozenset()
    assert topology(["host"]).suts == {"host"}
    assert topology(["device"]).suts == {"phone"}


def test_it_can_be_played_with_a_proxy_and_without():
    assert able.lacks(topology()) == ""
    assert able.lacks(topology((), "plain")) == ""
    with pytest.raises(UsageError, match="--way-out plane: there is no such proxy; did you mean `plain`"):
        topology((), "plane")


@pytest.mark.parametrize("line", ["cut host-relay 30s", "host.sleeps 8h", "phone.revoked", "relay.restarts"])
def test_what_can_be_had_is_not_refused(line):
    refuse(fault(line), stage())


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("host.proxy_answers html 30s", "nothing stands in the way out of host .* `relayproof up --way-out plain`"),
        ("relay.sleeps 1h", "more than one link"),
        ("host.loses_power", "a real disk loses nothing"),
        ("phone.revoked relai", "nobody here is called `relai`; did you mean `relay`"),
    ],
)
def test_what_cannot_be_had_is_refused_with_the_reason(line, why):
    with pytest.raises(UsageError, match=why):
        refuse(fault(line), stage())


def test_a_proxy_that_is_there_may_do_what_it_likes():
    refuse(fault("host.proxy_answers html 30s"), stage("plain", boxes=["host"]))


def test_without_root_it_is_said_that_a_fault_needs_it(monkeypatch):
    monkeypatch.setattr(able, "unavailable", lambda: "network namespaces need root")
    assert topology().story == ()
    with pytest.raises(UsageError, match="need root"):
        refuse(fault("loss host-relay 10s"), stage())


def test_a_program_that_keeps_real_time_sleeps_not_and_is_cut_for_minutes_at_most():
    ours = stage(unhurried={"host": "it is a static binary"})
    refuse(fault("cut host-relay 30s"), ours)
    with pytest.raises(UsageError, match="host cannot sleep"):
        refuse(fault("host.sleeps 10s"), ours)
    with pytest.raises(UsageError, match="cannot be hurried"):
        refuse(fault("cut host-relay 8h"), ours)


def test_delays_are_measured_from_the_beginning_where_root_is(monkeypatch):
    def prepared():
        return {step.args["link"] for step in topology().story}

    monkeypatch.setattr("harness.worlds.wire.able.unavailable", lambda: "")
    assert prepared() == {"host-relay", "phone-relay"}
    monkeypatch.setattr("harness.worlds.wire.able.unavailable", lambda: "no root")
    assert prepared() == set()


def cut_events(passed):
    step = fault("cut host-relay 30s")
    data = {"id": step.id, "name": "cut", "effect": True, "realised_by": ["toxiproxy"]}
    counted = {"link": "host-relay", "direction": "up", "bytes": 100, "passed": passed}
    return step, (
        Event(0, 10.0, "host-relay", "fault", "began", data | step.args),
        Event(1, 20.0, "host-relay", "os", "socket.attempted", counted),
        Event(2, 40.0, "host-relay", "fault", "healed", {"id": step.id, "name": "cut"}),
    )


@pytest.mark.parametrize(("passed", "bit"), [(0, True), (100, False)])
def test_the_evidence_is_the_faults_own(passed, bit):
    told = told_of(weighed(topology(), *cut_events(passed)))
    assert (told["bit"], told["attempted"], told["passed"], told["rank"]) == (bit, 100, passed, "OS")
    assert told["realised_by"] == ["toxiproxy"]
    assert "100 bytes were given to host-relay" in told["note"]


def test_a_fault_that_nobody_met_is_not_proven():
    step, events = cut_events(0)
    assert told_of(weighed(topology(), step, (events[0], events[2])))["bit"] is False
