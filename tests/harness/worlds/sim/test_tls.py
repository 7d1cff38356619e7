"""The tap hears what clients read and write, connection by connection."""

import trio


def test_plaintext_of_a_client_is_heard_with_its_connection(world):
    async def get():
        await world.get("/one")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(world.get, "/two")
            nursery.start_soon(world.get, "/three")

    world.server.boot(world.serve_https)
    world.client.boot(get)
    world.sim.run(until=10.0)
    dialled = [data["conn"] for data in world.of("socket.dialled", "client")]
    out = {
        conn: data.split(b" ")[1] for machine, conn, way, data in world.heard if way == "out" and machine == "client"
    }
    assert sorted(out) == dialled == [1, 2, 3]
    assert sorted(out.values()) == [b"/one", b"/three", b"/two"]
    for conn in dialled:
        heard = b"".join(data for _, one, way, data in world.heard if way == "in" and one == conn)
        assert heard.endswith(b"hello")
    assert {machine for machine, *_ in world.heard} == {"client"}


def test_answer_of_an_armed_path_vanishes_and_the_request_does_not(world):
    world.perform("drop_answer", machine="client", path="/one", count=1)
    answers = []

    async def get():
        answers.extend([await world.get(path) for path in ("/two", "/one", "/one")])

    world.server.boot(world.serve_https)
    world.client.boot(get)
    world.sim.run(until=60.0)
    assert [getattr(answer, "text", answer) for answer in answers] == ["hello", "ReadTimeout", "hello"]
    assert world.of("answer.dropped", "client") == [{"conn": 2, "path": "/one"}]
