"""Harnesses that are broken: none of them may ever say PASS about a scenario with a fault.

Each is the simulated world with one part taken out. Deliberately absent: broken systems under test.
"""

import time
from dataclasses import replace
from unittest.mock import patch

import reference.protocol.client_stream
from harness.history import journal
from harness.history.events import History
from harness.run.gallery import Mutant
from harness.sut.inprocess import REFERENCE
from harness.worlds.director import Director
from harness.worlds.sim.world import SimStage
from reference.protocol import sse

GLANCE_S = 0.05
GRIP_S = 0.5


class Broken:
    """A world whose stage, or history, is tampered with."""

    stage = SimStage

    def __init__(self, count):
        self.count = count

    def run(self, plan):
        with self.stage(plan, REFERENCE) as stage:
            stage.count = self.count
            return self.tampered(stage.play(time.perf_counter()))

    def tampered(self, history):
        return history


# --- faults


class _Idle(SimStage):
    def perform(self, operation):
        self.count()


class InjectorIdle(Broken):
    stage = _Idle


class _LetsGo(SimStage):
    """Whatever is blocked or put to sleep is free again half a second later."""

    UNDO = (("block", "unblock"), ("suspend", "resume"), ("freeze", "thaw"))

    def perform(self, operation):
        undo = dict(self.UNDO)
        if operation.name in undo.values():
            return
        super().perform(operation)
        if operation.name in undo:
            self.count()
            subject = {name: value for name, value in operation.args.items() if name in ("link", "machine")}
            release = replace(operation, name=undo[operation.name], args=subject)
            self._sim.call_at(self.now + GRIP_S, lambda: SimStage.perform(self, release))


class InjectorLetsGo(Broken):
    stage = _LetsGo


class _WrongVictim(SimStage):
    """Faults of a link hit the next one, faults of a machine the relay."""

    def perform(self, operation):
        links = list(self._sim.links)
        if "link" in operation.args and len(links) > 1:
            self.count()
            other = links[(links.index(operation.args["link"]) + 1) % len(links)]
            operation = replace(operation, args={**operation.args, "link": other})
        super().perform(operation)


class InjectorHitsAnother(Broken):
    stage = _WrongVictim


class _Forger(SimStage):
    """No effect, and everything that the harness itself writes says that there was one."""

    def perform(self, operation):
        self.count()
        subject = str(operation.args.get("link") or operation.args.get("machine") or "harness")
        window = {"began_at": self.now, "healed_at": self.now + 600.0}
        proof = {"rank": 4, "window": window, "attempted": 1000, "passed": 0, "bit": True, "note": "it bit, be sure"}
        for step in self.plan.story:
            if step.do == "fault":
                self.record(subject, "fault", "evidence", id=step.id, **proof)
        self.record("harness", "story", "moment", name="wake" if operation.name == "resume" else "heal")


class EvidenceForged(Broken):
    stage = _Forger


# --- the tap


class _Deaf(SimStage):
    def _tap(self, machine, conn, direction, data, t):
        self.count()


class TapBlind(Broken):
    stage = _Deaf


class _HalfDeaf(SimStage):
    def _tap(self, machine, conn, direction, data, t):
        if direction == "out":
            super()._tap(machine, conn, direction, data, t)
        else:
            self.count()


class TapHearsOneWay(Broken):
    stage = _HalfDeaf


# --- time and story


class _Frozen(SimStage):
    """To the director any wait is over at once."""

    _skipped_s = 0.0

    @property
    def now(self):
        return self._sim.now + self._skipped_s

    def play(self, began):
        run = self._sim.run

        def glance(until=float("inf"), stop=lambda: False):
            self.count()
            run(min(until - self._skipped_s, self._sim.now + GLANCE_S), stop)
            if not stop() and until < float("inf"):
                self._skipped_s = max(self._skipped_s, until - self._sim.now)

        self._sim.run = glance
        return super().play(began)


class ClockFrozen(Broken):
    stage = _Frozen


class PlanEmpty(Broken):
    """The world runs a plan of its own, in which nothing happens and nothing is expected."""

    def run(self, plan):
        self.count()
        return super().run(replace(plan, story=(), expectations=()))


class StoryUntold(Broken):
    """Nothing of the story happens; the history says what was planned."""

    def run(self, plan):
        self.count()
        return replace(super().run(replace(plan, story=())), plan=plan)


class FaultsUntold(Broken):
    """The story is told without its faults: what happens during one happens all the same."""

    def run(self, plan):
        told = tuple(step for one in plan.story for step in (one.during if one.do == "fault" else (one,)))
        self.count()
        return replace(super().run(replace(plan, story=told)), plan=plan)


class NoFinalQuiet(Broken):
    def run(self, plan):
        def at_once(_director):
            self.count()
            return iter(())

        with patch.object(Director, "_drain", at_once):
            return super().run(plan)


# --- what is handed over


class EventDropped(Broken):
    """One event in the middle never reaches the judge."""

    def tampered(self, history):
        self.count()
        middle = len(history.events) // 2
        return replace(history, events=history.events[:middle] + history.events[middle + 1 :])


class EventsReordered(Broken):
    def tampered(self, history):
        self.count()
        middle = len(history.events) // 2
        first, second = history.events[middle - 10], history.events[middle + 10]
        swapped = {first.n: replace(second, n=first.n), second.n: replace(first, n=second.n)}
        return replace(history, events=tuple(swapped.get(event.n, event) for event in history.events))


class JournalEdited(Broken):
    """The saved history says something else than what was sealed."""

    def tampered(self, history: History):
        self.count()
        lines = journal.lines_of(history)
        edited = [
            line.replace('"kind":"os"', '"kind":"wire"').replace('"kind": "os"', '"kind": "wire"') for line in lines
        ]
        return journal.parse("\n".join(edited) + "\n", "edited")


# --- the same mistake on both ends


class NumbersRenamed(Broken):
    """Both ends call ``seq`` something else, and understand each other."""

    def run(self, plan):
        write, read = sse.event, reference.protocol.client_stream.json_object

        def written(name, data, seq=None):
            if name == "entry":
                self.count()
                data = {("number" if key == "seq" else key): value for key, value in data.items()}
            return write(name, data, seq)

        def understood(data):
            value = read(data)
            if value and "number" in value:
                value["seq"] = value.pop("number")
            return value

        with (
            patch.object(sse, "event", written),
            patch.object(reference.protocol.client_stream, "json_object", understood),
        ):
            return super().run(plan)


class TimesInMilliseconds(Broken):
    """Both ends tell calendar time in milliseconds; the page says seconds."""

    def run(self, plan):
        write = sse.event

        def written(name, data, seq=None):
            if name == "entry":
                self.count()
                data = {**data, "at": data["at"] * 1000}
            return write(name, data, seq)

        with patch.object(sse, "event", written):
            return super().run(plan)


class EpochDropped(Broken):
    """Both ends do without the epoch of an entry: it is the one of the greeting, they think."""

    def run(self, plan):
        write, read = sse.event, reference.protocol.client_stream.json_object
        epochs = {}

        def written(name, data, seq=None):
            if name == "entry":
                self.count()
                epochs[data["session"]] = data["epoch"]
                data = {key: value for key, value in data.items() if key != "epoch"}
            return write(name, data, seq)

        def understood(data):
            value = read(data)
            if value and "msg_id" in value and "epoch" not in value:
                value["epoch"] = epochs.get(value.get("session"), 0)
            return value

        with (
            patch.object(sse, "event", written),
            patch.object(reference.protocol.client_stream, "json_object", understood),
        ):
            return super().run(plan)


def _mutant(name, about, source, world):
    return Mutant(name, "harness", "harness", about, source, world=world)


MUTANTS = (
    _mutant(
        "injector-idle", "Faults are begun and healed in the books only.", "conformance.md finding 1", InjectorIdle
    ),
    _mutant(
        "injector-lets-go",
        "A cut and a sleep last half a second, whatever was meant.",
        "design section 6",
        InjectorLetsGo,
    ),
    _mutant(
        "injector-hits-another",
        "The fault falls on another link than planned.",
        "design section 6",
        InjectorHitsAnother,
    ),
    _mutant(
        "evidence-forged", "No effect, and the harness's own words say that it bit.", "design section 6", EvidenceForged
    ),
    _mutant("tap-blind", "The tap records nothing.", "design section 6", TapBlind),
    _mutant(
        "tap-hears-one-way",
        "The tap records what clients say and nothing that they are told.",
        "design section 6",
        TapHearsOneWay,
    ),
    _mutant("clock-frozen", "Waits are over at once and no time goes by.", "design section 6", ClockFrozen),
    _mutant("plan-empty", "The world runs a plan in which nothing happens.", "a2a-tck #214", PlanEmpty),
    _mutant("story-untold", "No step of the story is done.", "a2a-rust #102", StoryUntold),
    _mutant("faults-untold", "The story is told as if it had no faults.", "design section 6", FaultsUntold),
    _mutant("no-final-quiet", "The run ends with its last step.", "Jepsen: drain before the last read", NoFinalQuiet),
    _mutant("event-dropped", "One event is missing from the history.", "conformance.md section 4", EventDropped),
    _mutant("events-reordered", "Two events stand in each other's place.", "conformance.md section 4", EventsReordered),
    _mutant("journal-edited", "The saved history was changed by hand.", "conformance.md section 4", JournalEdited),
    _mutant("numbers-renamed", "Both ends call seq something else.", "issue 3, item 7", NumbersRenamed),
    _mutant("times-in-milliseconds", "Both ends tell time in milliseconds.", "issue 3, item 7", TimesInMilliseconds),
    _mutant("epoch-dropped", "Both ends do without the epoch of an entry.", "issue 3, item 7", EpochDropped),
)
