import hashlib
import json

import pytest

from reference.protocol.acp import Asked
from reference.protocol.host_approvals import objection, question

ASKED = Asked(7, {"title": "run", "rawInput": {"b": 1, "a": "ü"}}, [{"optionId": "allow"}])


def test_the_digest_is_that_of_the_canonical_json():
    canonical = json.dumps(
        {"args": {"a": "ü", "b": 1}, "cwd": "/w", "epoch": 2, "tool": "run"}, separators=(",", ":"), ensure_ascii=False
    )
    assert question("q", ASKED, "/w", 2).digest == hashlib.sha256(canonical.encode()).hexdigest()


@pytest.mark.parametrize(("cwd", "epoch"), [("/other", 2), ("/w", 3)])
def test_the_digest_is_bound_to_place_and_incarnation(cwd, epoch):
    assert question("q", ASKED, cwd, epoch).digest != question("q", ASKED, "/w", 2).digest


@pytest.mark.parametrize(
    ("changed", "epoch", "why"),
    [
        ({}, 2, ""),
        ({}, 1, "stale-epoch"),
        ({"digest": None}, 2, "digest-mismatch"),
        ({"option": "else"}, 2, "unknown-option"),
    ],
)
def test_a_decision_answers_only_what_it_names(changed, epoch, why):
    asked = question("q", ASKED, "/w", 2)
    assert objection(asked, {"digest": asked.digest, "option": "allow"} | changed, epoch) == why
