import itertools
import json

import pytest

from reference.protocol import client_io, host_io
from reference.protocol.client import ProtocolError
from reference.protocol.client_io import (
    Answered,
    Call,
    CallFailed,
    DropStream,
    Exit,
    HangUp,
    OpenStream,
    Reply,
    StreamEnded,
    StreamOpened,
    StreamSent,
    Tell,
    Tick,
)
from reference.protocol.host import HostMachine
from reference.protocol.host_io import (
    AgentEnded,
    AgentSaid,
    Contract,
    LaunchAgent,
    Press,
    Rename,
    Start,
    Stop,
    ToAgent,
    Type,
)
from reference.protocol.host_state import HANDLERS, IGNORED, Phase
from tests.reference.protocol.client_playbook import PROBLEM, Playbook, of, sse

OPTIONS = [
    {"optionId": "allow", "name": "Allow", "kind": "allow_once"},
    {"optionId": "reject", "name": "No", "kind": "reject_once"},
]


def said(text):
    update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
    return AgentSaid({"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s", "update": update}})


def asked(number=7, tool="rm -rf build"):
    params = {
        "sessionId": "s",
        "toolCall": {"toolCallId": "c", "title": tool, "rawInput": {"command": tool}},
        "options": OPTIONS,
    }
    return AgentSaid({"jsonrpc": "2.0", "id": number, "method": "session/request_permission", "params": params})


def entry(seq, kind, body, epoch=1, author="phone"):
    data = {
        "session": "s1",
        "epoch": epoch,
        "seq": seq,
        "author": author,
        "msg_id": f"m{seq}",
        "at": 0,
        "kind": kind,
        "body": body,
    }
    return sse("entry", data, seq)


def prompt(seq, text):
    return entry(seq, "prompt", {"prompt": [{"type": "text", "text": text}]})


class HostBook(Playbook):
    def __init__(self, machine=HostMachine, **options):
        super().__init__(machine, **options)
        self.stored = []
        self.relay["sessions"] = lambda _: (
            201,
            {"session": "s1", "epoch": 1, "seq": 0, "upto": 0, "url": "https://relay/s1"},
        )
        self.relay["outbox"] = self._outbox
        self.relay["end"] = lambda _: (200, {"seq": 1})

    def _outbox(self, call):
        known = len(self.stored)
        self.stored += [item for item in json.loads(call.body)["items"] if item["n"] > known]
        return 200, {"upto": len(self.stored), "seq": len(self.stored)}

    def starts(self, **options):
        start = Start(1, "i", "title", "/w", "rcr_x", **options)
        return self.give(start)

    def online(self, **options):
        told = self.starts(**options)
        told += self.opens()
        told += self.reads(
            sse("hello", {"session": "s1", "epoch": 1, "seq": 0, "first": 1, "gap": False, "pending": []})
        )
        for _ in range(2):
            hello = self.last(ToAgent).message
            result = {"sessionId": "s"} if hello["method"] == "session/new" else {"protocolVersion": 1}
            told += self.give(AgentSaid({"jsonrpc": "2.0", "id": hello["id"], "result": result}))
        return told

    def states(self):
        return [effect.data["state"] for effect in of(Tell, self.effects) if effect.event == "status"]

    def kinds(self):
        return [item["kind"] for item in self.stored]


@pytest.fixture
def book():
    return HostBook()


def test_it_registers_launches_its_agent_and_opens_its_inbox(book):
    told = book.online()
    assert of(Reply, told) == [Reply(1, {"session": "s1", "url": "https://relay/s1"})]
    assert of(LaunchAgent, told) == [LaunchAgent("/w")]
    assert of(OpenStream, told)[0].path == "/v1/sessions/s1/inbox"
    assert ("Last-Event-ID", "0") in of(OpenStream, told)[0].headers
    assert book.states() == ["online"]


def test_a_heartbeat_goes_up_each_fifteen_seconds_and_says_what_was_heard(book):
    book.online()
    before = len(book.calls)
    book.beats(150.0)
    beats = [json.loads(call.body) for call in book.calls[before:] if call.path.endswith("outbox")]
    assert len(beats) == 10
    assert all(beat["items"] == [] and beat["heard_s"] <= 15.0 for beat in beats)
    assert [beat["beat"] for beat in beats] == list(range(beats[0]["beat"], beats[0]["beat"] + 10))
    assert book.states() == ["online"]


def test_what_is_said_in_an_outage_is_kept_and_goes_up_in_order(book):
    book.online()
    relay = dict(book.relay)
    book.unreachable()
    for n in range(5):
        book.give(said(f"line {n}"))
    book.passes(60.0)
    book.relay |= relay
    book.passes(60.0)
    assert [item["body"]["content"]["text"] for item in book.stored] == [f"line {n}" for n in range(5)]
    assert [item["n"] for item in book.stored] == [1, 2, 3, 4, 5]


def test_a_lost_answer_is_asked_again_under_the_same_numbers(book):
    book.online()
    lost = book.relay.pop("outbox")
    book.give(said("once"))
    lost(book.calls[-1])
    book.relay["outbox"] = lost
    book.fails()
    book.passes(5.0)
    assert len(book.stored) == 1
    assert len(book.machine.outbox) == 0


def under_way(machine):
    return len(machine._calls) + (machine.candidate is not None)


def test_while_nobody_is_reached_one_attempt_of_any_lane_is_under_way_at_a_time(book):
    book.online()
    book.unreachable()
    book.give(said("x"))
    book.passes(60.0)
    seen = [under_way(book.machine) for _ in range(500) if book.passes(1.0) is not None]
    assert set(seen) == {0, 1}


def cut_off(book):
    """Online, then five minutes in which nobody is reached and something is said; returns what the relay answers when it is back."""
    book.online()
    relay = dict(book.relay)
    book.unreachable()
    book.give(said("x"))
    book.passes(300.0)
    return relay


def until(book, holds):
    while not holds():
        book.passes(0.1)


def test_after_an_outage_every_lane_tries_at_once(book):
    book.relay |= cut_off(book)
    until(book, lambda: book.machine.candidate is not None)
    book.opens()
    assert [item["body"]["content"]["text"] for item in book.stored] == ["x"]


def beats_of(calls):
    return [json.loads(call.body) for call in calls if call.path.endswith("outbox")]


def test_a_post_that_left_before_the_inbox_was_back_is_corrected_at_once(book):
    relay = cut_off(book)
    book.relay |= {name: answer for name, answer in relay.items() if name != "outbox"}
    until(book, lambda: book.machine.candidate is not None and book.machine.lane("outbox").call is not None)
    posted = next(call for call in reversed(book.calls) if call.path.endswith("outbox"))
    assert json.loads(posted.body)["heard_s"] >= 300.0
    book.opens()
    before, book.relay = len(book.calls), relay
    status, body = relay["outbox"](posted)
    book.give(book.answered(posted, status, body))
    assert [(beat["items"], beat["heard_s"]) for beat in beats_of(book.calls[before:])] == [([], 0.0)]
    book.beats(60.0)
    assert len(beats_of(book.calls[before:])) == 1 + 4


def test_a_relay_that_knows_of_the_outage_is_told_no_more_than_that_the_inbox_is_asked_for(book):
    book.relay |= cut_off(book)
    until(book, lambda: book.stored)
    book.passes(1.0)
    before = len(book.calls)
    until(book, lambda: book.machine.candidate is not None)
    book.opens()
    assert beats_of(book.calls[before:]) == []


def test_a_host_that_woke_without_a_network_tells_of_its_inbox_as_soon_as_that_is_back(book):
    book.online()
    relay = dict(book.relay)
    book.unreachable()
    book.sleeps(60.0)
    book.give(Tick())
    outbox = book.machine.lane("outbox")
    book.give(CallFailed(outbox.call, "no route"))
    book.relay |= relay
    before = len(book.calls)
    book.opens()
    book.passes(5.0)
    assert len(beats_of(book.calls[before:])) == 1


@pytest.mark.parametrize("kept", [0, 1])
def test_a_relay_that_misses_what_was_not_yet_sent_is_asked_again_with_growing_pauses(book, kept):
    book.online()
    before = len(book.calls)
    book.relay["outbox"] = book.refuses("outbox-gap", expected=book.machine.outbox.first)
    for number in range(kept):
        book.give(said(f"line {number}"))
    book.beats(60.0)
    assert 2 <= len(beats_of(book.calls[before:])) <= 20


def test_posts_in_vain_beside_a_living_inbox_keep_to_the_back_off(book):
    book.online()
    before = len(book.calls)
    book.relay["outbox"] = book.refuses("storage-failed", retry_after_s=10)
    book.beats(120.0)
    assert 2 <= len(beats_of(book.calls[before:])) <= 20


def test_a_token_that_died_in_an_outage_costs_no_long_pause(book):
    book.online()
    relay = dict(book.relay)
    book.unreachable()
    book.passes(300.0)
    book.relay |= relay
    while book.machine.candidate is None:
        book.passes(0.1)
    refused = json.dumps({"type": "urn:relayproof:token-expired", "title": "no"}).encode()
    book.give(StreamOpened(book.machine.candidate.id, 401, PROBLEM, refused))
    book.passes(book.machine.timers.backoff_base_s)
    assert book.machine.candidate is not None


@pytest.mark.parametrize(("gap_s", "is_over"), [(599.0, False), (601.0, True)])
def test_the_ten_minutes_count_from_last_heard_while_awake(book, gap_s, is_over):
    book.online()
    book.unreachable()
    heard_at = book.awake
    told = book.tick_until(heard_at + gap_s)
    assert bool(of(Exit, told)) == is_over
    if is_over:
        assert of(Exit, told)[0].code == 75
        assert book.states()[-1] == "ended"


def test_any_word_of_the_relay_starts_the_ten_minutes_over(book):
    book.online()
    book.unreachable()
    book.tick_until(book.awake + 560.0)
    while not book.machine._calls:
        book.passes(1.0)
    call = book.calls[-1]
    book.give(Answered(call.call, 503, PROBLEM, json.dumps({"type": "urn:relayproof:draining"}).encode()))
    assert not of(Exit, book.passes(590.0))


@pytest.mark.parametrize("status", [200, 302, 401, 403, 404, 409, 410, 503])
def test_a_word_that_is_not_the_relays_changes_nothing(book, status):
    book.online()
    book.unreachable()
    book.give(said("x"))
    heard = book.machine.heard_s
    told = book.give(
        Answered(book.calls[-1].call, status, {"content-type": "text/html"}, b"<html>urn:relayproof:session-ended")
    )
    assert not of(Exit, told)
    assert book.machine.heard_s == heard
    assert len(book.machine.outbox) == 1


def test_a_profile_that_retries_never_exits(book):
    book.online(contract=Contract(on_outage="retry"))
    book.unreachable()
    assert not of(Exit, book.passes(5_000.0))
    assert book.states()[-1] == "offline"


def test_sleep_is_no_outage_and_a_wake_waits_for_no_timer(book):
    book.online()
    book.sleeps(8 * 3600.0)
    told = book.passes(2.0)
    assert of(HangUp, told)
    # The tokens have died in the sleep: a new one first, then the inbox, both without delay.
    assert of(OpenStream, told)
    assert not of(Exit, book.passes(5.0))


def test_a_wake_in_an_outage_tries_at_once(book):
    book.online()
    book.unreachable()
    while book.machine._way.until_s < book.awake + 5.0:
        book.passes(5.0)
    book.sleeps(3600.0)
    told = book.passes(2.0)
    assert of(OpenStream, told) or of(Call, told)


def test_a_stop_of_the_process_is_like_a_sleep(book):
    book.online()
    book.awake += 3600.0
    told = book.give(Tick())
    assert of(HangUp, told)
    assert not of(Exit, told)


def test_silence_of_the_inbox_is_noticed(book):
    book.online()
    told = book.passes(31.0)
    assert of(DropStream, told)
    assert of(OpenStream, told + book.passes(2.0))
    assert book.states()[-1] == "degraded"


def test_renewal_makes_before_it_breaks(book):
    book.online()
    first = book.machine.live.id
    told = []
    while not of(OpenStream, told):
        told = book.beats(5.0, 5.0)
    assert 1300.0 <= book.awake <= 1495.0
    assert not of(DropStream, told)
    assert book.machine.live.id == first
    told = book.opens()
    assert of(DropStream, told) == [DropStream(first)]
    assert book.states() == ["online"]


@pytest.mark.parametrize(
    ("then", "states"),
    [(lambda book: book.opens(), ["online"]), (lambda book: book.passes(11.0), ["online", "degraded"])],
    ids=["its relief comes", "no relief comes"],
)
def test_a_renewal_whose_old_stream_ends_first_is_a_loss_only_if_no_new_one_comes(book, then, states):
    book.online()
    first = book.machine.live.id
    while not of(OpenStream, book.beats(5.0, 5.0)):
        pass
    book.reads(sse("bye", {"reason": "replaced"}))
    book.give(StreamEnded(first))
    then(book)
    assert book.states() == states


def test_a_middlebox_that_buffers_is_answered_with_polls(book):
    book.starts()
    stream = book.last(OpenStream).stream
    book.give(StreamSent(stream))
    told = book.passes(5.0)
    assert ("Prefer", "wait=1") in of(OpenStream, told)[0].headers
    book.passes(1.0)
    book.opens()
    book.give(StreamEnded(book.machine.live.id))
    assert book.machine.status[0] == "online"
    assert "poll" in book.machine.status[1]
    assert ("Prefer", "wait=20") in book.last(OpenStream).headers
    for _ in range(6):
        book.passes(12.0)
        book.opens()
        if book.machine.live.poll:
            book.give(StreamEnded(book.machine.live.id))
    assert not book.machine.live.poll
    assert book.machine.status == ("online", "")


def test_a_network_that_is_down_is_not_taken_for_a_buffering_middlebox(book):
    book.starts()
    told = book.passes(9.0)
    assert len(of(OpenStream, told)) == 0
    assert book.machine.polling_until_s is None


def test_prompts_are_applied_once_one_at_a_time(book):
    book.online()
    book.reads(prompt(3, "a"), prompt(4, "b"), prompt(3, "a"), prompt(4, "b"))
    prompts = [word.message for word in of(ToAgent, book.effects) if word.message.get("method") == "session/prompt"]
    assert [word["params"]["prompt"][0]["text"] for word in prompts] == ["a"]
    book.give(AgentSaid({"jsonrpc": "2.0", "id": prompts[0]["id"], "result": {"stopReason": "end_turn"}}))
    receipts = [(item["body"]["of"], item["body"]["stage"]) for item in book.stored if item["kind"] == "receipt"]
    assert receipts == [(3, "host_received"), (4, "host_received"), (3, "host_applied")]
    assert book.last(ToAgent).message["params"]["prompt"][0]["text"] == "b"


def test_what_was_typed_at_the_terminal_is_not_applied_again_when_the_log_brings_it_back(book):
    book.online()
    book.give(Type(9, "a"))
    typed = next(item["body"] for item in book.stored if item["kind"] == "prompt")
    book.reads(entry(3, "prompt", typed, author="terminal"))
    prompts = [word.message for word in of(ToAgent, book.effects) if word.message.get("method") == "session/prompt"]
    book.give(AgentSaid({"jsonrpc": "2.0", "id": prompts[0]["id"], "result": {"stopReason": "end_turn"}}))
    prompts = [word.message for word in of(ToAgent, book.effects) if word.message.get("method") == "session/prompt"]
    assert [word["params"]["prompt"][0]["text"] for word in prompts] == ["a"]
    assert [item for item in book.stored if item["kind"] == "receipt"] == []


def test_a_malformed_prompt_fails_and_nothing_else_happens(book):
    book.online()
    book.reads(entry(2, "prompt", {"prompt": "no list"}))
    assert book.stored[-1]["body"]["stage"] == "failed"
    assert book.machine.phase is Phase.LIVE


def decision(book, seq=5, option="allow", epoch=1, **changed):
    request = next(item["body"] for item in book.stored if item["kind"] == "permission_request")
    body = {"request": request["request"], "option": option, "digest": request["digest"], **changed}
    return entry(seq, "permission_decision", body, epoch)


def outcomes(effects):
    return [word.message["result"]["outcome"] for word in of(ToAgent, effects) if "result" in word.message]


def test_a_decision_reaches_the_agent_exactly_once(book):
    book.online()
    book.give(asked())
    assert outcomes(book.effects) == []
    told = book.reads(decision(book, 5), decision(book, 5), decision(book, 6, "reject"))
    assert outcomes(told) == [{"outcome": "selected", "optionId": "allow"}]
    assert [item["body"]["stage"] for item in book.stored if item["kind"] == "receipt"] == ["host_applied", "failed"]


@pytest.mark.parametrize("changed", [{"digest": "0" * 64}, {"option": "allow-everything"}, {"epoch": 0}])
def test_a_decision_in_doubt_is_a_no(book, changed):
    book.online()
    book.give(asked())
    told = book.reads(decision(book, **changed))
    assert outcomes(told) == [{"outcome": "cancelled"}]


def test_a_decision_about_nothing_reaches_nobody(book):
    book.online()
    book.give(asked())
    assert outcomes(book.reads(decision(book, request="q1-99"))) == []


def test_a_pending_question_survives_a_reconnect(book):
    book.online()
    book.give(asked())
    book.give(StreamEnded(book.machine.live.id, "reset"))
    book.passes(3.0)
    book.opens()
    assert outcomes(book.reads(decision(book))) == [{"outcome": "selected", "optionId": "allow"}]


def test_a_question_taken_back_is_withdrawn_and_never_answered(book):
    book.online()
    book.give(asked())
    book.give(AgentSaid({"jsonrpc": "2.0", "method": "$/cancel_request", "params": {"id": 7}}))
    assert book.kinds() == ["permission_request", "permission_withdrawn"]
    assert outcomes(book.reads(decision(book))) == []


def test_history_goes_up_first(book):
    book.online(history=({"role": "user", "text": "hi"}, {"role": "agent", "text": "hello"}))
    book.give(said("live"))
    assert book.kinds() == ["prompt", "update", "update"]


@pytest.mark.parametrize(
    ("code", "exit_code"),
    [
        ("epoch-superseded", 69),
        ("session-ended", 69),
        ("unknown-session", 69),
        ("plan-not-eligible", 77),
        ("api-key-refused", 77),
    ],
)
def test_the_relays_word_ends_it(book, code, exit_code):
    book.online()
    book.relay["outbox"] = book.refuses(code)
    over = of(Exit, book.give(said("x")))[0]
    assert (over.code, over.reason) == (exit_code, code)


@pytest.mark.parametrize("code", ["token-revoked", "token-unknown", "token-expired"])
def test_only_the_token_endpoint_can_say_that_the_enrolment_is_gone(book, code):
    book.online()
    book.relay["outbox"] = book.refuses(code)
    assert not of(Exit, book.give(said("x")))
    book.relay["token"] = book.refuses(code)
    over = of(Exit, book.passes(5.0))[0]
    assert (over.code, over.reason) == (77, code)


def test_gates_at_the_start_are_replied_with_their_code(book):
    book.relay["sessions"] = book.refuses("plan-not-eligible")
    told = book.starts()
    assert of(Reply, told)[0].err["code"] == "plan-not-eligible"
    assert of(Exit, told)[0].code == 77
    assert not of(LaunchAgent, told)


def test_skipping_permissions_is_refused_before_anything_is_asked(book):
    told = book.starts(permissions="skip")
    assert not of(Call, told)
    assert of(Exit, told)[0].code == 64


@pytest.mark.parametrize(("reason", "code"), [("superseded", 69), ("ended", 69)])
def test_a_final_bye_ends_it(book, reason, code):
    book.online()
    assert of(Exit, book.reads(sse("bye", {"reason": reason})))[0].code == code


def test_draining_is_obeyed_to_the_second(book):
    book.online()
    book.reads(sse("bye", {"reason": "draining", "retry_after_s": 20}))
    assert not of(OpenStream, book.passes(19.9))
    assert of(OpenStream, book.passes(2.0))


def test_a_graceful_stop_brings_up_what_is_unsent_then_tells_the_relay(book):
    book.online()
    outbox = book.relay.pop("outbox")
    book.give(said("last words"))
    book.give(Stop(2, "graceful"))
    assert not of(Exit, book.effects)
    book.relay["outbox"] = outbox
    told = book.fails() + book.passes(1.5)
    assert [item["kind"] for item in book.stored] == ["update"]
    assert json.loads(book.calls[-1].body)["reason"] == "owner"
    assert of(Exit, told)[0].code == 0


def test_a_stop_without_a_network_is_bounded(book):
    book.online()
    book.unreachable()
    book.give(Stop(2, "terminal_closed"))
    assert of(Exit, book.passes(1.0))[0].code == 0


def test_an_agent_that_ends_takes_the_session_with_it(book):
    book.online()
    assert of(Exit, book.give(AgentEnded()))[0].code == 70


def test_a_lost_outbox_at_the_relay_is_said(book):
    book.online()
    book.give(said("stored"))
    book.relay["outbox"] = book.refuses("outbox-gap", expected=1)
    assert of(Exit, book.give(said("next")))[0].reason == "outbox-lost"


def test_the_terminal_cannot_be_spoofed(book):
    book.online()
    book.give(said("\x1b[2Jok\u202e"))
    assert "\x1b" not in book.machine.lines[-1]
    assert "\u202e" not in book.machine.lines[-1]


def test_a_refused_stream_by_somebody_else_is_tried_again(book):
    book.starts()
    book.give(StreamOpened(book.last(OpenStream).stream, 403, {"content-type": "text/html"}, b"blocked"))
    assert of(OpenStream, book.passes(2.0))


INPUTS = {
    Tick: Tick(),
    Answered: Answered(99, 200, {}, b""),
    CallFailed: CallFailed(99, ""),
    StreamSent: StreamSent(99),
    StreamOpened: StreamOpened(99, 200, {}),
    client_io.StreamBytes: client_io.StreamBytes(99, b""),
    StreamEnded: StreamEnded(99),
    Start: Start(9, "i", "t", "/", "c"),
    Rename: Rename(9, "t"),
    Type: Type(9, "t"),
    Press: Press(9, "space"),
    Stop: Stop(9, "graceful"),
    AgentSaid: AgentSaid({}),
    AgentEnded: AgentEnded(),
}


def in_phase(phase):
    book = HostBook()
    if phase is Phase.STARTING:
        book.relay.pop("sessions")
        book.starts()
    elif phase is not Phase.IDLE:
        book.online()
    if phase in (Phase.STOPPING, Phase.OVER):
        if phase is Phase.STOPPING:
            book.unreachable()
        book.give(Stop(2, "graceful"))
    assert book.machine.phase is phase
    return book


@pytest.mark.parametrize(("phase", "kind"), list(itertools.product(Phase, INPUTS)))
def test_every_input_in_every_phase_is_in_the_table_or_ignored_by_name_or_an_error(phase, kind):
    book = in_phase(phase)
    pair = (phase, kind)
    assert not (pair in HANDLERS and pair in IGNORED)
    if pair in HANDLERS or pair in IGNORED:
        book.give(INPUTS[kind])
    else:
        with pytest.raises(ProtocolError):
            book.give(INPUTS[kind])


def test_the_table_names_methods_that_exist():
    assert all(callable(getattr(HostMachine, name)) for name in HANDLERS.values())
    assert {kind for _, kind in HANDLERS} | {Tick} == set(INPUTS)
    assert host_io.Start in INPUTS


def test_a_success_that_is_nobodys_is_asked_again_with_growing_pauses():
    book = HostBook()
    book.relay["token"] = lambda call: (200, {"echo": call.path})
    book.starts()
    began = book.awake
    book.tick_until(began + 60.0)
    assert 2 <= len(book.calls) <= 12
