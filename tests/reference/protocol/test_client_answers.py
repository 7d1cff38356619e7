import json

import pytest

from reference.protocol.client_answers import RETRY_AFTER_S_MAX, relays_acceptance, relays_refusal, retry_after_s

PROBLEM = {"content-type": "application/problem+json; charset=utf-8"}
BODY = json.dumps({"type": "urn:relayproof:session-ended", "title": "over"}).encode()


def test_a_problem_of_our_type_is_the_relays_word():
    refused = relays_refusal(410, PROBLEM | {"retry-after": "7"}, BODY)
    assert (refused.code, refused.message, refused.retry_after_s) == ("session-ended", "over", 7.0)


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (410, {"content-type": "application/json"}, BODY),
        (410, {"content-type": "text/html"}, BODY),
        (410, {}, BODY),
        (200, PROBLEM, BODY),
        (302, PROBLEM, BODY),
        (410, PROBLEM, b'{"type": "about:blank"}'),
        (410, PROBLEM, b"<html>"),
        (410, PROBLEM, b"[]"),
    ],
)
def test_anything_else_is_somebody_elses(status, headers, body):
    assert relays_refusal(status, headers, body) is None


@pytest.mark.parametrize(
    ("status", "headers", "body", "is_success"),
    [
        (200, {"content-type": "application/json"}, b"{}", True),
        (202, {"content-type": "Application/JSON; charset=utf-8"}, b"{}", True),
        (200, {"content-type": "text/html"}, b"{}", False),
        (200, {"content-type": "application/json"}, b"[]", False),
        (200, {"content-type": "application/json"}, b"<html>welcome to the airport", False),
        (302, {"content-type": "application/json"}, b"{}", False),
    ],
)
def test_a_success_counts_only_as_json(status, headers, body, is_success):
    assert (relays_acceptance(status, headers, body) is not None) == is_success


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("20", 20.0),
        ("99999", RETRY_AFTER_S_MAX),
        ("-1", 0.0),
        ("Fri, 31 Dec 1999 23:59:59 GMT", 0.0),
        ("", 0.0),
        ("²", 0.0),
    ],
)
def test_retry_after_in_seconds_is_read_and_bounded(value, seconds):
    assert retry_after_s({"retry-after": value}) == seconds
