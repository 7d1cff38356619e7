"""The guide's code is run, so that it cannot rot."""

import re
from pathlib import Path

import pytest

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.faults.model import FAULTS
from tests.harness.faults import test_catalogue as laws
from tests.harness.faults.example import Example, given

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "add-a-fault.md"


@pytest.fixture
def example():
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    room = {"__name__": "guide"}
    exec(compile(blocks[0], str(GUIDE), "exec", dont_inherit=True), room)
    yield eval(blocks[1], {"Example": Example, "FAULTS": FAULTS, "given": given})
    del FAULTS["stutters"]


@pytest.mark.parametrize(
    "law",
    [
        laws.test_bites_where_it_did_its_work,
        laws.test_does_not_bite_where_it_was_tried_in_vain,
        laws.test_does_not_bite_where_nothing_was_tried,
        laws.test_does_not_bite_on_book_keeping_alone,
        laws.test_does_not_bite_by_what_was_seen_before_it_began,
        laws.test_every_operation_is_in_the_table,
        laws.test_operations_begin_within_its_time_and_in_order,
        laws.test_says_how_every_world_realises_it,
    ],
    ids=lambda law: law.__name__.removeprefix("test_"),
)
def test_the_guides_fault_keeps_the_laws(law, example):
    law(example)


def test_the_guides_scenario_line_is_a_fault(example):
    fault = FAULTS["stutters"](link="host-relay", every_s=30, dark_s=5, for_s=600)
    assert len(fault.gaps_s) == 20
    assert fault.lasts_s == 600
    assert type(example.fault) is type(fault)
