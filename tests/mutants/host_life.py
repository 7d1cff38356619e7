"""Hosts that live too long or too short: outages, sleep, retries, tokens, exits."""

from dataclasses import replace

from harness.run.gallery import Mutant
from reference.protocol.client_io import DropStream, Exit
from reference.protocol.host import HostMachine
from reference.protocol.host_outbox import Outbox
from reference.protocol.host_state import Phase

from ._clients import EverySecond, host
from ._clients import watch_hosts as watch

TRIES_MAX = 3


class SurvivesOutage(HostMachine):
    def on_outage_limit(self):
        self.contract = replace(self.contract, on_outage="retry")


class CountsFromTheStart(HostMachine):
    def heard(self):
        heard_s = self.heard_s
        super().heard()
        self.heard_s = heard_s


class _OtherLimit(HostMachine):
    FACTOR = 1.0

    def on_start(self, start):
        limit_s = start.contract.outage_limit_s * self.FACTOR
        super().on_start(replace(start, contract=replace(start.contract, outage_limit_s=limit_s)))


class ExitsEarly(_OtherLimit):
    FACTOR = 0.5


class ExitsLate(_OtherLimit):
    FACTOR = 1.1


class CountsSleepAsOutage(HostMachine):
    def outage_clock(self, now):
        return now.elapsed_s


class CountsByTheCalendar(HostMachine):
    def outage_clock(self, now):
        return now.wall_s


class WaitsForStaleTimers(HostMachine):
    def woke(self, slept_s):
        pass


class GivesUpAfterThree(HostMachine):
    def on_fault(self, lane, fault):
        super().on_fault(lane, fault)
        if lane.backoff.failures >= TRIES_MAX:
            self.end("outage")


class NoBackoff(HostMachine):
    def make_backoff(self):
        return EverySecond(self.timers, self.entropy)


class TrustsTheConnection(HostMachine):
    """A stream that says nothing is taken for one that has nothing to say."""

    def _give_up_overdue(self):
        if self.live is not None and self._now.awake_s >= self.stream_heard_s + self.timers.silence_s:
            self.stream_heard_s = self._now.awake_s
        super()._give_up_overdue()


class TakesReliefForLoss(HostMachine):
    """The end of the old stream comes by its own connection, before the new one's first byte: taken for a loss."""

    def _on_bye(self, live, reason, retry_after_s_):
        super()._on_bye(live, reason, retry_after_s_)
        if self.candidate is not None:
            self.candidate.relieves = False


class NoHeartbeats(HostMachine):
    def _want_outbox(self, *, beats):
        super()._want_outbox(beats=beats and self._stored_s == float("-inf"))


class NeverRenews(HostMachine):
    def on_start(self, start):
        super().on_start(start)
        self.tokens.renews = False


class RefreshFailureKills(HostMachine):
    def on_fault(self, lane, fault):
        super().on_fault(lane, fault)
        if lane.name == "token":
            self.end("token-unknown")


class NewSessionPerReconnect(HostMachine):
    """Every connection is a new incarnation, and so a new session."""

    anew = False

    def on_stream_lost(self, reason):
        super().on_stream_lost(reason)
        if self.phase is Phase.LIVE and not self.anew:
            self.anew = True
            self._incarnation = f"{self.entropy.getrandbits(128):032x}"

    def drive_stream(self):
        if self.anew:
            self._want_registration()
        else:
            super().drive_stream()

    def _want_outbox(self, *, beats):
        if not self.anew:
            super()._want_outbox(beats=beats)

    def _registered(self, body):
        if self.phase is not Phase.LIVE:
            super()._registered(body)
            return
        self.session, self.epoch = str(body["session"]), int(body["epoch"])
        self.outbox, self.cursor, self.anew = Outbox(), 0, False


class HammersTheProxy(HostMachine):
    """What a proxy answers costs no pause."""

    def _unreached(self, pending, fault):
        if fault.why.startswith("HTTP"):
            self.on_fault(pending.lane, fault)
        else:
            super()._unreached(pending, fault)


class NeverPolls(HostMachine):
    def _candidate_overdue(self, candidate):
        self.do(DropStream(candidate.id))
        self._candidate_failed("no answer in time")


class ForgetsThatItPolls(HostMachine):
    """After every poll it tries to stream again, and waits in vain for the first byte."""

    def _candidate_overdue(self, candidate):
        super()._candidate_overdue(candidate)
        self.polling_until_s = None


class WrongExitCode(HostMachine):
    def do(self, effect):
        super().do(replace(effect, code=1) if isinstance(effect, Exit) else effect)


class EndsInSilence(HostMachine):
    """Stopped, it leaves without a word to the relay."""

    def on_stop(self, stop):
        super().on_stop(stop)
        self.end(self._stop_reason)


class ConstantlyOnline(HostMachine):
    def _status(self):
        return ("online", "") if self.phase is Phase.LIVE else super()._status()


class StaysQuietAboutTheEnd(HostMachine):
    def _show_status(self):
        if self.phase is not Phase.OVER:
            super()._show_status()


__all__ = ["MUTANTS", "watch"]

MUTANTS = (
    Mutant(
        "host-survives-outage",
        "delete",
        "host",
        "Cut off for longer than the limit, the host goes on trying.",
        "ART-19, OUT-2",
        {"RC-OUT-002.ends": "did-not-exit"},
        host(SurvivesOutage),
    ),
    Mutant(
        "host-exits-early",
        "weaken",
        "host",
        "The host ends after half the accepted silence.",
        "ART-19, OUT-3",
        {"RC-OUT-002.ends": "exited-early"},
        host(ExitsEarly),
    ),
    Mutant(
        "host-exits-late",
        "late",
        "host",
        "The host ends a tenth of the limit too late.",
        "ART-19, OUT-3",
        {"RC-OUT-002.ends": "exited-late"},
        host(ExitsLate),
    ),
    Mutant(
        "counts-sleep-as-outage",
        "weaken",
        "host",
        "A night with a closed lid counts as an outage.",
        "OUT-4; claude-code #31681",
        {"RC-OUT-004.survives-sleep": "exited"},
        host(CountsSleepAsOutage),
    ),
    Mutant(
        "counts-by-the-calendar",
        "weaken",
        "host",
        "Silence is measured on the calendar, which people and servers set.",
        "OUT-4, AUT-18",
        {"RC-OUT-004.survives-sleep": "exited"},
        host(CountsByTheCalendar),
    ),
    Mutant(
        "counts-from-the-start",
        "weaken",
        "host",
        "The ten minutes of an outage count from the start of the program, not from the last word.",
        "OUT-3",
        {"RC-OUT-003.boundary": ("exited", "exited-early"), "RC-OUT-003.one-sided": "lost-write"},
        host(CountsFromTheStart),
    ),
    Mutant(
        "waits-for-stale-timers",
        "late",
        "host",
        "Woken, the host waits for timers that stood still while it slept.",
        "OUT-5",
        {"RC-OUT-005.resumes": "late"},
        host(WaitsForStaleTimers),
        sim_only="what a sleeper was sent waits for it in its link's proxy, and no kernel's timer has to run out before it comes",
    ),
    Mutant(
        "gives-up-after-three-tries",
        "historic",
        "host",
        "Three failures in a row, and the host ends.",
        "OUT-7; field-failures.md",
        {"RC-OUT-001.stays-alive": "exited"},
        host(GivesUpAfterThree),
    ),
    Mutant(
        "host-no-backoff",
        "delete",
        "host",
        "The host knocks every second for as long as nobody answers.",
        "OUT-11",
        {"RC-OUT-011.backs-off": "too-many-attempts"},
        host(NoBackoff),
    ),
    Mutant(
        "trusts-the-connection",
        "delete",
        "host",
        "A stream that went silent is believed until TCP gives up.",
        "OUT-8; claude-code #77252",
        {"RC-OUT-008.notices-half-open": "lost-write"},
        host(TrustsTheConnection),
    ),
    Mutant(
        "takes-relief-for-loss",
        "historic",
        "host",
        "At a renewal, where the old stream ends before the new one begins, the host says that something is wrong.",
        "OPS-2, AUT-9",
        {"RC-OPS-002.truthful": "unexpected"},
        host(TakesReliefForLoss),
    ),
    Mutant(
        "host-no-heartbeats",
        "delete",
        "host",
        "With nothing to say the host says nothing.",
        "SES-7, OUT-8",
        {"RC-ART-011.listed": "wrong-list"},
        host(NoHeartbeats),
    ),
    Mutant(
        "host-never-renews",
        "delete",
        "host",
        "The host lives as long as its first token.",
        "AUT-9; claude-code #36482",
        {"RC-AUT-010.lost-answer": "exited"},
        host(NeverRenews),
    ),
    Mutant(
        "refresh-failure-kills",
        "historic",
        "host",
        "One token request without an answer ends the host.",
        "AUT-12; claude-code #53563",
        {"RC-AUT-010.lost-answer": "exited"},
        host(RefreshFailureKills),
    ),
    Mutant(
        "new-session-per-reconnect",
        "historic",
        "host",
        "Every reconnect is a new session in the list.",
        "SES-2; claude-code #28571",
        {"RC-SES-002.keeps-id": "session-changed"},
        host(NewSessionPerReconnect),
    ),
    Mutant(
        "never-falls-back-to-polls",
        "delete",
        "host",
        "Behind a proxy that buffers, the host waits for a stream that never begins.",
        "EGR-4",
        {"RC-SES-000.control": "control"},
        host(NeverPolls),
    ),
    Mutant(
        "hammers-the-proxy",
        "delete",
        "host",
        "Answered by a proxy in the relay's place, the host asks again at once.",
        "OUT-11; claude-code #79342",
        {"RC-OUT-011.backs-off": "too-many-attempts"},
        host(HammersTheProxy),
    ),
    Mutant(
        "forgets-that-it-polls",
        "delete",
        "host",
        "Behind a proxy that buffers, the host is deaf for seconds between one poll and the next.",
        "EGR-4",
        {"RC-EGR-004.works-by-proxy": "late"},
        host(ForgetsThatItPolls),
    ),
    Mutant(
        "wrong-exit-code",
        "liar",
        "host",
        "Whatever the reason, the host ends with code 1.",
        "OPS-4",
        {"RC-OPS-004.graceful": "wrong-exit-code"},
        host(WrongExitCode),
    ),
    Mutant(
        "ends-in-silence",
        "delete",
        "host",
        "Stopped, the host leaves without a word and without its last lines.",
        "OPS-4, SES-3",
        {"RC-SES-003.tells-end": "wrong-presence"},
        host(EndsInSilence),
    ),
    Mutant(
        "constantly-online",
        "liar",
        "host",
        "The terminal says online whatever happens.",
        "OPS-2",
        {"RC-SES-000.control": "control"},
        host(ConstantlyOnline),
    ),
    Mutant(
        "ends-without-saying-so",
        "delete",
        "host",
        "The terminal of an ended session still says online.",
        "OPS-2",
        {"RC-OPS-002.shows-status": "wrong-status"},
        host(StaysQuietAboutTheEnd),
    ),
)
