"""The null path for real: needs root and network namespaces; without the proxies, whose part is in the runs of ``test_world``."""

import pytest
import trio

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.base.errors import WorldError
from harness.worlds.pki import Authority
from harness.worlds.wire import calibration
from harness.worlds.wire.calibration import SAMPLES, calibrate, percentile
from harness.worlds.wire.namespaces import unavailable
from harness.worlds.wire.routed import Routed


@pytest.mark.parametrize(("rank", "found"), [(50, 2.0), (75, 3.0), (99, 4.0), (100, 4.0), (0, 1.0)])
def test_a_percentile_is_one_of_the_samples(rank, found):
    assert percentile([4.0, 1.0, 3.0, 2.0], rank) == found


def measured(folder, carry):
    async def whole():
        ground = Routed(["host", "phone"], folder, lambda *_: None, lambda ns: ns / 1e9)
        try:
            async with trio.open_nursery() as nursery:
                await ground.start(nursery)
                for client in ("host", "phone"):
                    await nursery.start(carry, ground, client)
                found = await calibrate(ground, Authority(1, "public"), ["host", "phone"])
                nursery.cancel_scope.cancel()
        finally:
            ground.close()
        return found

    return trio.run(whole)


async def pass_on(ground, client, task_status):
    """Stand in for the link's proxy and the tap."""
    front = ground.namespaces.front(client, "relay")

    async def pump(source, sink):
        async for data in source:
            await sink.send_all(data)
        await sink.send_eof()

    async def serve(near):
        async with await trio.open_tcp_stream(*ground.relay_at) as far, trio.open_nursery() as nursery:
            nursery.start_soon(pump, near, far)
            nursery.start_soon(pump, far, near)

    await trio.serve_tcp(serve, ground.relay_port, host=front, task_status=task_status)


async def swallow(ground, client, task_status):
    """A path that takes everything and gives nothing."""

    async def serve(near):
        async for _ in near:
            pass

    await trio.serve_tcp(
        serve, ground.relay_port, host=ground.namespaces.front(client, "relay"), task_status=task_status
    )


@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_every_client_has_its_round_trips(tmp_path):
    found = measured(tmp_path, pass_on)
    assert {client: len(trips) for client, trips in found.items()} == {"host": SAMPLES, "phone": SAMPLES}
    assert all(0.0 < trip < 10.0 for trips in found.values() for trip in trips)


@pytest.mark.skipif(bool(unavailable()), reason=unavailable() or "they can be had")
def test_a_path_that_carries_nothing_is_an_error_and_no_zero(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration, "CALIBRATION_S", 0.5)
    with pytest.raises(BaseExceptionGroup) as raised:
        measured(tmp_path, swallow)
    assert raised.group_contains(WorldError, match="the null path carries nothing")
