import pytest
from hypothesis import given
from hypothesis import strategies as st

from reference.protocol.chunked import ChunkedBody, ChunkedFault
from reference.protocol.http_reply import LAST_CHUNK, chunk


@given(st.lists(st.binary(min_size=1, max_size=20)), st.binary(max_size=9), st.integers(1, 7))
def test_it_takes_its_body_and_not_a_byte_more(parts, behind, step):
    stream = b"".join(map(chunk, parts)) + LAST_CHUNK
    body, buffer, taken = ChunkedBody(), b"", 0
    for at in range(0, len(stream + behind), step):
        buffer += (stream + behind)[at : at + step]
        if not body.complete:
            used = body.feed(buffer)
            buffer, taken = buffer[used:], taken + used
    assert body.complete
    assert (bytes(body.data), taken, buffer) == (b"".join(parts), len(stream), behind)


@pytest.mark.parametrize("data", [b"x\r\n", b"\r\n", b"2\nhi", b"2\r\nhiX", b"0\r\nA: b\r\n\r\n", b"2\rhi"])
def test_the_grammar_is_kept(data):
    with pytest.raises(ChunkedFault) as fault:
        ChunkedBody().feed(data)
    assert fault.value.code == "bad-request"
