"""The table of operations is the contract's."""

import pytest

from harness.base.errors import WorldError
from harness.faults.model import OPERATIONS
from harness.worlds.sim.operations import PERFORM


def test_every_operation_is_there_but_those_of_programs():
    assert set(PERFORM) == set(OPERATIONS) - {"start", "call"}


@pytest.mark.parametrize(
    ("name", "args", "says"),
    [
        ("explode", {}, "no operation explode"),
        ("block", {"link": "a-b"}, "no link a-b; there are client-server"),
        ("block", {"link": "client-server", "how": "slowly"}, "cannot be blocked by 'slowly'"),
        ("suspend", {"machine": "nobody"}, "no machine nobody; there are client, server"),
        ("middlebox", {"machine": "nobody", "portal": True}, "no machine nobody"),
        ("middlebox", {"machine": "client", "buffers": True}, "client has no proxy that could change buffers"),
    ],
)
def test_what_is_not_there_is_named(world, name, args, says):
    with pytest.raises(WorldError, match=says):
        world.perform(name, **args)


def test_link_may_be_named_from_either_end(world):
    world.perform("block", link="server-client", direction="up")
    assert world.link.policy.blocked == [True, False]
    world.perform("unblock", link="client-server")
    assert world.link.policy.blocked == [False, False]
    world.perform("block", link="client-server", how="hold")
    assert (world.link.policy.blocked, world.link.policy.held) == ([False, False], [True, True])
    world.perform("unblock", link="client-server")
    assert world.link.policy.held == [False, False]


def test_restoring_goes_back_to_what_the_link_was_like(make_world):
    from harness.worlds.sim.link import LinkPolicy  # noqa: PLC0415

    world = make_world(policy=LinkPolicy(latency_s=0.3, jitter_s=0.1, bytes_per_s=5000.0, loss=0.01))
    for name, args in (("delay", {"latency_s": 9.0}), ("rate", {"bytes_per_s": 1.0}), ("lose", {"probability": 1.0})):
        world.perform(name, link="client-server", **args)
        world.perform(name, link="client-server")
    policy = world.link.policy
    assert (policy.latency_s, policy.jitter_s, policy.bytes_per_s, policy.loss) == (0.3, 0.1, 5000.0, 0.01)


def test_clock_operations_are_noted(world):
    world.perform("step_clock", machine="client", by_s=-3600.0)
    world.perform("step_clock", machine="client", drift_ppm=100.0)
    world.sim.run(until=1000.0)
    world.perform("step_clock", machine="client", drift_ppm=0.0)
    assert world.of("clock.stepped") == [{"by_s": pytest.approx(-3600.0)}]
    assert world.of("clock.drifted") == [{"by_s": pytest.approx(0.1), "over_s": 1000.0}]


def test_drift_still_on_is_told_at_the_end(world):
    world.perform("step_clock", machine="client", drift_ppm=100.0)
    world.sim.run(until=1000.0)
    world.sim.close()
    assert len(world.of("clock.drifted", "client")) == 1


def test_operations_that_change_nothing_are_not_noted(world):
    for name in ("resume", "thaw"):
        world.perform(name, machine="client")
    world.perform("suspend", machine="client")
    world.perform("suspend", machine="client")
    assert [what for _, _, what, _ in world.seen] == ["machine.suspended"]
