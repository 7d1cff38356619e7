import json
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reference.protocol import limits
from reference.protocol.credentials import SCOPES
from reference.protocol.relay import RelayMachine, Terms
from reference.protocol.relay_io import Drain, Flowed, Gone, Revoke, StorageFailed
from tests.reference.protocol.relay_playbook import ASKED, Playbook, Scene

NAMES = [scope for scopes in SCOPES.values() for scope in scopes]
DOORS = [route for route in RelayMachine.ROUTES if route.scope]


def names(scene, rid):
    return [name for name, _, _ in scene.events(rid)]


# --- the door


@pytest.mark.parametrize("route", DOORS, ids=lambda route: route.action)
def test_each_door_opens_for_its_one_scope_only(route):
    scene = Scene()
    path = route.path.replace("{s}", scene.session)
    credentials = {"host": scene.host_credential, "device": scene.phone_credential}
    for scope in NAMES:
        token = scene.token(credentials[scope.split(":")[0]], scope)
        rid = scene.ask(route.method, path, token)
        refused = rid in scene.answers and scene.answers[rid][0] == 403
        assert refused == (scope != route.scope), (scope, scene.answers.get(rid))


@pytest.mark.parametrize("route", DOORS, ids=lambda route: route.action)
def test_no_door_opens_without_a_live_token(route):
    scene = Scene()
    path = route.path.replace("{s}", scene.session)
    assert scene.code(route.method, path) == "token-missing"
    assert scene.code(route.method, path, "rca_junk") == "token-unknown"
    assert scene.code(route.method, path, scene.host_credential) == "token-unknown"
    assert scene.answers[scene.rid][1]["WWW-Authenticate"].startswith("Bearer")


def test_tokens_open_until_their_last_second_and_not_in_it():
    scene = Scene()
    scene.wait(599.0)
    assert scene.call("GET", "/v1/sessions", scene.d["read"])[0] == 200
    scene.wait(1.0)
    assert scene.code("GET", "/v1/sessions", scene.d["read"]) == "token-expired"


def flood(scene, times=limits.REQUESTS_AT_ONCE + 1):
    """Ask for the list until there is no more; the last answer's rid."""
    for _ in range(times):
        rid = scene.ask("GET", "/v1/sessions", scene.d["read"])
    return rid


def test_who_floods_is_told_when_to_come_back_and_may_then():
    scene = Scene()
    scene.wait(10.0)
    status, headers, body = scene.answers[flood(scene)]
    assert (status, headers["Retry-After"]) == (429, "1")
    assert json.loads(body)["type"] == "urn:relayproof:rate-limited"
    scene.wait(1.0)
    assert scene.call("GET", "/v1/sessions", scene.d["read"])[0] == 200


def test_a_refusal_by_rate_has_no_effect_and_a_retry_none_twice():
    scene = Scene()
    flood(scene)
    assert scene.message("m", "x", call=scene.code) == "rate-limited"
    scene.wait(1.0)
    assert scene.message("m", "x")[0] == 202
    assert names(scene, scene.watch()) == ["hello", "entry"]


def test_a_flood_delays_nobody_else():
    scene = Scene()
    flood(scene)
    assert scene.outbox((1, "update", {}))[0] == 200


def test_new_tokens_are_no_way_round_the_rate():
    scene = Scene()
    flood(scene)
    form = urlencode({"grant_type": "refresh_token", "refresh_token": scene.phone_credential, "scope": "device:read"})
    assert scene.code("POST", "/v1/token", body=form.encode()) == "rate-limited"


def test_an_approval_token_lives_two_minutes():
    scene = Scene()
    scene.outbox((1, "permission_request", ASKED))
    scene.wait(120.0)
    assert scene.decision("m", call=scene.code) == "token-expired"
    assert scene.message("m", "x")[0] == 202


@pytest.mark.parametrize("step_s", [-86_400.0, 0.0])
def test_no_restart_and_no_step_back_gives_an_expired_token_its_life_back(step_s):
    scene = Scene()
    scene.wait(601.0)
    again = Playbook(disk=scene.disk, at=5.0)
    again.wall = scene.wall + step_s
    assert again.code("GET", "/v1/sessions", scene.d["read"]) == "token-expired"


def test_a_restart_costs_no_token_its_life():
    scene = Scene()
    scene.wait(100.0)
    again = Playbook(disk=scene.disk, at=scene.awake)
    assert again.call("GET", "/v1/sessions", scene.d["read"])[0] == 200


def test_another_accounts_session_is_no_session():
    scene = Scene()
    stranger = scene.enrol("stranger", "device", account="b")
    for route in DOORS:
        if "{s}" in route.path and route.scope.startswith("device"):
            token = scene.token(stranger, route.scope)
            body = {
                "msg_id": "m",
                "request": "r",
                "option": "o",
                "digest": "d",
                "title": "t",
                "body": {"prompt": [{"type": "text", "text": ""}]},
            }
            foreign = scene.answers[scene.ask(route.method, route.path.replace("{s}", scene.session), token, body)]
            unknown = scene.answers[scene.ask(route.method, route.path.replace("{s}", "s_none"), token, body)]
            assert foreign == unknown
            assert foreign[0] == 404


def test_revocation_cuts_streams_and_new_requests():
    scene = Scene()
    watching = scene.watch()
    scene.put(Revoke(9999, "phone"))
    assert scene.told[9999] == {"revoked": 1}
    assert scene.events(watching)[-1][2]["reason"] == "token-revoked"
    assert watching in scene.closed
    assert scene.code("GET", "/v1/sessions", scene.d["read"]) == "token-revoked"
    assert scene.outbox()[0] == 200


def test_expiry_cuts_a_live_stream():
    scene = Scene()
    watching = scene.watch()
    scene.wait(600.0)
    assert scene.events(watching)[-1][2]["reason"] == "token-expired"
    assert watching in scene.closed


@pytest.mark.parametrize(
    ("fields", "version", "code"),
    [
        ({"plan": "free"}, "1", "plan-not-eligible"),
        ({"sign_in": "api_key"}, "1", "api-key-refused"),
        ({}, "0", "version-unsupported"),
    ],
)
def test_each_gate_has_its_own_answer(fields, version, code):
    play = Playbook()
    token = play.token(play.enrol("host", "host", **fields), "host:register")
    assert play.code("POST", "/v1/sessions", token, {"instance": "i", "incarnation": "1", "version": version}) == code


def test_unknown_paths_and_methods():
    scene = Scene()
    assert scene.code("GET", "/nothing") == "not-found"
    assert scene.code("GET", f"{scene.path}/nothing") == "not-found"
    assert scene.code("DELETE", "/v1/sessions") == "method-not-allowed"
    assert scene.answers[scene.rid][1]["Allow"] == "POST, GET"


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"msg_id":1}', b"\xff", b"[" * 100_000, b'{"a":' * 90 + b"1" + b"}" * 90]
)
@pytest.mark.parametrize("route", [route for route in DOORS if route.method == "POST"], ids=lambda route: route.action)
def test_a_bad_body_is_a_bad_request(route, body):
    scene = Scene()
    token = scene.token(
        scene.host_credential if route.scope.startswith("host") else scene.phone_credential, route.scope
    )
    assert scene.code("POST", route.path.replace("{s}", scene.session), token, body) == "bad-request"


# --- sessions


def test_the_same_incarnation_finds_its_session_again():
    scene = Scene()
    again = scene.register("1")
    assert (again["session"], again["epoch"]) == (scene.session, 1)


def test_a_new_incarnation_supersedes_the_old_one_everywhere():
    scene = Scene()
    watching, inbox = scene.watch(), scene.inbox()
    newer = scene.register("2")
    assert newer["epoch"] == 2
    assert scene.events(watching)[-1][2]["reason"] == "superseded"
    assert scene.events(inbox)[-1][2]["reason"] == "superseded"
    old = {"epoch": 1, "items": []}
    assert scene.code("POST", f"{scene.path}/outbox", scene.h["publish"], old) == "epoch-superseded"
    assert scene.code("GET", f"{scene.path}/inbox", scene.h["stream"], relay_epoch=1) == "epoch-superseded"
    register = {"instance": "i", "incarnation": "1"}
    assert scene.code("POST", "/v1/sessions", scene.h["register"], register) == "epoch-superseded"
    assert scene.message("m", "x", call=scene.code) == "session-ended"
    listed = scene.call("GET", "/v1/sessions", scene.d["read"])[1]["sessions"]
    assert [row["session"] for row in listed] == [newer["session"]]


def test_an_end_is_final_and_may_be_asked_twice():
    scene = Scene()
    end = ("POST", f"{scene.path}/end", scene.h["publish"], {"epoch": 1, "reason": "owner"})
    assert scene.call(*end) == scene.call(*end) == (200, {"seq": 1})
    assert scene.message("m", "x", call=scene.code) == "session-ended"
    assert names(scene, scene.watch()) == ["hello", "entry", "bye"]


def test_silence_ends_a_session_only_after_retention():
    scene = Scene(terms=Terms(retention_s=1000.0))
    scene.wait(999.0)
    scene.renew()
    assert scene.call("GET", "/v1/sessions", scene.d["read"])[1]["sessions"][0]["presence"]["state"] == "offline"
    scene.wait(2.0)
    presence = scene.call("GET", "/v1/sessions", scene.d["read"])[1]["sessions"][0]["presence"]
    assert (presence["state"], presence["reason"]) == ("ended", "presumed")
    scene.wait(1001.0)
    scene.renew()
    assert scene.call("GET", "/v1/sessions", scene.d["read"])[1]["sessions"] == []


# --- the log


def test_the_outbox_takes_each_item_once_and_no_gap():
    scene = Scene()
    assert scene.outbox((1, "update", {"x": 1}), (2, "update", {"x": 2})) == (200, {"upto": 2, "seq": 2})
    assert scene.outbox((2, "update", {"x": 2}), (3, "update", {"x": 3})) == (200, {"upto": 3, "seq": 3})
    status, problem = scene.outbox((5, "update", {}))
    assert (status, problem["expected"]) == (409, 4)


def test_a_host_cannot_speak_as_somebody_else():
    scene = Scene()
    assert scene.outbox((1, "permission_decision", {"request": "r", "option": "yes"}))[0] == 400
    assert scene.outbox((1, "ended", {"reason": "x"}))[0] == 400
    scene.outbox((1, "prompt", {"prompt": [{"type": "text", "text": "hi"}]}))
    assert scene.events(scene.watch())[-1][2]["author"] == "terminal"


def test_a_reader_resumes_behind_its_cursor():
    scene = Scene()
    live = scene.watch()
    scene.outbox(*[(n, "update", {"x": n}) for n in range(1, 6)])
    assert [id_ for _, id_, _ in scene.events(live)[1:]] == ["1", "2", "3", "4", "5"]
    resumed = scene.events(scene.watch(last_event_id=3))
    assert [id_ for _, id_, _ in resumed] == [None, "4", "5"]
    assert resumed[0][2]["gap"] is False
    beyond = scene.events(scene.watch(last_event_id=6))
    assert (beyond[0][2]["gap"], len(beyond)) == (True, 6)
    assert scene.watch(last_event_id="x") in scene.answers


def test_what_was_trimmed_is_an_honest_gap(monkeypatch):
    monkeypatch.setattr(limits, "LOG_ENTRIES_MAX", 3)
    scene = Scene()
    scene.outbox(*[(n, "update", {"x": n}) for n in range(1, 6)])
    for disk in (None, scene.disk):
        if disk is not None:
            scene.machine = Playbook(disk=disk).machine
        hello = scene.events(scene.watch(last_event_id=1))
        assert (hello[0][2]["gap"], hello[0][2]["first"], [i for _, i, _ in hello[1:]]) == (True, 3, ["3", "4", "5"])
        assert scene.events(scene.watch(last_event_id=2))[0][2]["gap"] is False


def test_the_inbox_carries_all_but_the_hosts_own_words():
    scene = Scene()
    inbox = scene.inbox()
    scene.outbox((1, "update", {}))
    scene.message("m", "hi")
    assert [(n, i) for n, i, _ in scene.events(inbox)] == [("hello", None), ("entry", "2")]


def test_a_long_replay_is_fed_in_slices(monkeypatch):
    monkeypatch.setattr(limits, "REPLAY_BYTES", 500)
    scene = Scene()
    scene.outbox(*[(n, "update", {"x": "y" * 100}) for n in range(1, 21)])
    watching = scene.watch()
    assert len(scene.events(watching)) < 10
    scene.outbox((21, "update", {}))
    for _ in range(20):
        scene.put(Flowed(watching, 0))
    assert [i for _, i, _ in scene.events(watching)[1:]] == [str(n) for n in range(1, 22)]


def test_a_slow_reader_is_sent_away_and_nobody_else():
    scene = Scene()
    slow, quick = scene.watch(), scene.watch()
    scene.put(Flowed(slow, limits.UNSENT_BYTES_MAX + 1))
    scene.outbox((1, "update", {}))
    assert scene.events(slow)[-1][2]["reason"] == "slow-consumer"
    assert scene.closed == [slow]
    assert names(scene, quick)[-1] == "entry"


# --- idempotency and decisions


def test_a_message_is_stored_once_whoever_repeats_it():
    scene = Scene()
    assert scene.message("m", "hi")[0] == 202
    scene.renew()
    status, answer = scene.message("m", "hi")
    assert (status, answer["seq"], answer["duplicate"]) == (200, 1, True)
    assert scene.message("m", "other", call=scene.code) == "msg-id-reused"
    scene.machine = Playbook(disk=scene.disk, at=scene.awake).machine
    assert scene.message("m", "hi")[1]["seq"] == 1


def test_the_key_is_per_device():
    scene = Scene()
    scene.message("m", "hi")
    tablet = scene.token(scene.enrol("tablet", "device"), "device:send")
    body = {"msg_id": "m", "body": {"prompt": [{"type": "text", "text": "yo"}]}}
    assert scene.call("POST", f"{scene.path}/messages", tablet, body)[0] == 202


def test_the_first_decision_wins_and_everybody_is_told():
    scene = Scene()
    scene.outbox((1, "permission_request", ASKED))
    watching = scene.watch()
    assert scene.events(watching)[0][2]["pending"] == [ASKED]
    assert scene.decision("a", digest="other", call=scene.code) == "digest-mismatch"
    assert scene.decision("b", option="maybe", call=scene.code) == "bad-request"
    assert scene.decision("c", request="q", call=scene.code) == "unknown-request"
    assert scene.decision("d")[0] == 200
    status, problem = scene.decision("e", option="no")
    assert (status, problem["decision"]) == (409, {"option": "yes", "author": "phone"})
    assert scene.decision("d")[1]["duplicate"] is True
    assert scene.events(watching)[-1][2]["kind"] == "permission_decision"
    assert scene.events(scene.watch())[0][2]["pending"] == []


def test_a_withdrawn_request_cannot_be_decided():
    scene = Scene()
    scene.outbox((1, "permission_request", ASKED), (2, "permission_withdrawn", {"request": "r"}))
    assert scene.decision("a", call=scene.code) == "request-withdrawn"


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["yes", "no"])), min_size=1, max_size=8))
def test_one_request_has_one_decision_in_any_race(tries):
    scene = Scene()
    scene.outbox((1, "permission_request", ASKED))
    for n, (who, option) in enumerate(tries):
        scene.decision(f"{who}{n}", option=option)
    decided = [data for _, _, data in scene.events(scene.watch())[1:] if data["kind"] == "permission_decision"]
    assert [entry["body"]["option"] for entry in decided] == [tries[0][1]]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from("xy"), st.booleans()), max_size=10))
def test_each_key_stands_for_one_entry_over_restarts(sends):
    scene, first = Scene(), {}
    for n, text, restart in sends:
        status, answer = scene.message(str(n), text)
        if n not in first:
            first[n] = (text, answer["seq"])
            assert status == 202
        elif first[n][0] == text:
            assert (status, answer["seq"]) == (200, first[n][1])
        else:
            assert status == 409
        if restart:
            scene.machine = Playbook(disk=scene.disk, at=scene.awake).machine
    stored = [int(i) for _, i, _ in scene.events(scene.watch())[1:]]
    assert stored == list(range(1, len(first) + 1))


# --- durability


def test_nothing_is_said_before_it_is_durable():
    scene = Scene()
    watching = scene.watch()
    scene.slow_disk = True
    body = {"msg_id": "m", "body": {"prompt": [{"type": "text", "text": "hi"}]}}
    sent = scene.ask("POST", f"{scene.path}/messages", scene.d["send"], body)
    late = scene.watch()
    assert sent not in scene.answers
    assert names(scene, watching) == ["hello"]
    assert late not in scene.streams
    scene.sync()
    assert scene.answers[sent][0] == 202
    assert names(scene, watching) == names(scene, late) == ["hello", "entry"]


def test_what_comes_during_a_commit_is_one_batch():
    scene = Scene()
    scene.slow_disk = True
    body = {"msg_id": "m", "body": {"prompt": [{"type": "text", "text": "hi"}]}}
    for n in range(5):
        scene.ask("POST", f"{scene.path}/messages", scene.d["send"], {**body, "msg_id": str(n)})
    assert len(scene.commit.records) == 1
    scene.slow_disk = False
    before = len(scene.disk)
    scene.sync()
    assert len(scene.disk) == before + 5


def test_a_failed_disk_acknowledges_nothing_any_more():
    scene = Scene()
    watching = scene.watch()
    scene.slow_disk = True
    body = {"msg_id": "m", "body": {"prompt": [{"type": "text", "text": "hi"}]}}
    sent = scene.ask("POST", f"{scene.path}/messages", scene.d["send"], body)
    scene.put(StorageFailed())
    assert json.loads(scene.answers[sent][2])["type"] == "urn:relayproof:storage-failed"
    assert watching in scene.closed
    assert scene.code("GET", "/v1/sessions", scene.d["read"]) == "storage-failed"


# --- presence, streams, time


def test_presence_follows_the_evidence():
    scene = Scene()
    watching = scene.watch()

    def state():
        return scene.machine.presences[scene.session].phase.value

    assert state() == "connecting"
    inbox = scene.inbox()
    assert state() == "online"
    scene.outbox(heard_s=31.0)
    assert state() == "degraded"
    scene.outbox(heard_s=2.0)
    assert state() == "online"
    scene.put(Gone(inbox))
    assert state() == "degraded"
    scene.wait(31.5)
    assert state() == "offline"
    told = [data for name, _, data in scene.events(watching) if name == "presence"]
    assert [row["state"] for row in told] == ["online", "degraded", "online", "degraded", "offline"]
    assert told[-1]["reason"] == "closed"


def test_a_half_open_inbox_does_not_make_a_host_online():
    scene = Scene()
    scene.inbox()
    scene.outbox()
    scene.wait(30.0)
    assert scene.machine.presences[scene.session].phase.value == "online"
    scene.wait(1.5)
    presence = scene.machine.presences[scene.session]
    assert (presence.phase.value, presence.reason) == ("offline", "silent")


def test_a_word_after_a_silence_proves_nothing_of_the_inbox_before_it():
    scene = Scene()
    before = scene.inbox()
    scene.outbox()
    scene.wait(31.5)
    scene.outbox()
    assert before in scene.closed
    assert scene.events(before)[-1][2]["reason"] == "stale"
    assert scene.machine.presences[scene.session].phase.value == "degraded"
    scene.inbox()
    assert scene.machine.presences[scene.session].phase.value == "online"


def test_a_word_from_before_another_proves_nothing_and_is_stored_all_the_same():
    scene = Scene()
    scene.inbox()
    scene.outbox(beat=2)
    scene.wait(20.0)
    assert scene.outbox((1, "update", {"a": 1}), beat=1, heard_s=40.0)[1]["upto"] == 1
    assert scene.machine.presences[scene.session].phase.value == "online"
    scene.wait(11.5)
    assert scene.machine.presences[scene.session].phase.value == "offline"


@pytest.mark.parametrize("beats", [(2, 3), (0, 0)], ids=["a newer one", "of a host that counts nothing"])
def test_a_word_that_is_not_late_keeps_a_host_online(beats):
    scene = Scene()
    scene.inbox()
    for beat in beats:
        scene.outbox(beat=beat)
        scene.wait(20.0)
    assert scene.machine.presences[scene.session].phase.value == "online"


def test_a_stream_beats():
    scene = Scene()
    watching = scene.watch()
    scene.wait(31.0)
    assert scene.streams[watching].count(b": hb\n\n") == 2


def test_a_newer_inbox_replaces_the_older():
    scene = Scene()
    older, newer = scene.inbox(), scene.inbox()
    assert scene.events(older)[-1][2]["reason"] == "replaced"
    scene.put(Gone(older))
    scene.message("m", "hi")
    assert names(scene, newer)[-1] == "entry"
    assert scene.machine.presences[scene.session].phase.value == "online"


def test_a_bounded_poll_answers_with_what_is_new_or_at_its_end():
    scene = Scene()
    assert names(scene, scene.watch(prefer="wait=20")) == ["hello"]
    waiting = scene.watch(prefer="wait=20", last_event_id=0)
    assert waiting not in scene.answers
    scene.message("m", "hi")
    assert names(scene, waiting) == ["hello", "entry"]
    empty = scene.watch(prefer="wait=20", last_event_id=1)
    scene.wait(20.0)
    assert names(scene, empty) == ["hello"]


def test_a_host_on_polls_is_online_between_them():
    scene = Scene()
    for _ in range(6):
        poll = scene.inbox(prefer="wait=20", last_event_id=0)
        scene.wait(20.0)
        assert names(scene, poll) == ["hello"]
        scene.outbox()
        assert scene.machine.presences[scene.session].phase.value == "online"


def test_a_draining_relay_sends_everybody_away():
    scene = Scene()
    watching = scene.watch()
    scene.put(Drain(7.0))
    assert scene.events(watching)[-1][2] == {"reason": "draining", "retry_after_s": 7.0}
    assert scene.code("GET", "/v1/sessions", scene.d["read"]) == "draining"
    assert scene.answers[scene.rid][1]["Retry-After"] == "7"
