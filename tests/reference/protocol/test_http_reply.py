import httptools
import pytest

from reference.protocol.errors import ERRORS
from reference.protocol.http_reply import LAST_CHUNK, chunk, reply, stream_head


class Heard:
    """What a client's parser makes of the bytes."""

    def __init__(self, data):
        self.headers, self.body, self.complete, self.keeps = {}, b"", False, None
        self.parser = parser = httptools.HttpResponseParser(self)
        parser.feed_data(data)
        self.status = parser.get_status_code()

    def on_header(self, name, value):
        self.headers[name.decode().lower()] = value.decode()

    def on_headers_complete(self):
        self.keeps = self.parser.should_keep_alive()

    def on_body(self, body):
        self.body += body

    def on_message_complete(self):
        self.complete = True


@pytest.mark.parametrize("status", sorted({200, 201} | {row.status for row in ERRORS.values()}))
def test_every_status_of_ours_is_a_whole_answer(status):
    heard = Heard(reply(status, (("X-A", "b"),), b"body", close=False))
    assert (heard.status, heard.body, heard.complete, heard.keeps) == (status, b"body", True, True)
    assert heard.headers == {"cache-control": "no-store", "x-a": "b", "content-length": "4"}


def test_an_end_is_announced():
    heard = Heard(reply(400, (), b"", close=True))
    assert heard.headers["connection"] == "close"
    assert not heard.keeps


def test_a_stream_is_whole_after_its_last_chunk_only():
    sent = stream_head((("Content-Type", "text/event-stream"),)) + chunk(b"one") + chunk(b"x" * 300)
    heard = Heard(sent)
    assert (heard.body, heard.complete) == (b"one" + b"x" * 300, False)
    assert Heard(sent + LAST_CHUNK).complete


def test_an_empty_chunk_would_be_the_end():
    with pytest.raises(AssertionError):
        chunk(b"")


def test_no_header_can_end_the_head():
    with pytest.raises(AssertionError):
        reply(200, (("X-A", "b\r\n\r\nHTTP/1.1 200 OK"),), b"", close=False)
