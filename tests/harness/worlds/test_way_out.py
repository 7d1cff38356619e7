import base64
from dataclasses import fields

import pytest

from harness.base.errors import WorldError
from harness.faults.model import MIDDLEBOX_SETTINGS
from harness.scenario import given
from harness.worlds.way_out import BAD_GATEWAY, CHALLENGE, PAGES, PASSWORD, TO_PORTAL, WAYS_OUT, Settings, refusal


def test_every_setting_of_a_middlebox_is_there():
    assert {*(field.name for field in fields(Settings)), "drop_tunnels"} == set(MIDDLEBOX_SETTINGS)


def test_every_way_out_of_the_language_is_there():
    assert set(WAYS_OUT) == set(given.WAYS_OUT)


def test_an_absent_setting_stays_and_none_is_what_was_given():
    way = Settings(password="first")
    now = way.changed(way, {"password": "second", "buffers": True})
    assert now == Settings(password="second", buffers=True)
    assert now.changed(way, {"password": None}) == Settings(password="first", buffers=True)


def test_an_unknown_setting_is_refused():
    with pytest.raises(WorldError, match="no setting colour"):
        Settings().changed(Settings(), {"colour": "red"})


def test_the_password_stands_in_the_address_that_a_user_configures():
    assert WAYS_OUT["password"].proxy_url("proxy.corp:3128") == "http://employee:correct%20horse@proxy.corp:3128"
    assert WAYS_OUT["plain"].proxy_url("localhost:7") == "http://localhost:7"


@pytest.mark.parametrize("page", [BAD_GATEWAY, CHALLENGE, TO_PORTAL, *PAGES.values()])
def test_a_page_is_a_whole_response(page):
    head, _, body = page.raw.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {page.status} ".encode())
    assert f"content-length: {len(body)}".encode() in head
    assert b"connection: close" in head


def test_only_a_challenge_says_how_to_sign_in():
    assert [b"proxy-authenticate" in page.raw for page in (CHALLENGE, PAGES["forbidden"])] == [True, False]


def basic(password):
    return "Basic " + base64.b64encode(f"employee:{password}".encode()).decode()


@pytest.mark.parametrize(
    ("settings", "method", "credentials", "page"),
    [
        (Settings(), "CONNECT", "", None),
        (Settings(), "GET", "", PAGES["forbidden"]),
        (WAYS_OUT["password"], "CONNECT", basic(PASSWORD), None),
        (WAYS_OUT["password"], "CONNECT", basic("wrong"), CHALLENGE),
        (WAYS_OUT["password"], "CONNECT", "", CHALLENGE),
        (WAYS_OUT["password"], "CONNECT", "Basic é", CHALLENGE),
        (WAYS_OUT["password"], "CONNECT", "Basic =", CHALLENGE),
        (WAYS_OUT["password"], "CONNECT", f"Bearer {basic(PASSWORD)[6:]}", CHALLENGE),
        (Settings(answers="html"), "CONNECT", "", PAGES["html"]),
        (Settings(answers="html", inspects="trusted"), "CONNECT", "", None),
        (Settings(portal=True), "GET", "", PAGES["redirect"]),
        (Settings(portal=True), "CONNECT", "", None),
    ],
)
def test_each_request_has_its_answer(settings, method, credentials, page):
    assert refusal(settings, method, credentials) is page
