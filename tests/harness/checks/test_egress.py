import pytest

from harness.base.verdict import Verdict
from harness.checks.egress import attempts, declared_only, direct_attempts, listens, no_plaintext
from tests.harness.checks.made import case, event, expects, started


def dials(t, via, actor="host", **data):
    return event(t, actor, "os", "socket.dialled", conn=1, to="relay", port=443, via=via, allowed=True, **data)


def listening(actor, **data):
    return event(0, actor, "os", "socket.listening", address="0.0.0.0:443", **data)


PROBE = dials(0, "direct", probe=True)
RELAY = event(0, "relay", "invoke", "start", name="relay.test")


def asks(name, actor="host"):
    return event(1, actor, "os", "dns.asked", name=name, answer="nxdomain")


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([PROBE, dials(1, "proxy")], ""),
        ([dials(0, "direct", "phone"), dials(1, "proxy")], ""),
        ([PROBE, dials(1, "proxy"), dials(2, "direct")], "dialled-direct"),
        ([PROBE, RELAY, dials(1, "proxy"), asks("relay.test")], "asked-direct"),
        ([PROBE, RELAY, dials(1, "proxy"), asks("proxy.corp"), asks("relay.test", "phone")], ""),
        ([dials(1, "proxy")], "no-control"),
        ([dials(0, "direct", "host.proxy"), dials(1, "proxy")], "no-control"),
        ([PROBE], "never-dialled"),
    ],
)
def test_direct_attempts(events, code):
    finding = direct_attempts(case(events), expects("host", "direct_attempts", 0))
    assert finding.code == code
    assert (finding.verdict is Verdict.PASS) == (code == "")


def test_where_a_probe_gets_past_the_proxy_nobody_was_held_to_it():
    through = [PROBE, event(0, "host", "os", "socket.connected", conn=1, probe=True), dials(1, "proxy")]
    others = [PROBE, event(1, "host", "os", "socket.connected", conn=2), dials(1, "proxy")]
    asked = [direct_attempts(case(events), expects("host", "direct_attempts", 0)).code for events in (through, others)]
    assert asked == ["way-open", ""]


@pytest.mark.parametrize(
    ("events", "code"),
    [
        ([started(), listening("relay")], ""),
        ([started(), listening("host", probe=True)], ""),
        ([started(), listening("relay"), listening("host")], "listens"),
        ([started()], "no-control"),
        ([listening("relay")], "never-started"),
    ],
)
def test_listens(events, code):
    assert listens(case(events), expects("host", "listens", "nowhere")).code == code


def dial(conn, actor="host", to="relay", address="203.0.113.2", port=443, via="direct", **more):
    data = {"conn": conn, "to": to, "address": address, "port": port, "via": via, "allowed": True, **more}
    return event(2, actor, "os", "socket.dialled", **data)


def answered(name, answer, actor="host"):
    return event(1, actor, "os", "dns.asked", name=name, answer=answer)


def spoke(conn, *, tls, actor="host"):
    return event(3, actor, "os", "socket.spoke", conn=conn, link="host-relay", tls=tls)


STARTED = event(0, "relay", "invoke", "start", name="relay.test", port=443)
DIRECT = [STARTED, answered("relay.test", "203.0.113.2"), dial(1)]
BY_PROXY = [
    STARTED,
    answered("proxy.corp", "10.250.0.1"),
    dial(1, to="host.proxy", address="10.250.0.1", port=3128, via="proxy"),
    answered("relay.test", "203.0.113.2", "host.proxy"),
    dial(2, "host.proxy"),
]
ELSEWHERE = {"to": "192.0.2.1", "address": "192.0.2.1"}


@pytest.mark.parametrize(
    ("events", "verdict", "code"),
    [
        ([STARTED], Verdict.NOT_APPLICABLE, ""),
        (DIRECT, Verdict.PASS, ""),
        (BY_PROXY, Verdict.PASS, ""),
        ([*DIRECT, answered("relay.test", "10.9.9.9"), dial(3, to="portal", address="10.9.9.9")], Verdict.PASS, ""),
        ([*DIRECT, answered("relay.test", "stale"), dial(3, **ELSEWHERE)], Verdict.PASS, ""),
        ([*DIRECT, dial(3, probe=True, **ELSEWHERE), dial(4, "phone", **ELSEWHERE)], Verdict.PASS, ""),
        ([*DIRECT, dial(3, **ELSEWHERE)], Verdict.FAIL, "dialled-elsewhere"),
        ([*BY_PROXY, dial(3, "host.proxy", **ELSEWHERE)], Verdict.FAIL, "dialled-elsewhere"),
        ([*DIRECT, answered("vendor.test", "nxdomain")], Verdict.FAIL, "asked-elsewhere"),
    ],
)
def test_declared_only(events, verdict, code):
    (finding,) = declared_only(case(events))
    assert (finding.verdict, finding.code) == (verdict, code)


@pytest.mark.parametrize(
    ("events", "verdict", "code"),
    [
        (DIRECT, Verdict.NOT_APPLICABLE, ""),
        ([*DIRECT, spoke(1, tls=True)], Verdict.PASS, ""),
        ([*BY_PROXY, spoke(1, tls=False), spoke(2, tls=True, actor="host.proxy")], Verdict.PASS, ""),
        ([*BY_PROXY, spoke(1, tls=False), spoke(2, tls=False, actor="host.proxy")], Verdict.FAIL, "plaintext"),
        ([*DIRECT, spoke(1, tls=False)], Verdict.FAIL, "plaintext"),
        ([*DIRECT, dial(3, port=80)], Verdict.FAIL, "plain-port"),
    ],
)
def test_no_plaintext(events, verdict, code):
    (finding,) = no_plaintext(case(events))
    assert (finding.verdict, finding.code) == (verdict, code)


@pytest.mark.parametrize(
    ("times", "code"),
    [([0, 30, 61, 90], ""), ([0, 20, 40], "too-many-attempts"), ([], "too-few")],
)
def test_attempts(times, code):
    events = [dials(float(t), "direct") for t in times]
    entry = expects("host", "attempts", {"at_most": 2, "per": 59.0})
    assert attempts(case(events), entry).code == code


def refused(t, status, conn, *, relays=True):
    return event(t, "host", "wire", "response", status=status, relays=relays, path="/v1/token", conn=conn)


def dialled(t, conn):
    return event(t, "host", "os", "socket.dialled", via="direct", conn=conn)


@pytest.mark.parametrize(
    ("events", "seen"),
    [
        ([dialled(0, 1), *(refused(t, 401, 1) for t in (1, 2, 3))], 3),  # the dial and its refusal are one
        ([dialled(0, 1), *(refused(t, 200, 1) for t in (1, 2, 3))], 1),
        ([dialled(0, 1), dialled(1, 2), refused(2, 503, 1)], 2),
        ([dialled(0, 1), *(refused(t, 403, 1, relays=False) for t in (1, 2, 3))], 3),
        ([dialled(0, 1), *(refused(t, 302, 1, relays=False) for t in (1, 2, 3))], 3),
        ([dialled(0, 1), *(refused(t, 200, 1, relays=False) for t in (1, 2, 3))], 3),
        ([dialled(0, 1), refused(1, 200, 1), dialled(59, 2)], 1),  # the span is open at its end
    ],
)
def test_what_is_refused_is_an_attempt_too(events, seen):
    entry = expects("host", "attempts", {"at_most": seen, "per": 59.0})
    assert attempts(case(events), entry).observed == seen
    entry = expects("host", "attempts", {"at_most": seen - 1, "per": 59.0})
    assert attempts(case(events), entry).code == "too-many-attempts"


def test_attempts_of_a_device_are_counted_as_its_own():
    events = [event(t, "phone", "os", "socket.dialled", via="direct") for t in (0, 1, 2)]
    finding = attempts(case(events), expects("phone", "attempts", {"at_most": 2, "per": 59.0}))
    assert (finding.check, finding.code) == ("device.attempts", "too-many-attempts")


@pytest.mark.parametrize("law", [declared_only, no_plaintext])
def test_where_nobody_counts_there_is_no_opinion_and_the_reason_is_true(law):
    shared = event(0, "world", "os", "ground.shared")
    told = [law(case(events))[0] for events in ([started()], [shared, started()])]
    assert {one.verdict for one in told} == {Verdict.NOT_APPLICABLE}
    assert ["not counted" in one.message for one in told] == [False, True]
