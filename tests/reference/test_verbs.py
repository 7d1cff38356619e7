"""The door of a client program: every request is answered, whatever it says."""

from types import SimpleNamespace

import pytest
import trio
import trio.testing

from reference.platform import Door
from reference.protocol.client_io import Exit, Reply
from reference.protocol.instant import Instant
from reference.verbs import Program

URL = "https://relay.test"


class Machine:
    """Replies to its actions, which are ``(ticket, word)``; ends at the word ``end``."""

    def screen(self):
        return {"title": "t"}

    def handle(self, action, _now):
        ticket, word = action
        over = [Exit(7, "ended", "The end.")] if word == "end" else []
        return [Reply(ticket, ok={"word": word}), *over]

    def next_deadline(self):
        return None


class Driver:
    """What ``Program`` needs of a driver."""

    def __init__(self, _platform, machine, dialler, send):
        self.machine, self.dialler, self.send, self.exit = machine, dialler, send, None
        self._out, self._in = trio.open_memory_channel(100)

    def put(self, action):
        self._out.send_nowait(action)

    async def run(self):
        async for action in self._in:
            for effect in self.machine.handle(action, 0.0):
                if isinstance(effect, Exit):
                    self.exit = effect
                    return effect.code
                self.send({"id": effect.ticket, "ok": effect.ok})
        return None


ACTIONS = {
    "start": lambda ticket, args: (ticket, f"start {args['relay_url']}"),
    "say": lambda ticket, args: (ticket, str(args["word"])),
}


def ask(*requests):
    """Put requests through the door; returns the exit code and everything that came back."""
    said = []

    async def main():
        out, incoming = trio.open_memory_channel(100)
        for number, (verb, args) in enumerate(requests, 1):
            out.send_nowait({"id": number, "verb": verb, "args": args})
            await trio.lowlevel.checkpoint()
        platform = SimpleNamespace(
            environ={}, home=SimpleNamespace(read=lambda _name: None), instant=lambda: Instant(1.0, 2.0, 3.0)
        )
        program = Program("host", Door(incoming, said.append), platform, Machine(), Driver, ACTIONS, {"promote": True})
        with trio.move_on_after(10):
            return await program.serve()
        return None

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0)), said


START = ("start", {"relay_url": URL})


def test_hello_names_every_verb():
    _, (hello,) = ask(("hello", {}))
    assert hello["ok"]["verbs"] == ["hello", "start", "say", "screen", "clock", "bye"]
    assert (hello["ok"]["roles"], hello["ok"]["claims"]) == (["host"], {"promote": True})


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (("qxzv", {}), "unsupported"),
        ((None, {}), "unsupported"),
        (("say", {"word": "hi"}), "bad-args"),
        (("start", {}), "bad-args"),
        (("start", {"relay_url": URL, "proxy": "socks5://x:1"}), "bad-args"),
    ],
)
def test_what_cannot_be_done_is_said(request_, code):
    _, (answer,) = ask(request_)
    assert answer["err"]["code"] == code
    assert answer["err"]["message"]


def test_its_clocks_are_the_machines():
    _, (answer,) = ask(("clock", {}))
    assert answer["ok"] == {"monotonic_s": 1.0, "wall_s": 3.0}


def test_after_start_the_machine_answers():
    _, said = ask(START, ("say", {"word": "hi"}), ("say", {}), ("screen", None))
    by_id = {one["id"]: one for one in said}
    assert by_id[1] == {"id": 1, "ok": {"word": f"start {URL}"}}
    assert by_id[2] == {"id": 2, "ok": {"word": "hi"}}
    assert by_id[3]["err"]["code"] == "bad-args"
    assert by_id[4]["ok"] == {"title": "t"}


def test_the_end_is_announced_with_its_code():
    code, said = ask(START, ("say", {"word": "end"}))
    assert code == 7
    assert said[-1] == {"ev": "exiting", "code": 7, "reason": "ended", "message": "The end."}


def test_bye_is_answered_and_ends_everything():
    code, said = ask(START, ("bye", {}), ("hello", {}))
    assert code == 0
    assert {"id": 2, "ok": {}} in said
    assert 3 not in {one.get("id") for one in said}
