"""A role on its machine: what its program is given, and what the machine writes down about it."""

import pytest
import trio

from harness.history.plan import Actor
from harness.worlds.sim.roles import Role


def role(world, program):
    journal = []
    made = Role(
        Actor("client", "host", "sut"),
        world.sim,
        world.client,
        program,
        lambda kind, what, **data: journal.append((kind, what, data)),
    )
    return made, journal


async def serves(door, platform):
    async for request in door.requests:
        door.send({"id": request["id"], "ok": {"awake_s": platform.instant().awake_s}})
        if request["verb"] == "bye":
            return 5
    return 0


def test_a_program_that_ends_is_journalled_with_its_code(world):
    one, journal = role(world, serves)
    one.boot()
    call = one.call("bye", {})
    world.sim.run(until=1.0)
    assert call.outcome == "ok"
    assert not one.alive
    assert journal == [
        ("os", "process.started", {"incarnation": 1}),
        ("os", "process.exited", {"code": 5, "reason": "ended"}),
    ]


def test_a_program_that_crashes_names_the_first_error_and_its_place(world):
    async def crashes(door, platform):
        async with trio.open_nursery():
            raise RuntimeError("a bug")

    one, journal = role(world, crashes)
    one.boot()
    call = one.call("start", {})
    world.sim.run(until=1.0)
    assert journal[-1][2]["code"] == 1
    assert journal[-1][2]["reason"].startswith("crashed: RuntimeError: a bug (test_roles.py:")
    assert call.outcome == "info"


@pytest.mark.parametrize(("how", "reason"), [("process", "killed"), ("power", "power")])
def test_a_program_that_is_killed_has_no_code_and_may_be_booted_again(world, how, reason):
    one, journal = role(world, serves)
    one.boot()
    world.sim.run(until=1.0)
    world.perform("kill", machine="client", how=how)
    one.killed(how)
    one.killed(how)
    assert journal[1:] == [("os", "process.exited", {"code": None, "reason": reason})]
    one.boot("0.9")
    assert journal[-1] == ("os", "process.started", {"incarnation": 2, "version": "0.9"})
    call = one.call("hello", {})
    world.sim.run(until=2.0)
    assert call.done


def test_events_are_what_it_saw(world):
    async def tells(door, platform):
        door.send({"ev": "status", "state": "online"})

    one, journal = role(world, tells)
    one.boot()
    world.sim.run(until=1.0)
    assert ("saw", "status", {"state": "online"}) in journal


def test_its_clocks_are_the_machines(world):
    one, _ = role(world, serves)
    one.boot()
    world.sim.run(until=5.0)
    call = one.call("hello", {})
    world.sim.run(until=6.0)
    assert call.result == {"awake_s": world.client.clocks.monotonic() - 1.0}


def test_the_agent_speaks_while_the_program_has_it_and_is_silent_before_and_after(world):
    async def launches(door, platform):
        async with platform.launch_agent("/work") as pipe:
            with trio.move_on_at(trio.current_time() + 1.5):
                async for message in pipe:
                    world.note(message["method"])
        await trio.sleep(100)

    one, journal = role(world, launches)
    one.boot()
    one.act("say", {"text": "too early", "step": "s"})
    world.sim.run(until=1.0)
    one.act("say", {"text": "in time", "step": "s"})
    world.sim.run(until=2.0)
    one.act("say", {"text": "too late", "step": "s"})
    world.sim.run(until=3.0)
    assert [data["text"] for _, what, data in journal if what == "agent.said"] == ["in time"]
    assert [said[1] for said in world.said] == ["session/update"]


def test_files_outlive_the_program(world):
    async def writes(door, platform):
        world.note(platform.home.read("kept"))
        platform.home.write("kept", b"x")

    one, _ = role(world, writes)
    for _ in range(2):
        one.boot()
        world.sim.run(until=world.sim.now + 1.0)
    assert [said[1] for said in world.said] == [None, b"x"]
