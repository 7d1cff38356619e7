"""TCP between two machines: what a connection survives, and how it ends."""

import errno

import pytest
import trio

from harness.worlds.sim.flow import SEND_BUFFER_BYTES, USER_TIMEOUT_NS, Flow
from harness.worlds.sim.link import LinkPolicy


def _cause(error):
    return errno.errorcode[error.__cause__.errno] if isinstance(error.__cause__, OSError) else type(error).__name__


async def _echo(stream):
    async for data in stream:
        await stream.send_all(data)


async def _talk(world, *, every_s=1.0, give_up_s=1e9):
    """Send numbered lines, note what comes back and how it ends."""
    stream = await trio.open_tcp_stream("relay.test", 80)
    world.note("connected")

    async def hear():
        async for data in stream:
            for line in data.split():
                world.note("back", int(line))
        world.note("eof")

    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hear)
            for number in range(100_000):
                await stream.send_all(b"%d " % number)
                await trio.sleep(every_s)
    except* trio.BrokenResourceError as group:
        world.note("broken", _cause(group.exceptions[0]))


def _run(world, client, handler=_echo, until=60.0):
    world.server.boot(lambda: world.serve_tcp(handler))
    world.client.boot(client)
    world.sim.run(until=until)


def _backs(world):
    return [said[2] for said in world.said if said[1] == "back"]


def test_latency_is_one_way_each_way(make_world):
    world = make_world(policy=LinkPolicy(latency_s=0.1))
    _run(world, lambda: _talk(world, every_s=100.0), until=1.0)
    assert world.said == [(0.205, "connected"), (0.405, "back", 0)]


def test_block_delays_and_loses_nothing(world):
    _run(world, lambda: _talk(world), until=10.5)
    world.perform("block", link="client-server")
    world.sim.run(until=40.5)
    while_cut = len(_backs(world))
    world.perform("unblock", link="client-server")
    world.sim.run(until=120.0)
    assert while_cut <= 11
    assert _backs(world) == list(range(len(_backs(world))))
    assert len(_backs(world)) > 100


def test_mute_connection_comes_back_only_with_the_next_retransmission(world):
    _run(world, lambda: _talk(world), until=10.5)
    world.perform("block", link="client-server")
    world.sim.run(until=110.5)
    world.perform("unblock", link="client-server")
    before = len(_backs(world))
    world.sim.run(until=111.0)
    assert len(_backs(world)) == before
    world.sim.run(until=230.0)
    assert len(_backs(world)) > before + 100


def test_one_direction_blocked_lets_the_other_pass(world):
    async def count(stream):
        async for data in stream:
            world.note("arrived", len(data))

    _run(world, lambda: _talk(world), count, until=5.5)
    world.perform("block", link="client-server", direction="down")
    world.sim.run(until=20.5)
    assert len([said for said in world.said if said[1] == "arrived"]) == 20 + 1


@pytest.mark.slow
def test_nobody_acknowledges_for_924_s_and_the_sender_gives_up(world):
    _run(world, lambda: _talk(world), until=10.5)
    world.perform("block", link="client-server")
    world.sim.run(until=2000.0)
    ended, what, why = world.said[-1]
    assert (what, why) == ("broken", "ETIMEDOUT")
    assert ended == pytest.approx(11 + USER_TIMEOUT_NS / 1e9, abs=0.1)
    assert world.of("socket.closed", "client")[-1]["error"] == "timeout"


@pytest.mark.slow
def test_what_is_held_was_acknowledged_and_comes_in_order_at_once(world):
    _run(world, lambda: _talk(world), until=10.5)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=2000.5)
    assert _backs(world) == list(range(11))
    assert [
        said for said in world.said if said[1] == "broken"
    ] == []  # a sender that nobody acknowledged would have given up
    world.perform("unblock", link="client-server")
    world.sim.run(until=2000.6)
    assert _backs(world) == list(range(2001))
    given = [data for data in world.of("socket.attempted") if data["direction"] == "up"]
    assert sum(data["bytes"] - data["passed"] for data in given) > 40 * 1980
    assert [data["segments"] for data in world.of("link.kept")] == []  # told when its second is over
    world.sim.run(until=2010.0)
    assert [data["segments"] for data in world.of("link.kept")] == [1990]


@pytest.mark.parametrize("how", ["closed", "powerless", "killed"])
def test_a_connection_that_was_given_up_while_held_delivers_what_it_said_and_then_its_end(world, how):
    async def tell(stream):
        async for data in stream:
            world.note("arrived", data)
        world.note("end")

    async def talk():
        stream = await trio.open_tcp_stream("relay.test", 80)
        await trio.sleep(5)
        await stream.send_all(b"late word")
        if how == "closed":
            await stream.aclose()
        await trio.sleep_forever()

    _run(world, talk, tell, until=1.0)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=30.0)
    if how == "killed":
        world.perform("kill", machine="client", how="process")
    if how == "powerless":
        world.perform("kill", machine="client", how="power")
    world.sim.run(until=60.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=61.0)
    ends = [] if how == "powerless" else [(60.02, "end")]
    assert world.said == [(60.02, "arrived", b"late word"), *ends]


def test_an_abort_is_held_too(world):
    async def tell(stream):
        await stream.send_all(b"unread")
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()
        world.note("reset")

    async def talk():
        stream = await trio.open_tcp_stream("relay.test", 80)
        await trio.sleep(5)
        await stream.aclose()  # what it did not read makes it an abort (RFC 2525 2.17)
        await trio.sleep_forever()

    _run(world, talk, tell, until=1.0)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=60.0)
    assert world.said == []
    world.perform("unblock", link="client-server")
    world.sim.run(until=61.0)
    assert world.said == [(60.02, "reset")]


def test_who_dials_a_held_link_is_answered_midway_and_heard_when_it_heals(world):
    world.perform("block", link="client-server", how="hold")

    async def tell(stream):
        world.note("accepted")
        world.note(await stream.receive_some())
        await stream.send_all(b"hello")

    async def dial():
        stream = await trio.open_tcp_stream("relay.test", 80)
        world.note("connected")
        await stream.send_all(b"who is there?")
        world.note(await stream.receive_some())

    _run(world, dial, tell, until=20.0)
    assert world.said == [(0.045, "connected")]
    assert sum(data["passed"] for data in world.of("socket.attempted")) == 0
    world.perform("unblock", link="client-server")
    world.sim.run(until=21.0)
    assert world.said[1:] == [(20.0, "accepted"), (20.02, b"who is there?"), (20.04, b"hello")]


def test_who_dialled_a_held_link_in_vain_learns_it_when_it_heals(world):
    world.perform("block", link="client-server", how="hold")

    async def dial():
        stream = await trio.open_tcp_stream("relay.test", 81)
        with pytest.raises(trio.BrokenResourceError):
            await stream.receive_some()
        world.note("refused")

    _run(world, dial, until=20.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=21.0)
    assert world.said == [(20.02, "refused")]


def test_a_program_that_ended_under_a_held_link_accepts_nothing_when_it_heals(world):
    async def dial():
        stream = await trio.open_tcp_stream("relay.test", 80)
        world.note(await stream.receive_some())

    world.perform("block", link="client-server", how="hold")
    _run(world, dial, until=10.0)
    world.perform("kill", machine="server", how="process")
    world.server.boot(lambda: world.serve_tcp(_echo))
    world.sim.run(until=20.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=21.0)
    assert world.said == [(20.02, b"")]


@pytest.mark.parametrize(("how", "client", "error"), [("rst", "ECONNRESET", "reset"), ("fin", "eof", "fin")])
def test_forged_end_reaches_both_ends(world, how, client, error):
    async def echo_and_close(stream):
        await _echo(stream)

    async def talk():
        with trio.move_on_after(30):
            await _talk(world)

    _run(world, talk, echo_and_close, until=5.5)
    world.perform("reset", link="client-server", how=how, side="both")
    world.sim.run(until=40.0)
    assert client in world.said[7]
    assert {data["error"] for data in world.of("socket.closed", "server")} == {error}


@pytest.mark.parametrize(("side", "gone", "believes"), [("up", "server", "client"), ("down", "client", "server")])
def test_half_open_end_is_not_told(world, side, gone, believes):
    _run(world, lambda: _talk(world), until=5.5)
    world.perform("reset", link="client-server", how="half_open", side=side)
    world.sim.run(until=60.0)
    assert [data["error"] for data in world.of("socket.closed", gone)] == ["reset"]
    assert world.of("socket.closed", believes) == []
    assert world.of("flow.forgotten")[0]["why"] == "half_open"
    if believes == "client":
        assert sum(data["bytes"] for data in world.of("flow.lost")) > 0


def test_refused_without_a_listener(world):
    async def dial():
        with pytest.raises(OSError, match="all attempts") as error:
            await trio.open_tcp_stream("relay.test", 81)
        world.note([type(one).__name__ for one in error.value.__cause__.exceptions])

    _run(world, dial, until=5.0)
    assert world.said == [(0.045, ["ConnectionRefusedError"])]
    assert [data["error"] for data in world.of("socket.closed", "client")] == ["refused"]


@pytest.mark.slow
@pytest.mark.parametrize("how", ["rst", "silence"])
def test_refuse_stops_new_connections_and_keeps_live_ones(world, how):
    _run(world, lambda: _talk(world), until=5.5)
    world.perform("refuse", link="client-server", how=how)

    async def dial():
        await trio.open_tcp_stream("relay.test", 80)

    other = world.sim.machine("phone", "10.0.0.3")
    world.sim.network.route("phone", "server", world.link)
    other.boot(dial)
    world.sim.run(until=200.0)
    ended = world.of("socket.closed", "phone")[-1]
    assert ended["error"] == {"rst": "refused", "silence": "timeout"}[how]
    assert len(_backs(world)) > 190
    world.perform("refuse", link="client-server")
    other.boot(dial)
    world.sim.run(until=210.0)
    assert len(world.of("socket.connected", "phone")) == 1


def test_syn_is_sent_again_and_times_out_after_127_s(world):
    world.perform("block", link="client-server")

    async def dial():
        with pytest.raises(OSError, match="all attempts"):
            await trio.open_tcp_stream(world.server.address, 80)
        world.note("timeout")

    _run(world, dial, until=200.0)
    assert world.said == [(127.0, "timeout")]
    tried = [(t, data) for t, _, what, data in world.seen if what == "socket.attempted"]
    assert [t for t, _ in tried] == [0.0, 1.0, 3.0, 7.0, 15.0, 31.0, 63.0]
    assert all(data["passed"] == 0 and data["bytes"] == 40 for _, data in tried)


@pytest.mark.parametrize("notice", ["none", "rst"])
def test_middlebox_forgets_idle_flows(world, notice):
    world.perform("forget", link="client-server", idle_s=5.0, notice=notice)
    _run(world, lambda: _talk(world, every_s=10.0), until=100.0)
    assert world.of("flow.forgotten")[0] == {"link": "client-server", "conn": 1, "why": "idle", "notice": notice}
    assert _backs(world) == [0]
    if notice == "rst":
        assert world.said[-1][1:] == ("broken", "ECONNRESET")
    else:
        assert len(world.of("flow.lost")) > 3


def test_flow_that_talks_is_not_forgotten(world):
    world.perform("forget", link="client-server", idle_s=5.0)
    _run(world, lambda: _talk(world, every_s=4.0), until=100.0)
    assert len(_backs(world)) == 25


def test_moved_machine_leaves_dark_connections_and_can_dial_anew(world):
    _run(world, lambda: _talk(world), until=5.5)
    world.perform("move", machine="client")
    world.sim.run(until=100.0)
    assert len(_backs(world)) == 6
    assert world.of("socket.closed") == []
    assert world.of("address.changed", "client") == [{"address": world.client.address}]
    seen = []

    async def tell(stream):
        seen.append(stream.socket.getpeername()[0])

    async def dial():
        await trio.open_tcp_stream("relay.test", 80)

    world.client.kill("process")
    world.server.kill("process")
    _run(world, dial, tell, until=110.0)
    assert seen == [world.client.address]


def test_large_segments_fall_into_a_hole_small_ones_pass(world):
    world.perform("cap", link="client-server", segment_bytes=1400)
    arrived = []

    async def count(stream):
        async for data in stream:
            arrived.append(len(data))  # noqa: PERF401  looked at while it grows

    async def talk():
        stream = await trio.open_tcp_stream("relay.test", 80)
        await stream.send_all(b"x" * 1000)
        await trio.sleep(1)
        await stream.send_all(b"x" * 100_000)
        await stream.send_all(b"x" * 10)
        await trio.sleep_forever()

    _run(world, talk, count, until=30.0)
    assert arrived == [1000]
    assert sum(data["segments"] for data in world.of("link.capped")) > 3
    assert max(data["largest"] for data in world.of("socket.attempted")) == 1000
    world.perform("cap", link="client-server")
    world.sim.run(until=200.0)
    assert sum(arrived) == 101_010


def test_bandwidth_is_shared_and_waits_are_counted(world):
    world.perform("rate", link="client-server", bytes_per_s=1000.0)
    arrived = []

    async def count(stream):
        async for data in stream:
            arrived.append((round(world.sim.now), len(data)))  # noqa: PERF401  same

    async def talk():
        stream = await trio.open_tcp_stream("relay.test", 80)
        for _ in range(10):
            await stream.send_all(b"x" * 1000)
        await trio.sleep_forever()

    _run(world, talk, count, until=30.0)
    assert arrived == [(second, 1000) for second in range(1, 11)]
    assert max(data["added_s_max"] for data in world.of("link.throttled")) > 5


def test_loss_costs_time_and_loses_nothing(world):
    world.perform("lose", link="client-server", probability=0.3)
    _run(world, lambda: _talk(world), until=100.5)
    assert _backs(world) == list(range(len(_backs(world))))
    assert len(_backs(world)) > 90
    assert sum(data["segments"] for data in world.of("link.lost")) > 20


def test_delay_is_counted_and_restored(world):
    _run(world, lambda: _talk(world), until=5.5)
    world.perform("delay", link="client-server", latency_s=0.5, jitter_s=0.1)
    world.sim.run(until=10.5)
    world.perform("delay", link="client-server")
    world.sim.run(until=20.0)
    delayed = world.of("link.delayed")
    assert all(data["added_s_min"] >= 0.5 and data["added_s_max"] <= 0.6 for data in delayed)
    backs = [said for said in world.said if said[1] == "back"]
    assert 7.0 < backs[6][0] < 7.3
    assert 19.0 < backs[-1][0] < 19.1


def test_slow_reader_holds_the_sender_back(world):
    taken = []

    async def never_reads(_stream):
        await trio.sleep_forever()

    async def talk():
        stream = await trio.open_tcp_stream("relay.test", 80)
        while True:
            await stream.send_all(b"x" * 4096)
            taken.append(4096)

    _run(world, talk, never_reads, until=60.0)
    assert SEND_BUFFER_BYTES < sum(taken) <= 2 * SEND_BUFFER_BYTES + 65_536


def test_reader_that_wakes_up_gets_everything(world):
    got = []

    async def reads_late(stream):
        await trio.sleep(60)
        async for data in stream:
            got.append(len(data))  # noqa: PERF401  same

    async def talk():
        stream = await trio.open_tcp_stream("relay.test", 80)
        await stream.send_all(b"x" * 1_000_000)
        await stream.aclose()

    _run(world, talk, reads_late, until=120.0)
    assert sum(got) == 1_000_000


def test_half_close_lets_the_answer_come(world):
    async def answer(stream):
        total = 0
        async for data in stream:
            total += len(data)
        await stream.send_all(b"%d" % total)

    async def ask():
        stream = await trio.open_tcp_stream("relay.test", 80)
        await stream.send_all(b"x" * 5000)
        await stream.send_eof()
        world.note(await stream.receive_some())
        world.note(await stream.receive_some())

    _run(world, ask, answer, until=5.0)
    assert [said[1] for said in world.said] == [b"5000", b""]
    assert world.of("socket.closed")[0]["sent"] == 4


def test_sleeping_peer_makes_the_sender_retransmit_and_loses_nothing(world):
    _run(world, lambda: _talk(world), until=5.5)
    world.perform("suspend", machine="server")
    world.sim.run(until=65.5)
    stuck = len(_backs(world))
    world.perform("resume", machine="server")
    world.sim.run(until=200.0)
    assert stuck == 6
    assert _backs(world) == list(range(len(_backs(world))))
    assert len(_backs(world)) > 190
    assert world.of("machine.resumed") == [{"slept_s": 60.0}]


def test_sleeping_sender_resumes_its_own_retransmissions(world):
    async def chatter(stream):
        while True:
            await stream.send_all(b"tick ")
            await trio.sleep(1)

    async def listen():
        stream = await trio.open_tcp_stream("relay.test", 80)
        async for data in stream:
            world.note(len(data.split()))

    _run(world, listen, chatter, until=5.5)
    world.perform("suspend", machine="server")
    world.sim.run(until=1000.0)
    heard = len(world.said)
    world.perform("resume", machine="server")
    world.sim.run(until=1010.0)
    assert len(world.said) - heard >= 9


def test_killed_process_says_goodbye_powerless_machine_does_not(make_world):
    ends = {}
    for how in ("process", "power"):
        world = make_world()
        _run(world, lambda world=world: _talk(world, every_s=5.0), until=7.0)
        world.perform("kill", machine="server", how=how)
        world.sim.run(until=60.0)
        ends[how] = [said[1:] for said in world.said if said[1] in ("eof", "broken")]
    assert ends == {"process": [("eof",), ("broken", "ECONNRESET")], "power": []}


def test_rebooted_machine_resets_what_it_does_not_know(world):
    _run(world, lambda: _talk(world, every_s=5.0), until=7.0)
    world.perform("kill", machine="server", how="power")
    world.sim.run(until=30.0)
    world.server.boot(lambda: world.serve_tcp(_echo))
    world.sim.run(until=90.0)
    assert world.said[-1][1:] == ("broken", "ECONNRESET")


def test_powerless_machine_answers_no_syn(world):
    world.perform("kill", machine="server", how="power")

    async def dial():
        with trio.move_on_after(20) as scope:
            await trio.open_tcp_stream("relay.test", 80)
        world.note(scope.cancelled_caught)

    world.client.boot(dial)
    world.sim.run(until=30.0)
    assert world.said == [(20.0, True)]
    assert world.of("socket.connected") == []


def test_frozen_process_still_has_an_operating_system(world):
    _run(world, lambda: _talk(world), until=5.5)
    world.perform("freeze", machine="server")
    world.sim.run(until=65.5)
    assert len(_backs(world)) == 6
    world.perform("thaw", machine="server")
    world.sim.run(until=66.0)
    assert len(_backs(world)) == 66
    assert world.of("process.thawed") == [{"frozen_s": 60.0}]


def test_abandoned_dial_leaves_no_connection(world):
    async def dial():
        with trio.move_on_after(0.03):
            await trio.open_tcp_stream(world.server.address, 80)

    _run(world, dial, until=5.0)
    assert world.sim.network.connections == {}


async def _pour(world, size=5000, every_s=1.0):
    """Send so much again and again until it breaks; note how."""
    stream = await trio.open_tcp_stream("relay.test", 80)
    try:
        while True:
            await stream.send_all(bytes(size))
            await trio.sleep(every_s)
    except trio.BrokenResourceError as error:
        world.note("broken", _cause(error))


def _count_arrivals(world):
    async def handler(stream):
        async for data in stream:
            world.note("arrived", len(data))
        world.note("end")

    return handler


def _arrived(world):
    return sum(said[2] for said in world.said if said[1] == "arrived")


def test_a_live_connection_carries_so_many_bytes_more_and_ends(world):
    _run(world, lambda: _pour(world), _count_arrivals(world), until=5.5)
    before = _arrived(world)
    world.perform("truncate", link="client-server", direction="up", bytes=7000)
    world.sim.run(until=20.0)
    assert (before, _arrived(world)) == (25_000 + 5000, 30_000 + 7000)
    assert {said[1:] for said in world.said[-2:]} == {("broken", "ECONNRESET"), ("end",)}
    measured = {"passed_min": 7000, "passed_max": 7000, "lost": 3000, "ended": True}
    assert world.of("flow.limited") == [{"link": "client-server", "conn": 1, "direction": "up"} | measured]
    assert {data["error"] for data in world.of("socket.closed", "client")} == {"reset"}
    assert {data["error"] for data in world.of("socket.closed", "server")} == {"fin"}


def test_a_connection_that_is_dialled_meanwhile_is_counted_from_its_first_byte(world):
    world.perform("truncate", link="client-server", direction="up", bytes=12_345)
    _run(world, lambda: _pour(world), _count_arrivals(world), until=20.0)
    assert _arrived(world) == 12_345
    assert world.of("flow.limited")[0]["lost"] == 15_000 - 12_345


def test_the_other_direction_is_not_counted(world):
    _run(world, lambda: _pour(world), _count_arrivals(world), until=5.5)
    world.perform("truncate", link="client-server", direction="down", bytes=1)
    world.sim.run(until=20.0)
    assert _arrived(world) == 20 * 5000
    assert world.of("flow.limited") == []


def test_what_ends_at_the_last_byte_ends_for_both_and_loses_nothing(world):
    async def once():
        stream = await trio.open_tcp_stream("relay.test", 80)
        await stream.send_all(bytes(100))
        world.note("read", await stream.receive_some())

    world.perform("truncate", link="client-server", direction="up", bytes=100)
    _run(world, once, _count_arrivals(world))
    assert [said[1:] for said in world.said] == [("arrived", 100), ("end",), ("read", b"")]
    assert world.of("flow.limited")[0]["lost"] == 0


def test_restored_before_the_last_byte_everything_passes(world):
    _run(world, lambda: _pour(world), _count_arrivals(world), until=5.5)
    world.perform("truncate", link="client-server", direction="up", bytes=7000)
    world.sim.run(until=6.5)
    world.perform("truncate", link="client-server", direction="up")
    world.sim.run(until=20.0)
    assert _arrived(world) == 20 * 5000


def test_restored_the_other_way_the_limit_stands(world):
    _run(world, lambda: _pour(world), _count_arrivals(world), until=5.5)
    for way in ("up", "down"):
        world.perform("truncate", link="client-server", direction=way, bytes=7000)
    world.perform("truncate", link="client-server", direction="down")
    world.sim.run(until=20.0)
    assert _arrived(world) == 30_000 + 7000


@pytest.mark.parametrize("nap_s", [3.0, 30.0])
def test_what_is_sent_again_to_a_reader_that_slept_counts_once(world, nap_s):
    _run(world, lambda: _pour(world), _count_arrivals(world), until=5.5)
    world.perform("suspend", machine="server")
    world.perform("truncate", link="client-server", direction="up", bytes=17_000)
    world.sim.run(until=5.5 + nap_s)
    world.perform("resume", machine="server")
    world.sim.run(until=100.0)
    assert _arrived(world) == 30_000 + 17_000


async def _drip(world):
    """Three times a thousand bytes from second 5 on, and a thousand a minute later; note how it breaks."""
    stream = await trio.open_tcp_stream("relay.test", 80)
    await trio.sleep(5)
    try:
        for pause_s in (1, 1, 60, 1):
            await stream.send_all(bytes(1000))
            await trio.sleep(pause_s)
    except trio.BrokenResourceError as error:
        world.note("broken", _cause(error))


def test_what_is_held_counts_for_the_limit_and_the_connection_ends_with_it(world):
    _run(world, lambda: _drip(world), _count_arrivals(world), until=2.0)
    world.perform("truncate", link="client-server", direction="up", bytes=1000)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=30.0)
    assert world.said == []
    world.perform("unblock", link="client-server")
    world.sim.run(until=100.0)
    assert [said[1:] for said in world.said] == [("arrived", 1000), ("end",), ("broken", "ECONNRESET")]
    measured = {"passed_min": 1000, "passed_max": 1000, "lost": 2000, "ended": True}
    assert world.of("flow.limited") == [{"link": "client-server", "conn": 1, "direction": "up"} | measured]


def test_a_limit_counts_from_what_the_link_had_kept_when_it_began(world):
    _run(world, lambda: _drip(world), _count_arrivals(world), until=2.0)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=6.5)
    world.perform("truncate", link="client-server", direction="up", bytes=500)
    world.sim.run(until=30.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=100.0)
    assert _arrived(world) == 2000 + 500
    assert [data["passed_max"] for data in world.of("flow.limited")] == [500]


def test_a_limit_that_heals_under_a_hold_lets_the_link_take_the_rest(world):
    _run(world, lambda: _drip(world), _count_arrivals(world), until=2.0)
    world.perform("truncate", link="client-server", direction="up", bytes=1000)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=30.0)
    world.perform("truncate", link="client-server", direction="up")
    world.perform("kill", machine="client", how="power")
    world.sim.run(until=40.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=100.0)
    assert _arrived(world) == 3000


def test_a_connection_that_carries_more_than_it_may_is_told_of(world, monkeypatch):
    monkeypatch.setattr(Flow, "_within_limit", lambda self: self._queue[0])
    _run(world, lambda: _pour(world), _count_arrivals(world), until=5.5)
    world.perform("truncate", link="client-server", direction="up", bytes=7000)
    world.sim.run(until=20.0)
    measured = {"passed_min": 10_000, "passed_max": 10_000, "lost": 0, "ended": False}
    assert world.of("flow.limited") == [{"link": "client-server", "conn": 1, "direction": "up"} | measured]


async def _two_words(first_s, second_s):
    """Say two words, so many seconds after the beginning."""
    began_at = trio.current_time()
    stream = await trio.open_tcp_stream("relay.test", 80)
    await trio.sleep_until(began_at + first_s)
    await stream.send_all(b"first ")
    await trio.sleep_until(began_at + second_s)
    await stream.send_all(b"second ")
    await trio.sleep_forever()


def _collect(world):
    async def handler(stream):
        async for data in stream:
            world.note(bytes(data))

    return handler


@pytest.mark.parametrize("wakes_at", [70.0, 700.0])
@pytest.mark.parametrize("how", ["alive", "powerless"])
def test_what_was_held_comes_to_who_slept_over_the_heal_and_is_told_only_if_it_came_then(world, how, wakes_at):
    _run(world, lambda: _two_words(5, 6), _collect(world), until=1.0)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=30.0)
    world.perform("suspend", machine="server")
    if how == "powerless":
        world.perform("kill", machine="client", how="power")
    world.sim.run(until=60.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=wakes_at)
    world.perform("resume", machine="server")
    world.sim.run(until=wakes_at + 130.0)
    assert b"".join(said[1] for said in world.said) == b"first second "
    assert world.of("link.kept") == []


def test_what_a_powerless_sender_was_not_acknowledged_for_is_lost_with_it(world):
    _run(world, lambda: _two_words(5, 35), _collect(world), until=1.0)
    world.perform("block", link="client-server", how="hold")
    world.perform("suspend", machine="server")
    world.sim.run(until=30.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=36.0)
    world.perform("kill", machine="client", how="power")
    world.perform("resume", machine="server")
    world.sim.run(until=200.0)
    assert b"".join(said[1] for said in world.said) == b"first "


def test_what_is_held_does_not_overtake_what_was_under_way(make_world):
    world = make_world(policy=LinkPolicy(latency_s=1.0))
    _run(world, lambda: _two_words(5, 5.5), _collect(world), until=5.2)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=5.7)
    world.perform("suspend", machine="server")
    world.sim.run(until=10.0)
    world.perform("resume", machine="server")
    world.sim.run(until=20.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=30.0)
    assert b"".join(said[1] for said in world.said) == b"first second "


def test_who_was_acknowledged_does_not_give_up_for_a_loss_of_before(world):
    _run(world, lambda: _two_words(5, 1500), _collect(world), until=4.99)
    world.perform("suspend", machine="server")
    world.sim.run(until=5.1)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=1200.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=1210.0)
    world.perform("resume", machine="server")
    world.sim.run(until=1600.0)
    assert b"".join(said[1] for said in world.said) == b"first second "


@pytest.mark.parametrize(("boots_at", "segments"), [(15.0, 2), (60.0, 0)])
def test_what_comes_to_a_machine_without_power_is_not_told(world, boots_at, segments):
    _run(world, lambda: _two_words(5, 6), _collect(world), until=1.0)
    world.perform("block", link="client-server", how="hold")
    world.sim.run(until=10.0)
    world.perform("kill", machine="server", how="power")
    if boots_at < 20.0:
        world.sim.run(until=boots_at)
        world.server.boot(lambda: world.serve_tcp(_echo))  # answered by a reset, but it came
    world.sim.run(until=20.0)
    world.perform("unblock", link="client-server")
    world.sim.run(until=30.0)
    assert sum(data["segments"] for data in world.of("link.kept")) == segments
