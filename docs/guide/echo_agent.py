#!/usr/bin/env python3
"""The smallest agent that a host can run: the Agent Client Protocol on its standard streams, and each prompt said back."""

import json
import sys


def write(message: dict[str, object]) -> None:
    """One JSON-RPC object, one line."""
    print(json.dumps({"jsonrpc": "2.0", **message}), flush=True)  # noqa: T201 - this is how an agent speaks


for line in sys.stdin:
    asked = json.loads(line)
    if asked.get("method") == "initialize":
        write({"id": asked["id"], "result": {"protocolVersion": 1}})
    elif asked.get("method") == "session/new":
        write({"id": asked["id"], "result": {"sessionId": "echo"}})
    elif asked.get("method") == "session/prompt":
        said = {"type": "text", "text": "You said: " + asked["params"]["prompt"][0]["text"]}
        update = {"sessionUpdate": "agent_message_chunk", "content": said}
        write({"method": "session/update", "params": {"sessionId": "echo", "update": update}})
        write({"id": asked["id"], "result": {"stopReason": "end_turn"}})
