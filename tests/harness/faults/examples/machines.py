"""Faults of machines, their programs, clocks and certificates."""

from harness.faults.model import FAULTS
from tests.harness.faults.example import Example, at_host, event


def host(name, **parameters):
    return FAULTS[name](machine="host", **parameters)


def asleep(*turns):
    return tuple(
        one
        for fell, woke in turns
        for one in (at_host(fell, "machine.suspended"), at_host(woke, "machine.resumed", slept_s=woke - fell))
    )


def ended(reason="killed", code=None):
    return at_host(100, "process.exited", code=code, reason=reason)


def started(t, version="1"):
    return at_host(t, "process.started", incarnation="i2", version=version)


def shown(how):
    return event(110, "relay", "certificate.shown", conn="c2", how=how)


def tried(t, passed):
    return at_host(t, "disk.tried", bytes=1, passed=passed)


TAKEN, FULL = tried(100, 1), (tried(100, 0), tried(130, 0))
FROZEN = at_host(100, "process.frozen"), at_host(160, "process.thawed", frozen_s=60.0)
SAID = at_host(130, "agent.said", text="awake")
TURNS = asleep((100, 130), (140, 170), (180, 200))

EXAMPLES = [
    Example(host("sleeps", for_s=28800), asleep((100, 28900)), (*asleep((100, 28900)), SAID)),
    Example(host("sleeps", for_s=660), asleep((100, 760)), asleep((100, 400))),
    Example(
        host("dark_wakes", for_s=100, every_s=30, awake_s=10), TURNS, (*TURNS, at_host(120, "agent.said", text="no"))
    ),
    Example(host("dark_wakes", for_s=100, every_s=30, awake_s=10), TURNS, asleep((100, 200))),
    Example(host("freezes"), FROZEN, (*FROZEN, SAID)),
    Example(host("disk_fills"), (TAKEN, *FULL), (TAKEN, *FULL, tried(155, 1))),
    Example(host("disk_fills"), (TAKEN, *FULL), FULL),
    Example(host("killed"), (ended(), started(110)), (ended(), SAID, started(140))),
    Example(host("killed", then="stays down"), (ended(),), (ended(), started(110)), irreversible=True),
    Example(host("loses_power"), (ended("power"), started(160)), (ended(), started(160))),
    Example(host("restarts"), (ended(), started(102)), (ended(reason="done", code=0), started(102))),
    Example(host("deploys", version="2"), (ended(), started(107, "2")), (ended(), started(107, "1"))),
    Example(host("upgraded", version="2"), (ended(), started(102, "2")), (ended(), started(102, "1"))),
    Example(FAULTS["rotates_certificate"](machine="relay"), (shown("rotated"),), (shown("good"),), irreversible=True),
    Example(FAULTS["shows_certificate"](machine="relay"), (shown("expired"),), (shown("expired"), shown("good"))),
    Example(
        FAULTS["shows_certificate"](machine="relay", how="wrong name"), (shown("wrong_name"),), (shown("expired"),)
    ),
    Example(
        host("clock_steps", by_s=-3600.0),
        (at_host(100, "clock.stepped", by_s=-3600.0),),
        (at_host(100, "clock.stepped", by_s=3600.0),),
        irreversible=True,
    ),
    Example(
        host("clock_drifts", for_s=1000, ppm=-500.0),
        (at_host(1100, "clock.drifted", by_s=-0.5, over_s=1000.0),),
        (at_host(1100, "clock.drifted", by_s=0.0, over_s=1000.0),),
    ),
]
