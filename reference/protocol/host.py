"""The host: it dials out, registers its session, sends up what happens, and lets devices in on it. Pure: no I/O, no clock, no entropy of its own.

The life of the program is ``phase`` (``host_state``); the state of its connection is ``status``, worked out from when each direction was
last heard. Deliberately absent: the session's content (``host_session.py``) and how its agent is launched.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from reference.protocol.client import Ask, Lane, encode
from reference.protocol.client_answers import Fault, Refused
from reference.protocol.client_io import Print, Reply, Tell
from reference.protocol.host_exits import exit_for
from reference.protocol.host_io import LaunchAgent, Press, Start, Stop, ToAgent
from reference.protocol.host_session import HostSession
from reference.protocol.host_state import HANDLERS, IGNORED, NEXT, Phase
from reference.protocol.timers import Timers

if TYPE_CHECKING:
    import random

STOP_S = 5.0
"""A graceful stop tries so long to bring up what is unsent; the field's precedent is 1.5 s, a slow proxy needs more."""

CLOSED_S = 1.0
"""A closed terminal ends the session at once; one second is for telling the relay."""

LINES_MAX = 200
"""Lines kept for the screen."""


class HostMachine(HostSession):
    """One run of the host program, from start to exit."""

    TABLE = HANDLERS
    IGNORED = IGNORED
    stream_scope = "host:stream"

    def __init__(self, timers: Timers, entropy: "random.Random") -> None:
        super().__init__(timers, entropy)
        self.phase = Phase.IDLE
        self.url = ""
        self.qr = False
        self.status: tuple[str, str] = ("connecting", "")
        self.lines: deque[str] = deque(maxlen=LINES_MAX)
        self._start: Start | None = None
        self._incarnation = ""
        self._beat = 0
        self._sent_s = self._stored_s = self._told_s = float("-inf")
        self._told_heard_s = float("inf")
        self._stop_at_s = float("inf")
        self._stop_reason = self._reason = ""
        self._live_at_s = 0.0

    # --- policies

    def on_outage_limit(self) -> None:
        """The ten minutes are over: end, saying so, unless the contract says to go on trying (ART-19)."""
        if self.contract.on_outage == "exit":
            self.end("outage")

    def is_outage_over_limit(self) -> bool:
        """Whether the relay was last heard an outage limit ago."""
        return self.outage_clock(self._now) >= self.heard_s + self.contract.outage_limit_s

    def refuses_to_start(self, start: Start) -> str:
        """Why a start is refused before anything is asked of the relay; empty if it is not."""
        return "permissions-skipped" if start.permissions != "ask" else ""

    # --- the owner's actions

    def on_start(self, start: Start) -> None:
        """Open the session to devices."""
        self._start = start
        self.contract, self.credential = start.contract, start.credential
        self.title, self.cwd = start.title, start.cwd
        self._incarnation = f"{self.entropy.getrandbits(128):032x}"
        self.heard_s = self.outage_clock(self._now)
        self.enter(Phase.STARTING)
        why = self.refuses_to_start(start)
        if why:
            self.end(why)
            return
        self.put_history(start.history)

    def on_start_again(self, start: Start) -> None:
        """One remote session for each run (ART-20)."""
        self.do(Reply(start.ticket, err={"code": "bad-args", "message": "the session runs already"}))

    def on_too_soon(self, action: Any) -> None:
        """There is no session yet."""
        self.do(Reply(action.ticket, err={"code": "bad-args", "message": "the session is not open yet"}))

    def on_too_late(self, action: Any) -> None:
        """There is no session any more."""
        self.do(Reply(action.ticket, err={"code": "session-ended", "message": "the session has ended"}))

    def on_press(self, press: Press) -> None:
        """Space toggles the QR code."""
        if press.key != "space":
            self.do(Reply(press.ticket, err={"code": "bad-args", "message": f"key {press.key!r} does nothing"}))
            return
        self.qr = not self.qr
        self.do(Reply(press.ticket, {"qr": self.qr}))

    def on_stop_early(self, stop: Stop) -> None:
        """There is nothing yet to end."""
        self.do(Reply(stop.ticket, {}))
        self.end("owner")

    def on_stop(self, stop: Stop) -> None:
        """Bring up what is unsent, tell the relay, exit; all within a bound."""
        self.do(Reply(stop.ticket, {}))
        closed = stop.how == "terminal_closed"
        self._stop_reason = "terminal-closed" if closed else "owner"
        self._stop_at_s = self._now.awake_s + (CLOSED_S if closed else STOP_S)
        self.drop_streams()
        self.enter(Phase.STOPPING)

    def on_stop_again(self, stop: Stop) -> None:
        """It is ending already."""
        self.do(Reply(stop.ticket, {}))

    # --- what is wanted

    def drive(self) -> None:
        """Do what the phase wants."""
        if self.phase in (Phase.STARTING, Phase.LIVE) and self.is_outage_over_limit():
            self.on_outage_limit()
        _WANTS[self.phase](self)
        if self.phase is not Phase.IDLE:
            self._show_status()

    def _want_registration(self) -> None:
        lane, token = self.lane("register"), self.token("host:register")
        if token is None or not self.may_try(lane):
            return
        assert self._start is not None
        body = {
            "instance": self._start.instance,
            "incarnation": self._incarnation,
            "title": self.title,
            "cwd": self.cwd,
            "version": self._start.version,
        }
        request = Ask("/v1/sessions", encode(body), token, "host:register", needs=(("session", str), ("epoch", int)))
        self.ask(lane, request, self._registered, self._ended_by)

    def _registered(self, body: dict[str, Any]) -> None:
        assert self._start is not None
        self.session, self.epoch, self.url = str(body["session"]), int(body["epoch"]), str(body.get("url", ""))
        self.outbox.stored(int(body.get("upto", 0)))
        self._live_at_s = self._now.awake_s
        self.enter(Phase.LIVE)
        self.say(f"session {self.url} ({self.title}); press space for a QR code")
        self.do(LaunchAgent(self.cwd))
        self.do(ToAgent(self.agent.hello()))
        self.do(Reply(self._start.ticket, {"session": self.session, "url": self.url}))

    def _want_connection(self) -> None:
        self.drive_stream()
        self._want_outbox(beats=True)

    def _want_outbox(self, *, beats: bool) -> None:
        now_s, lane = self._now.awake_s, self.lane("outbox")
        is_due = len(self.outbox) > 0 or (beats and self._is_beat_due())
        if not is_due or not self.may_try(lane):
            return
        token = self.token("host:publish")
        if token is None:
            return
        heard_s = max(0.0, min(now_s - max(self.stream_heard_s, self._live_at_s), self.contract.outage_limit_s))
        self._sent_s, self._beat = now_s, self._beat + 1
        body = encode({"epoch": self.epoch, "beat": self._beat, "heard_s": heard_s, "items": self.outbox.batch()})
        request = Ask(f"/v1/sessions/{self.session}/outbox", body, token, "host:publish", needs=(("upto", int),))

        def stored(body: dict[str, Any]) -> None:
            self._stored_s = self._told_s = self._now.awake_s
            self._told_heard_s = heard_s
            self.outbox.stored(int(body.get("upto", 0)))

        self.ask(lane, request, stored, self._outbox_refused)

    def _is_beat_due(self) -> bool:
        """Each ``heartbeat_s``; and at once where the way down works and the relay was last told that it does not, or was told nothing of late.

        What the relay was told before an inbox was asked for is known to it as outdated.
        """
        now_s = self._now.awake_s
        was_told = now_s < self._told_s + self.timers.silence_s
        is_newer = self.live is not None and self.live.asked_at_s >= self._told_s
        is_known = was_told and (is_newer or self._told_heard_s < self.timers.silence_s)
        return now_s >= self._sent_s + self.timers.heartbeat_s or (self.is_down_alive and not is_known)

    def _outbox_refused(self, refused: Refused) -> None:
        expected = refused.body.get("expected")
        if refused.code == "outbox-gap" and isinstance(expected, int):
            if expected < self.outbox.first:
                self.end("outbox-lost")
                return
            kept = len(self.outbox)
            self.outbox.stored(expected - 1)
            if len(self.outbox) == kept:  # it may say so for ever
                self.lane("outbox").backoff.failed(self._now.awake_s)
        else:
            self._ended_by(refused)

    def _want_end(self) -> None:
        if self._now.awake_s >= self._stop_at_s:
            self.end(self._stop_reason)
            return
        self._want_outbox(beats=False)
        lane, token = self.lane("outbox"), self.token("host:publish")
        if token is not None and not len(self.outbox) and self.may_try(lane):
            body = encode({"epoch": self.epoch, "reason": self._stop_reason})
            request = Ask(f"/v1/sessions/{self.session}/end", body, token, "host:publish")
            self.ask(lane, request, self._end_told, self._end_told)

    def _end_told(self, _: object) -> None:
        self.end(self._stop_reason)

    # --- what may happen

    def stream_path(self) -> str:
        """The session's inbox."""
        return f"/v1/sessions/{self.session}/inbox"

    def stream_headers(self) -> tuple[tuple[str, str], ...]:
        """The epoch fences an older incarnation."""
        return (("Relay-Epoch", str(self.epoch)),)

    def on_enrolment_refused(self, scope: str, refused: Refused) -> None:
        """This machine is not enrolled any more."""
        del scope
        self._ended_by(refused)

    def on_stream_refused(self, refused: Refused) -> None:
        """The relay's word ends the host."""
        self._ended_by(refused)

    def on_final_bye(self, reason: str) -> None:
        """Taken over, or ended by the relay."""
        self.end("epoch-superseded" if reason == "superseded" else "session-ended")

    def on_fault(self, lane: Lane, fault: Fault) -> None:
        """Say why the relay cannot be reached, once for each reason."""
        line = f"{lane.name}: {fault.why}"
        if line not in self.lines:
            self.say(line)

    def on_stream_lost(self, reason: str) -> None:
        """The direction from the relay is gone; what is kept goes on being kept."""
        line = f"stream: {reason}"
        if line not in self.lines:
            self.say(line)

    def on_agent_ended(self, _: Any) -> None:
        """Without an agent there is no session: tell the relay, then end."""
        self._stop_reason, self._stop_at_s = "agent-ended", self._now.awake_s + STOP_S
        self.drop_streams()
        self.enter(Phase.STOPPING)

    def woke(self, slept_s: float) -> None:
        """Reconnect at once; a heartbeat is due too."""
        super().woke(slept_s)
        self._sent_s = self._told_s = float("-inf")
        self.say(f"woke after {slept_s:.0f} s")

    # --- the end

    def enter(self, phase: Phase) -> None:
        """Go to the next phase."""
        assert phase in NEXT[self.phase], (self.phase, phase)
        self.phase = phase

    def _ended_by(self, refused: Refused) -> None:
        self.end(refused.code)

    def end(self, reason: str) -> None:
        """The program ends."""
        if self.phase is Phase.OVER:
            return
        was_starting = self.phase is Phase.STARTING
        self.drop_streams()
        self.enter(Phase.OVER)
        over = exit_for(reason, self.contract.outage_limit_s)
        if was_starting and self._start is not None:
            code = "bad-args" if reason == "permissions-skipped" else reason
            self.do(Reply(self._start.ticket, err={"code": code, "message": over.message}))
        self._reason = reason
        self._show_status()
        self.say(over.message)
        self.do(over)

    # --- what the terminal shows

    def _show_status(self) -> None:
        status = self._status()
        if status != self.status:
            self.status = status
            self.do(Tell("status", {"state": status[0], "reason": status[1]}))
            self.say(f"status: {status[0]}" + (f" ({status[1]})" if status[1] else ""))

    def _status(self) -> tuple[str, str]:
        if self.phase is Phase.OVER:
            return ("ended", self._reason)
        if self.phase is not Phase.LIVE:
            return ("connecting", "")
        is_up = self._now.awake_s < self._stored_s + self.timers.silence_s
        is_down = self.is_down_alive
        if is_down and is_up:
            return ("online", "" if self.polling_until_s is None else "polling: something on the way buffers streams")
        if is_down or is_up:
            settled = self._stored_s > float("-inf") and self.stream_heard_s > float("-inf")
            return ("degraded", "outbox" if is_down else "inbox") if settled else ("connecting", "")
        return ("offline", "no word from the relay") if self._stored_s > float("-inf") else ("connecting", "")

    def say(self, line: str) -> None:
        """Print a line; control characters, which could spoof the terminal, are replaced (APR-8)."""
        line = "".join(char if char.isprintable() else "\ufffd" for char in line)
        self.lines.append(line)
        self.do(Print(line))

    def screen(self) -> dict[str, Any]:
        """What the terminal shows now."""
        state, reason = self.status
        return {
            "status": state,
            "reason": reason,
            "url": self.url,
            "title": self.title,
            "qr": self.qr,
            "lines": list(self.lines),
        }

    def probe_every_s(self) -> float:
        """A host must not wait for a timer that stood still (OUT-5)."""
        return self.timers.probe_s if self.phase in (Phase.STARTING, Phase.LIVE) else math.inf

    def deadlines(self) -> Iterator[float]:
        """Also: heartbeat, the ten minutes, the bound of a stop, and when the status would change by silence."""
        yield from super().deadlines()
        now_s = self._now.awake_s
        if self.phase in (Phase.STARTING, Phase.LIVE) and self.contract.on_outage == "exit":
            yield max(now_s + 0.001, now_s + self.heard_s + self.contract.outage_limit_s - self.outage_clock(self._now))
        if self.phase is Phase.LIVE:
            if self.lane("outbox").is_free(now_s) and self._sent_s + self.timers.heartbeat_s > now_s:
                yield self._sent_s + self.timers.heartbeat_s
            if self._stored_s + self.timers.silence_s > now_s:
                yield self._stored_s + self.timers.silence_s
        if self.phase is Phase.STOPPING:
            yield self._stop_at_s


_WANTS: dict[Phase, Callable[[HostMachine], None]] = {
    Phase.IDLE: lambda _: None,
    Phase.STARTING: HostMachine._want_registration,  # noqa: SLF001 - the table of this class
    Phase.LIVE: HostMachine._want_connection,  # noqa: SLF001 - same
    Phase.STOPPING: HostMachine._want_end,  # noqa: SLF001 - same
    Phase.OVER: lambda _: None,
}
