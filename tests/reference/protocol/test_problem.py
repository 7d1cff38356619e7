import json

import pytest

from reference.protocol.errors import ERRORS
from reference.protocol.problem import Refused, problem


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_every_code_is_a_whole_problem_document(code):
    answer = problem(7, code)
    body = json.loads(answer.body)
    assert (answer.rid, answer.status, body["status"]) == (7, ERRORS[code].status, ERRORS[code].status)
    assert body["type"] == f"urn:relayproof:{code}"
    assert body["retryable"] is ERRORS[code].retryable
    assert ("Content-Type", "application/problem+json") in answer.headers
    assert (dict(answer.headers).get("WWW-Authenticate", "").startswith("Bearer ")) is (answer.status == 401)


@pytest.mark.parametrize(("code", "is_named"), [("token-missing", False), ("token-expired", True)])
def test_only_a_token_that_was_sent_is_called_invalid(code, is_named):
    challenge = dict(problem(1, code).headers)["WWW-Authenticate"]
    assert ('error="invalid_token"' in challenge) is is_named


def test_what_else_is_said_stands_beside_the_rest():
    answer = problem(1, "draining", (("Retry-After", "5"),), expected=3)
    assert json.loads(answer.body)["expected"] == 3
    assert dict(answer.headers)["Retry-After"] == "5"


def test_a_refusal_carries_what_its_answer_says():
    refused = Refused("draining", (("Retry-After", "5"),), expected=3)
    assert (refused.code, refused.headers, refused.extra) == ("draining", (("Retry-After", "5"),), {"expected": 3})
