from pathlib import Path

import pytest

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.scenario.expand import plans
from harness.worlds.wire import able
from harness.worlds.wire.able import lacks
from harness.worlds.wire.operations import PERFORM
from harness.worlds.wire.realised import REALISED_BY

SCENARIOS = Path(__file__).parents[4] / "scenarios"


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("outage/ten-minute-outage.yaml", ("",)),
        ("sleep/laptop-sleeps.yaml", ("",)),
        ("sleep/clock-drifts.yaml", ("a clock cannot be made to drift",)),
        ("delivery/relay-loses-power-keeps-acked.yaml", ("given `relay.disk` is not laid",)),
    ],
)  # fmt: skip
def test_what_a_plan_asks_for_and_cannot_have_is_said(file, told, monkeypatch):
    monkeypatch.setattr(able, "unavailable", lambda: "")
    said = {lacks(plan) for plan in plans(SCENARIOS / file)}
    assert all(any(one == "" if not word else one.startswith(word) for one in said) for word in told), said


@pytest.mark.parametrize(
    ("file", "told"),
    [
        ("outage/ten-minute-outage.yaml", "fault `cut`: network namespaces need root"),
        ("presence/late-word-of-a-frozen-host.yaml", "fault `cut`: network namespaces need root"),
        (
            "outage/new-connections-refused.yaml",
            "an expectation needs the census of connections: network namespaces need root",
        ),
    ],
)
def test_without_namespaces_what_needs_them_is_left_out_with_the_reason(file, told, monkeypatch):
    monkeypatch.setattr(able, "unavailable", lambda: "network namespaces need root")
    assert told in {why for plan in plans(SCENARIOS / file) for why in able.every_lack(plan)}


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("", set()),
        (
            "no root",
            {f"`host.{verb}` needs the census of connections: no root" for verb in ("direct_attempts", "listens")},
        ),
    ],
)
def test_what_only_the_census_shows_is_judged_where_there_is_one(why, told, monkeypatch):
    monkeypatch.setattr(able, "unavailable", lambda: why)
    (plan, *_) = plans(SCENARIOS / "proxy/only-a-proxy.yaml", world="wire")
    assert set(filter(None, map(able.unjudged, plan.expectations))) == told


PROXIED = b"""
scenario: proxied
about: A stream is truncated between a machine and its proxy.
cast: {host: reference, relay: reference, phone: sut}
given: {host.network: {only_way_out: plain}}
story:
  - host.says: one
  - phone.sees: one
  - fault: {truncates: $link, after: 1kB, for: 3s}
cases:
  - case: before a proxy
    with: {link: host-relay}
    expect: [{phone.shows: online, proves: RC-OPS-002.truthful}]
  - case: without one
    with: {link: phone-relay}
    expect: [{phone.shows: online, proves: RC-OPS-002.truthful}]
"""


def test_a_stream_is_not_truncated_before_a_proxy_where_nobody_could_tell_what_was_read(monkeypatch):
    monkeypatch.setattr(able, "unavailable", lambda: "")
    said = [lacks(plan) for plan in plans(PROXIED, world="wire")]
    assert said == ["fault `truncates`: host has a proxy between its link and the tap", ""]


def test_every_operation_that_can_be_had_says_by_what_and_in_the_words_of_the_spec():
    assert set(REALISED_BY) == {*PERFORM, "start", "call"}
    spec = (Path(__file__).parents[4] / "docs/spec/history.md").read_text()
    assert all(f"`{word}`" in spec for by in REALISED_BY.values() for word in by)


NESTED = """
scenario: nested
about: Two faults of one link at once.
cast: {{host: reference, relay: reference, phone: sut}}
story:
  - host.says: one
  - phone.sees: one
  - fault: {outer}
    during:
      - wait: 5s
      - fault: {inner}
expect: [{{phone.shows: online, proves: RC-OPS-002.truthful}}]
"""

HELD = "{cut: phone-relay, how: held, for: 20s}"
DARK = "{cut: phone-relay, for: 10s}"
SLOW = "{latency: phone-relay, for: 40s}"


@pytest.mark.parametrize(
    ("outer", "inner", "clashes"),
    [
        (SLOW, HELD, True),
        (HELD, "{truncates: phone-relay, for: 3s}", True),
        ("{phone.sleeps: 30s}", DARK, True),
        (DARK, "{phone.sleeps: 3s}", False),
        (SLOW, "{bandwidth: phone-relay, for: 5s}", False),
        (HELD, "{cut: host-relay, for: 10s}", False),
        (HELD, "{cut: phone-relay, how: reset, for: 3s}", False),
        (HELD, "{cut: phone-relay, how: fin, for: 3s}", True),
    ],
)
def test_what_one_proxy_cannot_make_at_once_is_said(outer, inner, clashes, tmp_path, monkeypatch):
    monkeypatch.setattr(able, "unavailable", lambda: "")
    file = tmp_path / "nested.yaml"
    file.write_text(NESTED.format(outer=outer, inner=inner))
    (plan,) = plans(file)
    assert [("cannot make both at once" in why) for why in able.every_lack(plan)] == [True] * clashes
