import json
import subprocess
import sys

import pytest
import trio

from harness.sut import agent_process


@pytest.mark.slow
def test_it_speaks_when_told_and_journals_what_it_does(tmp_path):
    path = tmp_path / "agent"

    async def main():
        sock = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
        await sock.bind(str(path))
        sock.listen(1)
        command = [sys.executable, "-m", agent_process.__name__, str(path)]
        agent = await trio.lowlevel.open_process(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        async with trio.SocketListener(sock) as listener, await listener.accept() as control:
            await control.send_all(b'{"act": "say", "args": {"text": "one", "step": "s"}}\n')
            said = json.loads(await agent.stdout.receive_some())
            prompt = {"jsonrpc": "2.0", "id": 1, "method": "session/prompt", "params": {"prompt": [{"text": "hi"}]}}
            await agent.stdin.send_all(json.dumps(prompt).encode() + b"\n")
            answered = json.loads(await agent.stdout.receive_some())
            journal = b""
            while journal.count(b"\n") < 2:
                journal += await control.receive_some()
            await agent.stdin.aclose()
            await agent.stdout.aclose()
            with trio.fail_after(30):
                assert await agent.wait() == 0
        return said, answered, [json.loads(line) for line in journal.splitlines()]

    said, answered, journal = trio.run(main)
    assert said["params"]["update"]["content"]["text"] == "one"
    assert answered["result"] == {"stopReason": "end_turn"}
    assert [(entry["what"], entry["data"]["text"]) for entry in journal] == [
        ("agent.said", "one"),
        ("agent.heard", "hi"),
    ]
