"""A real process that is told things and says things."""

import sys
from dataclasses import dataclass, field

import pytest
import trio

from harness.base.errors import WorldError
from harness.worlds.wire import attendant
from harness.worlds.wire.attendant import Attendant
from harness.worlds.wire.children import Children
from tests.harness.worlds.wire.home import AT_HOME

ECHOES = 'import sys; print(\'{"ready": true}\', flush=True)\nfor line in sys.stdin: print(line, end="", flush=True)'
MUTE = "import time; time.sleep(600)"
LEAVES = "print('{\"ready\": true}')"


@dataclass
class Echo(Attendant):
    said: list = field(default_factory=list)
    news: trio.Event = field(default_factory=trio.Event)

    @property
    def title(self):
        return "the echo"

    def take(self, told):
        if told.get("ready"):
            self.ready.set()
            return
        self.said.append(told)
        self.news.set()


def attended(program, act):
    async def whole():
        with Children() as children:
            children.before = AT_HOME
            try:
                async with trio.open_nursery() as nursery:
                    one = Echo()
                    await one.start(children, nursery, "echo", [sys.executable, "-c", program], {})
                    with trio.fail_after(20):
                        await act(one)
                    one.end()
                    await children.reap_all()
            finally:
                await children.reap_all()

    trio.run(whole)


def test_what_it_is_told_it_hears_and_what_it_says_is_taken():
    async def act(one):
        one.say({"word": "hello"})
        await one.news.wait()
        assert one.said == [{"word": "hello"}]

    attended(ECHOES, act)


def test_one_that_never_does_its_work_is_an_error(monkeypatch):
    monkeypatch.setattr(attendant, "READY_S", 0.2)
    with pytest.raises(BaseExceptionGroup) as raised:
        attended(MUTE, None)
    assert raised.group_contains(WorldError, match="the echo does not start")


def test_one_that_leaves_by_itself_is_an_error():
    async def act(_one):
        await trio.sleep_forever()

    with pytest.raises(BaseExceptionGroup) as raised:
        attended(LEAVES, act)
    assert raised.group_contains(WorldError, match="the echo ended")
