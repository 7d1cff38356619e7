"""The border to a system under test, as values: one call, and which answers are definite.

Source: docs/spec/sut.md. Deliberately absent: transport (in process here, standard streams in the wire world).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

INDEFINITE = frozenset({"network", "deadline", "timeout", "storage-failed", "draining"})
"""Error codes after which the operation may have happened all the same (maelstrom's ``definite?``)."""

PROBE_VERB = "qxzv"
"""A verb nobody offers: a role that answers it with anything but ``unsupported`` is not to be trusted (quic-interop-runner's 127 probe)."""


MESSAGE_SHOWN = 1000
"""Characters of a program's message that are quoted."""


@dataclass(slots=True)
class Call:
    """A SUT verb under way; ``reply`` is the role's reply object once there is one."""

    verb: str
    args: dict[str, Any]
    reply: dict[str, Any] | None = None
    _then: list[Callable[[], None]] = field(default_factory=list)

    def answer(self, reply: dict[str, Any]) -> None:
        """Take the role's reply; only the first counts."""
        if self.reply is None:
            self.reply = reply
            for act in self._then:
                act()

    def when_done(self, act: Callable[[], None]) -> None:
        """Have ``act`` called once there is a reply."""
        if self.done:
            act()
        else:
            self._then.append(act)

    @property
    def done(self) -> bool:
        """Whether the role has answered."""
        return self.reply is not None

    @property
    def result(self) -> dict[str, Any] | None:
        """The ``ok`` object, or None if there is no answer, an error, or something that is no object."""
        found = None if self.reply is None else self.reply.get("ok")
        return found if isinstance(found, dict) else None

    @property
    def error(self) -> str:
        """The error's code, or empty."""
        return str(self._err.get("code", ""))

    @property
    def _err(self) -> dict[str, Any]:
        found = None if self.reply is None else self.reply.get("err")
        return found if isinstance(found, dict) else {}

    @property
    def why(self) -> str:
        """For people: the error's code, and what is said about it; or that there is no answer."""
        if self.reply is None:
            return "no answer"
        message = str(self._err.get("message", ""))[:MESSAGE_SHOWN]
        code = self.error or f"an answer that says neither ok nor a code of an error: {str(self.reply)[:MESSAGE_SHOWN]}"
        return f"{code} ({message})" if message else code

    @property
    def outcome(self) -> Literal["ok", "fail", "info"]:
        """Jepsen's outcome: it happened, it did not, nobody knows."""
        if self.result is not None:
            return "ok"
        return "info" if self.reply is None or self.error in INDEFINITE else "fail"
