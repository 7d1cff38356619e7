import os
import subprocess
import sys

import pytest
import trio

from harness.base.errors import WorldError
from harness.worlds.wire import strays
from harness.worlds.wire.children import Children
from harness.worlds.wire.process_table import everybody

LEAVES = """
import os, subprocess, sys
subprocess.Popen([{python!r}, "-c", "import time; time.sleep(600)", {mark!r}], start_new_session=True, env={env})
print("up", flush=True)
{then}
"""


MARK = f"stray-of-a-test-{os.getpid()}"


def strays_left():
    return [one for one in everybody() if MARK.encode() in one.read("cmdline")]


def leave(env, then=""):
    async def main():
        with Children() as children:
            script = LEAVES.format(python=sys.executable, env=env, then=then, mark=MARK)
            command = [sys.executable, "-c", script]
            child = await children.start("child", command, {"HOME": str(children.folder)}, talks=True)
            assert await child.process.stdout.receive_some() == b"up\n"
            assert strays_left()
            await children.reap_all()
            assert not strays_left()

    trio.run(main)


@pytest.mark.parametrize("env", ["os.environ", "{}"], ids=["as it is", "hidden"])
@pytest.mark.parametrize("then", ["", "import time; time.sleep(600)"], ids=["gone", "killed"])
def test_whoever_has_left_its_group_is_ended(env, then):
    leave(env, then)


def test_a_child_of_our_own_session_is_nobodys_stray():
    with strays.orphans_adopted(), subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as own:
        assert strays.end_strays(b"no such mark anywhere", set()) == 0
        assert own.poll() is None
        own.stdin.close()


def test_new_ones_without_end_are_an_error(monkeypatch):
    monkeypatch.setattr(strays, "ROUNDS_MAX", 0)
    with pytest.raises(WorldError, match="still more"):
        strays.end_strays(b"x", set())
