"""The wire world whole: real processes, the real Toxiproxy, the real mitmproxy. Needs the extra ``wire``, and Go or toxiproxy-server."""

import os
import signal
import socket
import tempfile
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.base.errors import WorldError
from harness.base.verdict import Verdict
from harness.history.plan import Actor
from harness.scenario.expand import plans

pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("mitmproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.run.judge import judge
from harness.worlds.wire import guard, operations, roles, world
from harness.worlds.wire.disk import Disk
from harness.worlds.wire.firewall import Firewall
from harness.worlds.wire.haste import BRISK, HASTE, Haste
from harness.worlds.wire.namespaces import Namespaces, unavailable
from harness.worlds.wire.preflight import Clocking
from harness.worlds.wire.process_table import everybody
from harness.worlds.wire.proxy import Middlebox
from harness.worlds.wire.resolver import Names
from harness.worlds.wire.routed import Routed
from harness.worlds.wire.stage import WireStage
from harness.worlds.wire.tap import Tap
from harness.worlds.wire.toxiproxy import LinkProxy, Shape
from harness.worlds.wire.warp import WorldClock
from harness.worlds.wire.world import WireWorld

pytestmark = pytest.mark.usefixtures("toxiproxy_server")

SCENARIOS = Path(__file__).parents[4] / "scenarios"


@pytest.fixture
def own_tmp(monkeypatch):
    """Where temporary files are, for this test alone; others of this machine may have worlds of their own. Its path is short, as sockets need it."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


@pytest.mark.slow
def test_eight_minutes_of_outage_cost_nothing_and_leave_nothing(own_tmp):
    plan = next(plan for plan in plans(SCENARIOS / "outage" / "ten-minute-outage.yaml") if "eight" in plan.id)
    history = WireWorld().run(plan)
    found = judge(history)
    assert found.verdict is Verdict.PASS, found
    assert 480.0 < history.footer.simulated_s < 600.0
    assert history.footer.wall_s < 60.0
    tried = [event.data for event in history.events if event.what == "socket.attempted"]
    assert sum(one["bytes"] for one in tried) > 0
    assert sum(one["passed"] for one in tried) == 0
    assert list(own_tmp.iterdir()) == []


MINUTES = b"""
scenario: minutes
about: Two minutes go by.
cast: {host: sut, relay: reference, phone: reference}
story:
  - host.says: one
  - phone.sees: one
  - wait: 2m
expect:
  - {phone.sees: one, times: 1, proves: RC-ORD-001.no-loss}
"""


@pytest.mark.slow
def test_a_page_that_stands_is_found_out(monkeypatch):
    monkeypatch.setattr(WorldClock, "tell", lambda _self: None)
    (plan,) = plans(MINUTES, world="wire")
    found = judge(WireWorld().run(plan))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert Verdict.PASS not in {one.verdict for one in found.findings}
    assert "not-assessable" in {one.code for one in found.findings}


@pytest.mark.slow
def test_proxies_in_our_own_environment_disturb_nothing(monkeypatch):
    (plan,) = plans(MINUTES, world="wire")
    with socket.create_server(("127.0.0.1", 0)) as trap:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{trap.getsockname()[1]}")
            monkeypatch.setenv(name.lower(), f"http://127.0.0.1:{trap.getsockname()[1]}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        assert judge(WireWorld().run(plan)).verdict is Verdict.PASS
        trap.settimeout(0.0)
        with pytest.raises(BlockingIOError):
            trap.accept()


def test_a_folder_in_which_no_socket_can_be_is_an_error_with_its_remedy_and_left_empty(own_tmp, monkeypatch):
    place = own_tmp / ("long" * 20)
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    with pytest.raises(WorldError, match=r"host\.agent .*: set TMPDIR to a shorter folder"):
        WireWorld().run(*plans(MINUTES, world="wire"))
    assert list(place.iterdir()) == []


@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
@pytest.mark.parametrize("room", ["none", "a little"])
def test_a_temporary_folder_without_room_is_an_error_with_its_remedy(room, own_tmp, monkeypatch):
    place = own_tmp / "full"
    full = Disk(place)
    (place / "of somebody else").write_text("x")
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    if room == "a little":
        monkeypatch.setattr(
            world, "clocking_of", lambda _command: (full.is_full or full.fill(), Clocking(follows=True))[1]
        )
    else:
        full.fill()
    try:
        with pytest.raises(WorldError, match=f"no room is left in {place}: make some, or set TMPDIR"):
            WireWorld().run(*plans(MINUTES, world="wire"))
        assert [one.name for one in place.iterdir()] == ["of somebody else"]
    finally:
        guard.main([f"disk {place}\n"])


def children():
    return {one.pid: one for one in everybody() if one.parent == os.getpid()}


def harmed(who, number):
    """Play a plan, and do harm to one of our own processes four seconds after it was started."""

    def harm():
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = [one for one in children().values() if who in one.read("cmdline")]
            if found:
                time.sleep(4)
                os.kill(found[0].pid, number)
                return
            time.sleep(0.1)

    (plan,) = plans(MINUTES, world="wire")
    before = children().keys()  # a test before this one may have a pool of workers
    thread = threading.Thread(target=harm)
    thread.start()
    try:
        return judge(WireWorld().run(plan)).verdict
    finally:
        thread.join()
        assert [one.command for pid, one in children().items() if pid not in before] == []


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
@pytest.mark.parametrize(
    ("who", "message"), [(b"toxiproxy-server", "toxiproxy"), (b"tap_process", "the tap")], ids=["toxiproxy", "tap"]
)
def test_harm_to_our_own_is_an_error_of_ours(who, number, message):
    with pytest.raises(WorldError, match=message):
        harmed(who, number)


def test_what_cannot_be_assessed_is_not_played(monkeypatch):
    monkeypatch.setattr(world, "clocking_of", lambda _command: Clocking(follows=False, why="a sundial"))
    (plan,) = plans(MINUTES.replace(b"2m", b"12m"), world="wire")
    found = judge(WireWorld().run(plan))
    assert found.verdict is Verdict.INCONCLUSIVE
    assert "a sundial; the story takes 740 s at least" in found.first_failure.message
    assert "by the verb `clock`" in found.first_failure.message


@pytest.mark.slow
@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
@pytest.mark.parametrize("broken", ["", "holds nothing", "loses it"])
def test_what_is_held_comes_later_and_a_hold_that_does_not_hold_or_loses_is_found_out(broken, monkeypatch):
    if broken == "holds nothing":
        monkeypatch.setattr(LinkProxy, "stand", lambda *_: None)
    if broken == "loses it":
        monkeypatch.setitem(operations._BLOCKS, "hold", operations._drop)
    (plan,) = (one for one in plans(SCENARIOS / "session/rename-while-cut-off.yaml") if "held" in one.id)
    history = WireWorld().run(plan)
    found = judge(history)
    assert (found.verdict is Verdict.PASS) is (not broken), found
    assert [fault.evidence.bit for fault in found.evidence] == [not broken]
    assert any(event.what == "link.kept" for event in history.events) is (not broken)


def role(monkeypatch, at=0.0):
    monkeypatch.setattr(roles.time, "monotonic", lambda: at)
    made = roles.Role(Actor("host", "host", "sut"), (), {}, None, None, lambda *_, **__: None, lambda: None, None, None)
    made.alive, made._booted_at = True, 0.0
    return made


def test_a_program_starts_until_it_has_answered_what_opens_the_story(monkeypatch):
    one = role(monkeypatch)
    assert not one.is_starting
    hello, start = one.call("hello", {}), one.call("start", {})
    hello.answer({"ok": {}})
    assert one.is_starting
    start.answer({"ok": {}})
    assert not one.is_starting
    one.call("send", {})
    assert not one.is_starting


def test_a_program_that_said_that_it_ends_gets_true_time_until_it_has_or_for_a_while(monkeypatch):
    one = role(monkeypatch)
    one._saw({"ev": "status", "state": "ended"})
    assert not one.needs_true_time
    one._saw({"ev": "exiting", "code": 75})
    assert one.needs_true_time
    one.alive = False
    assert not one.needs_true_time
    one.alive = True
    monkeypatch.setattr(roles.time, "monotonic", lambda: roles.LEAVING_S)
    assert not one.needs_true_time


@pytest.mark.parametrize("verb", ["hello", "start"])
def test_whoever_was_started_by_the_opening_or_by_a_fault_is_listening(monkeypatch, verb):
    one = role(monkeypatch)
    call = one.call(verb, {})
    assert not one.is_listening
    call.answer({"ok": {}})
    assert one.is_listening


def test_one_that_only_says_so_again_and_again_gets_it_once(monkeypatch):
    one = role(monkeypatch, at=1.0)
    one._saw({"ev": "exiting", "code": 75})
    monkeypatch.setattr(roles.time, "monotonic", lambda: 1.0 + roles.LEAVING_S)
    one._saw({"ev": "exiting", "code": 75})
    assert not one.needs_true_time


def test_a_line_keeps_its_shape_at_every_pace_of_the_world():
    drawn, turned = [], []
    line = SimpleNamespace(shape=Shape(latency_s=0.1), stands=False, keep_shape=drawn.append)
    bare = SimpleNamespace(shape=Shape(), stands=False, keep_shape=lambda _rate: None)
    made = object.__new__(WireStage)
    made.links = {"host-relay": line, "phone-relay": bare}
    made.clock = SimpleNamespace(turn=turned.append)
    made._haste = Haste()
    made._line_rate = BRISK
    for rate in (HASTE, 1.0, 1.0, HASTE, BRISK):
        made._turn(rate)
    assert turned == [BRISK, 1.0, 1.0, BRISK, BRISK]
    assert drawn == [1.0, BRISK]
    line.shape = Shape()
    made._turn(HASTE)
    assert turned[-1] == HASTE
    assert drawn == [1.0, BRISK]


def test_one_that_never_answers_holds_the_world_up_for_a_while_only(monkeypatch):
    one = role(monkeypatch, at=roles.STARTING_S)
    one.call("hello", {})
    assert not one.is_starting


@pytest.mark.slow
@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
@pytest.mark.parametrize(
    ("file", "where", "what"),
    [
        ("outage/new-connections-refused.yaml", Firewall, "put"),
        ("outage/nat-forgets.yaml", Firewall, "bury"),
        ("outage/load-balancer-impatient.yaml", Routed, "kill_sockets"),
        ("outage/ten-minute-outage.yaml", LinkProxy, "add"),
        ("outage/breaks-off-in-mid-frame.yaml", LinkProxy, "add"),
        ("outage/firewall-swallows-new-connections.yaml", Firewall, "put"),
        ("outage/half-open.yaml", Firewall, "bury"),
        ("outage/mtu-hole.yaml", Firewall, "put"),
        ("outage/host-changes-network.yaml", Namespaces, "move"),
        ("delivery/flaky-link.yaml", Firewall, "put"),
        ("delivery/slow-link.yaml", LinkProxy, "keep_shape"),
        ("latency/first-line-after-a-fault.yaml", LinkProxy, "keep_shape"),
        ("credentials/certificate-rotated.yaml", Tap, "certify"),
        ("credentials/refresh-answer-lost.yaml", Tap, "drop"),
        ("proxy/proxy-password-changed.yaml", Middlebox, "change"),
        ("proxy/proxy-inspects.yaml", Middlebox, "change"),
        ("proxy/proxy-answers-itself.yaml", Middlebox, "change"),
        ("proxy/proxy-begins-to-buffer.yaml", Middlebox, "change"),
        ("proxy/proxy-cuts-idle-tunnels.yaml", Middlebox, "change"),
        ("proxy/proxy-rewrites-auth.yaml", Middlebox, "change"),
        ("proxy/captive-portal.yaml", Routed, "portal"),
        ("outage/one-way-cut.yaml", LinkProxy, "add"),
        ("presence/killed-host-shows-offline.yaml", roles.Role, "kill"),
        ("delivery/disk-full.yaml", Disk, "fill"),
        ("sleep/laptop-sleeps.yaml", roles.Role, "signal"),
        ("sleep/freeze-is-not-sleep.yaml", roles.Role, "signal"),
    ],
)
def test_a_fault_whose_effect_is_missing_is_found_out(file, where, what, monkeypatch):
    monkeypatch.setattr(where, what, lambda *_args, **_named: "")
    plan = next(plan for plan in plans(SCENARIOS / file) if not WireWorld.lacks(plan))
    found = judge(WireWorld().run(plan))
    assert found.verdict > Verdict.PASS
    assert False in [fault.evidence.bit for fault in found.evidence]


MEASURED = b"""
scenario: measured
about: A line is soon on the screen.
cast: {host: sut, relay: reference, phone: reference}
story:
  - host.says: one
  - phone.sees: one
expect:
  - {phone.delay: max <= 5s, in_at_least: 1 lines, proves: RC-LAT-001.echo}
"""


@pytest.mark.slow
@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_states_are_in_memory_where_nothing_asks_for_it(own_tmp):
    async def play(stage):
        await stage.play()
        return {name for name, one in stage.disks.items() if one.path.is_mount()}, stage.disks["relay"].is_used

    plain = MEASURED.replace(b"phone.delay: max <= 5s, in_at_least: 1 lines", b"phone.sees: one").replace(
        b"RC-LAT-001.echo", b"RC-ORD-001.no-loss"
    )
    (plan,) = plans(plain, world="wire")
    assert WireWorld().on_stage(plan, play) == ({"host", "relay", "phone"}, True)
    assert list(own_tmp.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_where_delays_are_measured_states_are_in_memory_and_what_programs_lost_is_counted(own_tmp):
    async def play(stage):
        history = await stage.play()
        return history, {name for name, one in stage.disks.items() if one.path.is_mount()}, stage.disks["relay"].is_used

    (plan,) = plans(MEASURED, world="wire")
    history, in_memory, is_used = WireWorld().on_stage(plan, play)
    assert (in_memory, is_used) == ({"host", "relay", "phone"}, True)
    waits = [event for event in history.events if event.what == "cpu.waited"]
    # Of a dozen programs somebody waits even on a quiet machine.
    assert sum(event.data["waited_s"] for event in waits) > 0
    assert all(event.data["since"] < event.t for event in waits)
    assert judge(history).verdict is Verdict.PASS
    assert list(own_tmp.iterdir()) == []


@pytest.mark.slow
@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_a_way_past_the_proxy_that_nothing_shuts_is_found_out(monkeypatch):
    monkeypatch.setattr(Routed, "_only", lambda *_args: None)
    with pytest.raises(WorldError, match=r"a dial of host past its proxy was answered by .*: its way out is not shut"):
        WireWorld().run(plans(SCENARIOS / "proxy/only-a-proxy-while-idle.yaml")[0])


@pytest.mark.slow
@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_a_name_server_that_answers_rightly_under_its_fault_is_found_out(monkeypatch):
    monkeypatch.setattr(Names, "answer", lambda names, name: names.known.get(name, "nxdomain"))
    found = judge(WireWorld().run(plans(SCENARIOS / "outage/name-does-not-resolve.yaml")[0]))
    (seen,) = [fault.evidence for fault in found.evidence if fault.name == "resolves"]
    assert (found.verdict > Verdict.PASS, seen.bit, seen.passed > 0) == (True, False, True)


@pytest.mark.slow
@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_a_certificate_that_mitmproxy_does_not_take_is_found_out(monkeypatch):
    say = Tap.say

    def keep_the_old_one(tap, told):
        say(tap, told | {"certificate": str(Path(told["certificate"]).with_name("relay.pem"))})

    monkeypatch.setattr(Tap, "say", keep_the_old_one)  # all that the harness notes of it is as ever
    found = judge(WireWorld().run(plans(SCENARIOS / "credentials/certificate-rotated.yaml")[0]))
    (rotation,) = [one.evidence for one in found.evidence if one.name == "rotates_certificate"]
    assert (found.verdict > Verdict.PASS, rotation.bit) == (True, False)


@pytest.mark.slow
@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_a_stream_that_is_truncated_a_byte_too_late_is_found_out(monkeypatch):
    add = LinkProxy.add
    monkeypatch.setattr(LinkProxy, "add", lambda self, *what, **named: add(self, *what, bytes=named["bytes"] + 1))
    found = judge(WireWorld().run(plans(SCENARIOS / "outage/breaks-off-in-mid-frame.yaml")[0]))
    (seen,) = [fault.evidence for fault in found.evidence]
    assert (found.verdict > Verdict.PASS, seen.bit, seen.passed > 0) == (True, False, True)
