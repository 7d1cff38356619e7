"""Every fault of the catalogue can be written, from its class alone."""

import dataclasses
from typing import ClassVar, Literal

import pytest

from harness.faults.model import Fault
from harness.history.plan import Contract
from harness.scenario.limits import Misfit
from harness.scenario.parameters import faults, parameters, primary, read
from harness.scenario.values import READERS

CONTRACT = Contract()


@dataclasses.dataclass(frozen=True, kw_only=True)
class Odd(Fault):
    """A fault with one field of each kind; never registered."""

    name: ClassVar[str] = "odd"
    subject: ClassVar[Literal["link", "machine"]] = "machine"
    primary: ClassVar[str] = "idle_s"

    machine: str
    idle_s: float
    from_: str = "relay"
    how: Literal["black_hole", "reset"] = "reset"
    share_ratio: float = 0.0
    chunk_bytes: float = 1.0
    pace_bytes_per_s: float | None = None
    jitter_s: float = 0.0
    offset_s: float = dataclasses.field(default=1.0, metadata={"signed": True})
    times: int = 1
    hard: bool = False

    lasts_s = 1.0  # type: ignore[assignment]
    begin = heal = evidence = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    ("name", "value", "field", "found"),
    [
        ("idle", "5m", "idle_s", 300.0),
        ("from", "phone", "from_", "phone"),
        ("how", "black hole", "how", "black_hole"),
        ("how", "black_hole", "how", "black_hole"),
        ("share", "5%", "share_ratio", 0.05),
        ("chunk", "20kB", "chunk_bytes", 20_000.0),
        ("pace", "32kbit", "pace_bytes_per_s", 4_000.0),
        ("jitter", "0s", "jitter_s", 0.0),
        ("offset", "-1h", "offset_s", -3600.0),
        ("times", 3, "times", 3),
        ("hard", True, "hard", True),
    ],
)
def test_fields_are_written_by_their_names(name, value, field, found):
    item = parameters(Odd)[name]
    assert (item.field, read(item, value, CONTRACT)) == (field, found)


def test_the_machine_is_no_parameter_and_the_primary_one_is_known():
    assert "machine" not in parameters(Odd)
    assert primary(Odd).field == "idle_s"
    assert [item.name for item in parameters(Odd).values() if item.required] == ["idle"]


def test_a_wrong_word_names_the_right_one():
    with pytest.raises(Misfit) as misfit:
        read(parameters(Odd)["how"], "blackhole", CONTRACT)
    assert "black hole" in misfit.value.remedy


@pytest.mark.parametrize("name", sorted(faults()))
def test_every_fault_of_the_catalogue_can_be_written(name):
    cls = faults()[name]
    assert all(item.kind in READERS for item in parameters(cls).values())
    assert cls.subject == "machine" or primary(cls).field == "link"
