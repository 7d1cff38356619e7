"""What happened on the host and is not stored by the relay yet: contiguous numbers, bounded memory, nothing lost in silence."""

from collections import deque
from typing import Any

import msgspec

ITEMS_MAX = 10_000
"""Updates kept while the relay cannot be reached: a chatty agent says about one a second, ten minutes are 600."""

BATCH_ITEMS_MAX = 200
"""Items in one request."""

BATCH_BYTES_MAX = 192 * 1024
"""Bytes of items in one request; the relay takes 256 KiB."""

_encode = msgspec.json.Encoder().encode


class Outbox:
    """Items of one incarnation, numbered from 1.

    Receipts, questions and decisions are always kept (their number is bounded by what people do); updates above ``ITEMS_MAX`` or too large for
    one request are left out, and an update in their place says so.
    """

    def __init__(self) -> None:
        self._items: deque[tuple[int, msgspec.Raw]] = deque()
        self._last = 0
        self._left_out = 0

    def __len__(self) -> int:
        return len(self._items)

    @property
    def first(self) -> int:
        """Number of the oldest item kept, or of the next one."""
        return self._items[0][0] if self._items else self._last + 1

    def put(self, kind: str, body: dict[str, Any]) -> None:
        """Append an item."""
        if kind == "update" and len(self._items) >= ITEMS_MAX:
            self._left_out += 1
            return
        if self._left_out:
            count, self._left_out = self._left_out, 0
            self._append("update", _note(f"[{count} updates were left out: the relay could not be reached]"))
        self._append(kind, body)

    def _append(self, kind: str, body: dict[str, Any]) -> None:
        self._last += 1
        item = _encode({"n": self._last, "kind": kind, "body": body})
        if len(item) > BATCH_BYTES_MAX:
            note = f"[{kind} of {len(item)} bytes was left out: too large]"
            item = _encode({"n": self._last, "kind": "update", "body": _note(note)})
        self._items.append((self._last, msgspec.Raw(item)))

    def batch(self) -> list[msgspec.Raw]:
        """The oldest items that fit one request, in order; at least one if there is any."""
        batch: list[msgspec.Raw] = []
        size = 0
        for _, item in self._items:
            size += len(item)
            if batch and (size > BATCH_BYTES_MAX or len(batch) == BATCH_ITEMS_MAX):
                break
            batch.append(item)
        return batch

    def stored(self, upto: int) -> None:
        """The relay has stored everything up to this number."""
        while self._items and self._items[0][0] <= upto:
            self._items.popleft()


def _note(text: str) -> dict[str, Any]:
    return {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
