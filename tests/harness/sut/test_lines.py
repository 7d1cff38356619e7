from contextlib import aclosing

import pytest
import trio
import trio.testing

from harness.sut import lines
from harness.sut.lines import Garbage, line, objects


def read(*pieces):
    async def main():
        near, far = trio.testing.memory_stream_one_way_pair()

        async def write():
            for piece in pieces:
                await near.send_all(piece)
                await trio.testing.wait_all_tasks_blocked()
            await near.aclose()

        found, wrong = [], []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            try:
                async with aclosing(objects(far)) as messages:
                    found += [one async for one in messages]
            except Garbage as error:
                wrong.append(error)
                nursery.cancel_scope.cancel()
        return found, wrong

    found, wrong = trio.run(main)
    if wrong:
        raise wrong[0]
    return found


def test_objects_come_back_however_they_are_split():
    text = line({"a": "ü"}) + b"\n" + line({"b": [1, 2]})
    for cut in range(len(text)):
        assert read(text[:cut], text[cut:]) == [{"a": "ü"}, {"b": [1, 2]}]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"Welcome!\n", "not JSON: b'Welcome!'"),
        (b"[1]\n", "no JSON object"),
        (b"[" * 100_000 + b"\n", "not JSON"),
        (b"x" * 200, "more than 100 bytes"),
    ],
)
def test_what_is_no_line_of_the_contract_is_found_out(monkeypatch, text, told):
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 100)
    with pytest.raises(Garbage, match=told):
        read(text)


def test_the_end_in_mid_line_is_an_end():
    assert read(line({"a": 1}) + b'{"b"') == [{"a": 1}]
