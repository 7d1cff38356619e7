import pytest
import trio
import trio.testing

from reference.native import lines
from reference.native.lines import line, objects


def read(*pieces):
    async def main():
        near, far = trio.testing.memory_stream_one_way_pair()
        refused = []

        async def write():
            for piece in pieces:
                await near.send_all(piece)
                await trio.testing.wait_all_tasks_blocked()
            await near.aclose()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(write)
            found = [one async for one in objects(far, refused.append)]
        return found, refused

    return trio.run(main)


def test_objects_come_back_however_they_are_split():
    text = line({"a": "ü"}) + line({"b": [1, 2]})
    for cut in range(len(text)):
        assert read(text[:cut], text[cut:]) == ([{"a": "ü"}, {"b": [1, 2]}], [])


def test_what_is_no_object_is_refused_and_reading_goes_on():
    found, refused = read(b"x\n\n[1]\n", b'{"a": 1}\n')
    assert found == [{"a": 1}]
    assert [why.partition(":")[0] for why in refused] == ["not JSON", "not an object"]


def test_a_line_without_end_is_not_kept_for_ever(monkeypatch):
    monkeypatch.setattr(lines, "LINE_BYTES_MAX", 100)
    with pytest.raises(ExceptionGroup) as stopped:
        read(b"x" * 60, b"x" * 60, b"\n")
    assert stopped.group_contains(ValueError, match="more than 100 bytes")


def test_what_is_deeply_nested_is_refused():
    found, refused = read(b"[" * 100_000 + b"\n", b'{"a": 1}\n')
    assert (len(found), len(refused)) == (1, 1)
