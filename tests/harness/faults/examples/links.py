"""Faults of links and of the flows that cross them."""

from harness.faults.model import FAULTS
from tests.harness.faults.example import Example, at_host, event, given, on_link

LINK = {"link": "host-relay"}


def dialled(t, conn):
    return at_host(t, "socket.dialled", conn=conn, **LINK)


def closed(t, conn, error):
    return at_host(t, "socket.closed", conn=conn, error=error, **LINK)


def cut(how):
    return FAULTS["cut"](link="host-relay", how=how, for_s=660)


def truncates(after_bytes):
    return FAULTS["truncates"](link="host-relay", after_bytes=after_bytes)


def shaped(t, what, least_s, most_s):
    return on_link(t, what, direction="up", segments=4, added_s_min=least_s, added_s_max=most_s)


def forgotten(t, why, notice="none"):
    return on_link(t, "flow.forgotten", conn="c1", why=why, notice=notice)


def kept(t):
    return shaped(t, "link.kept", 30.0, 600.0)


def heard(t):
    return event(t, "host", "heard", "wire", conn="c1")


def limited(t, passed_min, passed_max, lost, *, ended=True):
    data = {"passed_min": passed_min, "passed_max": passed_max, "lost": lost, "ended": ended}
    return on_link(t, "flow.limited", conn="c1", direction="down", **data)


GIVEN_TO_THE_DEAD = on_link(170, "flow.lost", conn="c1", bytes=120)
TRIED = given(110, "up", 400, 0), given(300, "down", 60, 0)

EXAMPLES = [
    Example(cut("black hole"), TRIED, (*TRIED, given(200, "up", 60, 60))),
    Example(cut("held"), (*TRIED, kept(760)), TRIED),
    Example(cut("held"), (*TRIED, kept(760)), (*TRIED, kept(300))),
    Example(cut("held"), (*TRIED, kept(760)), (*TRIED, given(200, "up", 60, 60), kept(760))),
    Example(cut("reset"), (*TRIED, closed(100, "c1", "reset")), (*TRIED, closed(100, "c1", "fin"))),
    Example(cut("fin"), (*TRIED, closed(105, "c2", "refused")), TRIED),
    Example(cut("to relay"), (given(110, "up", 400, 0), given(110, "down", 60, 60)), (given(110, "up", 400, 40),)),
    Example(cut("from relay"), (given(110, "down", 40, 0), given(110, "up", 60, 60)), (given(110, "down", 40, 40),)),
    Example(
        FAULTS["latency"](link="host-relay", rtt_s=0.4, jitter_s=0.1),
        (shaped(110, "link.delayed", 0.2, 0.25),),
        (shaped(110, "link.delayed", 0.02, 0.25),),
    ),
    Example(
        FAULTS["bandwidth"](link="host-relay", rate_bytes_per_s=4000.0),
        (shaped(110, "link.throttled", 0.1, 0.3),),
        (shaped(110, "link.throttled", 0.0, 0.0),),
    ),
    Example(
        FAULTS["loss"](link="host-relay", lost_ratio=0.1),
        (shaped(110, "link.lost", 0.2, 0.2),),
        (given(110, "up", 4000, 4000),),
    ),
    Example(
        FAULTS["mtu_hole"](link="host-relay", above_bytes=1280.0),
        (on_link(110, "link.capped", direction="up", segments=3), given(110, "up", 5000, 60, largest=20)),
        (on_link(110, "link.capped", direction="up", segments=3), given(110, "up", 5000, 1500, largest=1460)),
    ),
    Example(
        truncates(700),
        (limited(110, 690, 710, 40),),
        (limited(110, 690, 710, 40), limited(120, 701, 720, 0, ended=False)),
    ),
    Example(truncates(700), (limited(110, 700, 700, 1), limited(115, 500, 500, 9)), (limited(110, 700, 700, 0),)),
    Example(truncates(700), (limited(110, 700, 700, 1),), (limited(110, 699, 699, 1), limited(110, 701, 701, 1))),
    Example(
        FAULTS["refused"](link="host-relay"),
        (dialled(110, "c2"), closed(110, "c2", "refused")),
        (
            dialled(110, "c2"),
            closed(110, "c2", "refused"),
            dialled(120, "c3"),
            on_link(120, "socket.connected", conn="c3"),
        ),
    ),
    Example(
        FAULTS["syn_lost"](link="host-relay"),
        (dialled(110, "c2"),),
        (dialled(100, "c2"), on_link(100.04, "socket.connected", conn="c2")),
    ),
    Example(
        FAULTS["half_open"](link="host-relay", for_s=120),
        (forgotten(100, "half_open"), GIVEN_TO_THE_DEAD),
        (forgotten(100, "half_open"), GIVEN_TO_THE_DEAD, heard(120)),
        irreversible=True,
    ),
    Example(
        FAULTS["nat_forgets"](link="host-relay", idle_s=60),
        (forgotten(160, "idle"), GIVEN_TO_THE_DEAD),
        (forgotten(160, "idle"), GIVEN_TO_THE_DEAD, heard(171)),
    ),
    Example(
        FAULTS["nat_forgets"](link="host-relay", idle_s=60),
        (forgotten(160, "idle"), GIVEN_TO_THE_DEAD, on_link(170, "flow.lost", conn="c2", passed=120)),
        (forgotten(160, "idle"), GIVEN_TO_THE_DEAD, on_link(170, "flow.lost", conn="c1", passed=120)),
    ),
    Example(
        FAULTS["load_balancer_cuts"](link="host-relay", idle_s=60),
        (forgotten(160, "idle", "rst"), closed(160, "c1", "reset")),
        (forgotten(160, "idle", "rst"), closed(160, "c1", "reset"), heard(171)),
    ),
    Example(
        FAULTS["flaps"](link="host-relay", times=3, for_s=300),
        (closed(100.1, "c1", "reset"), closed(200.1, "c2", "reset")),
        (closed(100.1, "c1", "reset"), closed(250, "c2", "reset")),
        irreversible=True,
    ),
    Example(
        FAULTS["roams"](machine="host", for_s=120),
        (
            dialled(10, "c1"),
            at_host(100, "address.changed", address="10.0.1.9"),
            forgotten(100, "moved"),
            GIVEN_TO_THE_DEAD,
        ),
        (dialled(10, "c1"), forgotten(100, "moved"), GIVEN_TO_THE_DEAD),
        irreversible=True,
    ),
    Example(
        FAULTS["resolves"](machine="host", how="timeout"),
        (at_host(110, "dns.asked", name="relay.example", answer="timeout"),),
        (at_host(110, "dns.asked", name="relay.example", answer="10.0.0.2"),),
    ),
]
