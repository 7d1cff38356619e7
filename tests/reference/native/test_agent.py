import os
import sys
from contextlib import aclosing

import pytest
import trio

from reference.native.agent import launched

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"


def talk(command, *said):
    complaints = []

    async def main():
        async with launched(command, ".", {}, complaints.append) as pipe:
            for one in said:
                await pipe.send(one)
            heard = []
            async with aclosing(aiter(pipe)) as words:
                async for one in words:
                    heard.append(one)
                    if len(heard) == len(said):
                        break
            return heard

    return trio.run(main), complaints


def test_an_agent_hears_and_is_heard():
    heard, complaints = talk([sys.executable, "-c", ECHO], {"id": 1}, {"id": 2})
    assert heard == [{"id": 1}, {"id": 2}]
    assert complaints == []


def test_an_agent_that_cannot_be_started_has_ended():
    heard, complaints = talk(["/no/such/agent"])
    assert heard == []
    assert complaints == ["agent: cannot start '/no/such/agent' in .: No such file or directory"]


def test_noise_of_an_agent_is_told_and_passed_over():
    script = "print('hello'); print('{\"id\": 1}', flush=True); import sys; sys.stdin.read()"
    heard, complaints = talk([sys.executable, "-c", script], {"ignored": True})
    assert heard == [{"id": 1}]
    assert complaints == ["agent: a line is not JSON: Expecting value: line 1 column 1 (char 0)"]


def test_an_agent_that_does_not_leave_is_ended():
    script = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint('{}', flush=True)\ntime.sleep(600)"
    )
    heard, _ = talk([sys.executable, "-c", script], {})
    assert heard == [{}]


def test_writing_to_an_agent_that_is_gone_is_no_error():
    heard, _ = talk([sys.executable, "-c", "pass"], *({"n": n} for n in range(3)))
    assert heard == []


@pytest.mark.parametrize("apart", [False, True])
def test_signals_of_a_terminal_pass_by_an_agent_that_stands_apart(apart):
    async def main():
        script = "import json, os, sys; print(json.dumps({'group': os.getpgrp()}), flush=True); sys.stdin.read()"
        async with (
            launched([sys.executable, "-c", script], ".", {}, print, apart=apart) as pipe,
            aclosing(aiter(pipe)) as words,
        ):
            return await anext(words)

    assert (trio.run(main)["group"] != os.getpgrp()) is apart


def test_what_an_agent_makes_is_open_to_whom_its_person_says(tmp_path):
    script = "import sys; open('made', 'w'); print('{}', flush=True); sys.stdin.read()"

    async def main():
        async with (
            launched([sys.executable, "-c", script], str(tmp_path), {}, print, umask=0o022) as pipe,
            aclosing(aiter(pipe)) as words,
        ):
            await anext(words)

    before = os.umask(0o077)
    trio.run(main)
    os.umask(before)
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o644
