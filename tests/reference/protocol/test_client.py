import pytest

from reference.protocol.client import TOKEN_ANSWER, Ask

TOKEN = Ask("/v1/token", needs=TOKEN_ANSWER)


def test_an_answer_with_all_that_it_must_carry_is_taken():
    assert TOKEN.is_met_by({"access_token": "rca_x", "expires_in": 600, "scope": "host:stream"})


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"echo": "/v1/token"},
        {"access_token": "", "expires_in": 600},
        {"access_token": "rca_x"},
        {"access_token": "rca_x", "expires_in": "soon"},
        {"access_token": 7, "expires_in": 600},
    ],
)
def test_an_answer_without_it_is_nobodys(body):
    assert not TOKEN.is_met_by(body)
