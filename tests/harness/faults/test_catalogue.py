"""The laws every fault keeps, over one example or more of each."""

from dataclasses import asdict, replace

import pytest

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.base.rank import Rank
from harness.faults.model import FAULTS, MIDDLEBOX_SETTINGS, OPERATIONS, Window
from harness.history.events import Event
from tests.harness.faults.example import BEGAN_AT, at_host, event, given
from tests.harness.faults.examples import credentials, links, machines, ways_out

EXAMPLES = [*links.EXAMPLES, *ways_out.EXAMPLES, *machines.EXAMPLES, *credentials.EXAMPLES]
UNDOES = {"block": "unblock", "suspend": "resume", "freeze": "thaw", "kill": "start", "fill_disk": "free_disk"}
MOMENTARY = ("reset", "move", "call")


def each(examples=EXAMPLES):
    return pytest.mark.parametrize("example", examples, ids=[f"{e.fault.name}-{n}" for n, e in enumerate(examples)])


def late(events, by_s):
    return [replace(one, t=one.t + by_s) for one in events]


def test_every_fault_has_an_example():
    assert {example.fault.name for example in EXAMPLES} == set(FAULTS)


@each()
def test_bites_where_it_did_its_work(example):
    seen = example.fault.evidence(example.window, example.bites)
    assert seen.bit
    assert seen.attempted > 0
    assert seen.passed == 0
    assert seen.window == example.window


@each()
def test_does_not_bite_where_it_was_tried_in_vain(example):
    seen = example.fault.evidence(example.window, example.fails)
    assert not seen.bit


@each()
def test_does_not_bite_where_nothing_was_tried(example):
    seen = example.fault.evidence(example.window, [])
    assert (seen.bit, seen.attempted) == (False, 0)


@each()
def test_does_not_bite_on_book_keeping_alone(example):
    actor = example.fault.machine if example.fault.subject == "machine" else example.fault.link
    began = event(BEGAN_AT, actor, "began", "fault", name=example.fault.name, effect=True, **asdict(example.fault))
    told = event(BEGAN_AT, actor, "evidence", "fault", bit=True, attempted=9, passed=0)
    forged = [replace(one, kind="fault") for one in example.bites]
    assert not example.fault.evidence(example.window, [began, told, *forged]).bit


@each()
def test_does_not_bite_by_what_was_seen_before_it_began(example):
    assert not example.fault.evidence(example.window, late(example.bites, -50_000)).bit


@each()
def test_evidence_leaves_a_whole_history_as_it_is_and_takes_any_iterable(example):
    once = iter(example.bites)
    assert example.fault.evidence(example.window, once) == example.fault.evidence(example.window, example.bites)


@each()
def test_every_operation_is_in_the_table(example):
    for operation in (*example.fault.begin(), *example.fault.heal()):
        assert operation.name in OPERATIONS
        for key in operation.args:
            settings = MIDDLEBOX_SETTINGS if operation.name == "middlebox" else OPERATIONS[operation.name]
            assert key == "machine" or key in settings


@each()
def test_operations_begin_within_its_time_and_in_order(example):
    offsets = [operation.after_s for operation in example.fault.begin()]
    assert offsets == sorted(offsets)
    assert all(0 <= offset <= example.fault.lasts_s for offset in offsets)
    assert all(operation.after_s == 0 for operation in example.fault.heal())


@each([example for example in EXAMPLES if not example.irreversible])
def test_healing_undoes_what_beginning_did(example):
    done = [operation for operation in example.fault.begin() if operation.name not in MOMENTARY]
    undone = {operation.name for operation in example.fault.heal()}
    assert {UNDOES.get(done[-1].name, done[-1].name)} == undone
    for operation in example.fault.heal():
        assert operation.args.get("machine", operation.args.get("link")) in done[-1].args.values()
        given_back = {key: value for key, value in operation.args.items() if key in ("how", "idle_s", "latency_s")}
        assert not any(given_back.values())


@each([example for example in EXAMPLES if example.irreversible])
def test_what_stays_is_not_healed(example):
    assert not example.fault.heal()


@each()
def test_says_how_every_world_realises_it(example):
    assert set(example.fault.worlds) == {"sim", "wire", "compose"}
    assert all(example.fault.worlds.values())


@each()
def test_its_primary_and_subject_are_its_fields(example):
    fields = asdict(example.fault)
    assert example.fault.primary in fields
    assert next(iter(fields)) == example.fault.subject


BAD = [
    ("cut", {"link": "host"}, "is not a link"),
    ("cut", {"link": "host-host"}, "is not a link"),
    ("cut", {"link": "host-relay", "for_s": 2}, "shorter than 3s"),
    ("cut", {"link": "host-relay", "for_s": 0}, "longer than nothing"),
    ("latency", {"link": "host-relay", "rtt_s": 0}, "`rtt`"),
    ("latency", {"link": "host-relay", "jitter_s": -1}, "`jitter`"),
    ("bandwidth", {"link": "host-relay", "rate_bytes_per_s": 0}, "`rate`"),
    ("loss", {"link": "host-relay", "lost_ratio": 1.0}, "`lost`"),
    ("mtu_hole", {"link": "host-relay", "above_bytes": 0}, "`above`"),
    ("truncates", {"link": "host-relay", "after_bytes": 0}, "`after`"),
    ("truncates", {"link": "host-relay", "after_bytes": 0.5}, "`after`"),
    ("nat_forgets", {"link": "host-relay", "idle_s": 900}, "`idle`"),
    ("load_balancer_cuts", {"link": "host-relay", "idle_s": 0}, "`idle`"),
    ("flaps", {"link": "host-relay", "times": 0}, "`times`"),
    ("flaps", {"link": "host-relay", "times": 60, "for_s": 60}, "too closely"),
    ("sleeps", {"machine": "host", "for_s": 1}, "shorter than 2s"),
    ("dark_wakes", {"machine": "host", "for_s": 60, "every_s": 60}, "room"),
    ("dark_wakes", {"machine": "host", "every_s": 1}, "shorter than 2s"),
    ("dark_wakes", {"machine": "host", "awake_s": 0}, "`awake`"),
    ("freezes", {"machine": "host", "for_s": 0}, "longer than nothing"),
    ("killed", {"machine": "host", "down_s": 0}, "longer than nothing"),
    ("deploys", {"machine": "relay", "drains_s": 0}, "`restarts`"),
    ("deploys", {"machine": "relay", "retry_after_s": -1}, "`retry_after`"),
    ("upgraded", {"machine": "relay", "version": ""}, "which version"),
    ("clock_steps", {"machine": "host", "by_s": 0.5}, "shorter than 1s"),
    ("clock_drifts", {"machine": "host", "ppm": 0}, "none"),
    ("clock_drifts", {"machine": "host", "ppm": 1e6}, "`clock_steps`"),
    ("revoked", {"machine": "phone", "at": "phone"}, "which relay"),
    ("loses_answer", {"machine": "host", "path": "v1/token"}, "is not a path"),
    ("loses_answer", {"machine": "host", "count": 0}, "`count`"),
    ("loses_answer", {"machine": "host", "for_s": -1}, "`for`"),
    ("refresh_fails", {"machine": "host", "for_s": 0}, "longer than nothing"),
    ("proxy_idle_cuts", {"machine": "host", "idle_s": 900}, "`idle`"),
]


@pytest.mark.parametrize(("name", "parameters", "sentence"), BAD)
def test_refuses_parameters_with_a_sentence(name, parameters, sentence):
    with pytest.raises(ValueError, match=sentence):
        FAULTS[name](**parameters)


def test_what_was_in_flight_when_a_cut_began_or_healed_may_pass():
    cut = FAULTS["cut"](link="host-relay", for_s=60)
    edges = given(100.5, "up", 60, 60), given(130, "up", 60, 0), given(159.5, "down", 60, 60)
    assert bit(cut, edges)
    assert not bit(cut, edges[:1])


def test_a_handshake_under_way_when_syns_began_to_vanish_may_end():
    syn_lost = FAULTS["syn_lost"](link="host-relay")
    before = links.dialled(99.9, "c1"), links.on_link(100.1, "socket.connected", conn="c1")
    assert bit(syn_lost, (*before, links.dialled(110, "c2")))
    assert not bit(syn_lost, before)


def test_another_link_is_no_evidence_for_a_cut():
    cut = FAULTS["cut"](link="phone-relay", for_s=60)
    assert not bit(cut, (given(130, "up", 60, 0),))


def test_the_other_direction_is_no_evidence_for_a_truncated_stream():
    up = FAULTS["truncates"](link="host-relay", how="to relay", after_bytes=700)
    assert not bit(up, (links.limited(110, 700, 700, 40),))


@pytest.mark.parametrize(("how", "direction"), [("to relay", "up"), ("from relay", "down")])
def test_what_is_truncated_one_way_heals_that_way(how, direction):
    one = FAULTS["truncates"](link="host-relay", how=how)
    assert [operation.args["direction"] for operation in (*one.begin(), *one.heal())] == [direction] * 2


def test_a_revocation_is_evidence_even_where_the_relay_ignores_it_afterwards():
    revoked = FAULTS["revoked"](machine="phone")
    served = event(120, "phone", "response", "wire", status=200, path="/v1/sessions")
    assert bit(revoked, (credentials.revoked(1), served))


@pytest.mark.parametrize(
    ("what", "data", "rank"),
    [
        ("frame", {"event": "bye", "reason": "token-revoked"}, Rank.WIRE),
        ("response", {"status": 401, "problem": "token-revoked"}, Rank.WIRE),
        ("response", {"status": 200, "problem": ""}, Rank.ADAPTER),
    ],
)
def test_a_revocation_is_on_the_wire_where_the_machine_is_told_so(what, data, rank):
    revoked = FAULTS["revoked"](machine="phone")
    events = (credentials.revoked(1), event(120, "phone", what, "wire", **data))
    assert revoked.evidence(Window(BEGAN_AT, BEGAN_AT), events).rank is rank


STANDS = {
    "sleeps": ("machine.suspended", "machine.resumed", "slept_s"),
    "freezes": ("process.frozen", "process.thawed", "frozen_s"),
}


@pytest.mark.parametrize("name", STANDS)
@pytest.mark.parametrize("stood_s", [12.0, 40.5, 42.0, 43.5])
@pytest.mark.parametrize("heal_s", [None, 0.5, 1.5])
def test_a_machine_stood_still_until_its_healing_began(name, stood_s, heal_s):
    began, ended, key = STANDS[name]
    events = (at_host(100, began), at_host(100 + stood_s, ended, **{key: stood_s}))
    window = Window(BEGAN_AT, 142.0 + (heal_s or 0.0), None if heal_s is None else 142.0)
    assert FAULTS[name](machine="host", for_s=42.0).evidence(window, events).bit == (stood_s == 42.0)


@pytest.mark.parametrize("name", STANDS)
def test_who_says_late_that_it_heals_and_not_since_when_proves_nothing(name):
    began, ended, key = STANDS[name]
    events = (at_host(100, began), at_host(142, ended, **{key: 42.0}))
    assert not FAULTS[name](machine="host", for_s=42.0).evidence(Window(BEGAN_AT, 143.5), events).bit


def test_a_waking_that_takes_long_is_a_stop_of_its_own_and_makes_the_sleep_unclear():
    events = machines.asleep((100, 142))
    sleeps = FAULTS["sleeps"](machine="host", for_s=42.0)
    assert sleeps.evidence(Window(BEGAN_AT, 144.9, 142.0), events).bit
    seen = sleeps.evidence(Window(BEGAN_AT, 146.0, 142.0), events)
    assert not seen.bit
    assert "waking took 4 s" in seen.note


def test_dark_wakes_of_an_hour_are_four():
    assert FAULTS["dark_wakes"](machine="host").wakes_s == [900.0, 1810.0, 2720.0]


def test_resolving_judges_only_its_own_machine():
    resolves = FAULTS["resolves"](machine="phone")
    assert not bit(resolves, (at_host(110, "dns.asked", answer="nxdomain"),))


def bit(fault, events: tuple[Event, ...]) -> bool:
    return fault.evidence(Window(BEGAN_AT, BEGAN_AT + fault.lasts_s), events).bit
