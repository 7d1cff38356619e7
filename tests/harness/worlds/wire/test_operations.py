from types import SimpleNamespace

import pytest

pytest.importorskip("dns", reason="the extra `wire` is not installed; `make setup-wire` installs it")
pytest.importorskip("toxiproxy", reason="the extra `wire` is not installed; `make setup-wire` installs it")

from harness.base.errors import WorldError
from harness.faults.model import Operation
from harness.worlds.wire.operations import perform
from harness.worlds.wire.toxiproxy import LinkProxy


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"how": "hold", "direction": "up"}, "cannot hold one direction of host-relay only"),
        ({"how": "slowly"}, "cannot be blocked by 'slowly'"),
    ],
)
def test_a_block_that_cannot_be_had_is_refused(args, says):
    with pytest.raises(WorldError, match=says):
        perform(SimpleNamespace(links={}), Operation("block", {"link": "host-relay"} | args))


def test_a_limit_is_healed_in_its_own_direction():
    removed, healed = [], []
    toxics = ["limit_data_upstream", "limit_data_downstream", "timeout_upstream"]
    proxy = LinkProxy(
        None, 1, _toxics=toxics, _proxy=SimpleNamespace(destroy_toxic=removed.append, get_toxic=lambda _: None)
    )
    routed = SimpleNamespace(heal_limits=lambda *what: healed.append(what))
    stage = SimpleNamespace(links={"host-relay": proxy}, routed=routed)
    perform(stage, Operation("truncate", {"link": "host-relay", "direction": "up"}))
    assert (removed, healed) == (["limit_data_upstream"], [("host-relay", "up")])
