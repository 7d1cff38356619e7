"""The director walks a story: the same way in every world, through a ``Stage``, as a generator that yields whenever time has to pass.

Beats: a step that waited ends on the next whole second, so that a few milliseconds more or less in somebody's answer (another random draw in a
system under test) do not move the faults. Deliberately absent: judgement. The director records; a step that fails ends the story.
"""

import math
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

import harness.faults.catalogue  # noqa: F401  fills FAULTS
from harness.faults.model import FAULTS, Fault
from harness.history.plan import Actor, Moment, Plan, Step, every_step
from harness.scenario.steps import STEPS
from harness.scenario.verbs import STORY, StoryVerb
from harness.sut.contract import PROBE_VERB, Call
from harness.worlds.seen import AWAITED, Seen
from harness.worlds.stage import Directions, Stage, Until

SETUP_DEADLINE_S = 60.0
"""How long a role may take to start: the reference takes below one second, a third party's cold start several."""

ENROLMENT_LIVES_S = 90 * 86_400.0
"""Life of an enrolment unless the scenario gives another (docs/spec/protocol.md, credentials)."""

QUIET_S = 20.0
"""The final quiet: longer than a heartbeat, so that a late duplicate or a false presence still shows."""

MOMENTS_AHEAD = {"token.expiry": "token"}
"""Moments that can be waited for before they come."""

VERBS = {(verb.role, verb.name): verb for verb in STORY}


class StoryStopped(Exception):  # noqa: N818  an outcome of a story, not an error of ours
    """A step could not be done; ``why`` is for people, ``code`` for the judge."""

    def __init__(self, step: str, why: str, code: str) -> None:
        super().__init__(why)
        self.step, self.why, self.code = step, why, code


@dataclass
class Director:
    """Walks one plan on one stage."""

    plan: Plan
    stage: Stage
    _agenda: list[tuple[float, int, Callable[[], None]]] = field(default_factory=list)
    _moments: dict[str, float] = field(default_factory=dict)
    _faults: int = 0
    _tickets: int = 0
    _active: int = 0

    def __post_init__(self) -> None:
        self._cast = {actor.name: actor for actor in self.plan.cast}
        self._seen = Seen(self.stage)

    def directions(self) -> Directions[None]:
        """The whole run: set-up, story, final quiet, last look."""
        try:
            yield from self._set_up()
            yield from self._walk(self.plan.story)
        except StoryStopped as failure:
            self.stage.record("harness", "story", "failed", step=failure.step, why=failure.why, code=failure.code)
        yield from self._drain()
        yield from self._last_look()

    # --- set-up

    def _set_up(self) -> Directions[None]:
        for actor in sorted(self.plan.cast, key=lambda actor: _START_ORDER[actor.role]):
            if actor.role != "relay":
                yield from self._issue(actor)
            if not self._starts_later(actor):
                yield from self._start(actor)
        yield from self._prepare_doors()
        self.stage.record("harness", "story", "set_up")
        yield from self._beat()

    def _issue(self, actor: Actor) -> Directions[None]:
        given = self.plan.given.get(actor.name, {})
        token, account = given.get("token", {}), given.get("account", {})
        args = {
            "subject": actor.name,
            "role": actor.role,
            "account": self._account_of(actor),
            "scopes": token.get("scopes"),
            "lives_s": given.get("enrolment", {}).get("lives", ENROLMENT_LIVES_S),
            "access_lives_s": token.get("lives"),
            "plan": account.get("plan", "max"),
            "sign_in": account.get("sign_in", "login"),
        }
        result = yield from self._must(f"setup.{actor.name}.issue", "relay", "issue", args)
        self.stage.keep_credential(actor.name, result["credential"])

    def _start(self, actor: Actor, **extra: Any) -> Directions[None]:
        step = f"setup.{actor.name}.start"
        hello = yield from self._must(step, actor.name, "hello", {})
        self.stage.record(actor.name, "story", "hello", **hello)
        yield from self._probe(step, actor.name)
        began_at = self.stage.now
        args = self.stage.start_args(actor.name) | extra
        call = yield from self._call(actor.name, "start", args)
        refused_as_meant = call.error and self.plan.given.get(actor.name, {}).get("account")
        if call.outcome != "ok" and not refused_as_meant:
            raise StoryStopped(step, f"{actor.name} did not start: {call.error or 'no answer'}", "no-start")
        if actor.role != "relay":
            self._set_token_moment(actor, began_at)
        if actor.role == "device" and not (self._joins_in_story(actor) or self._is_stranger(actor)):
            yield from self._join(step, actor.name)

    def _probe(self, step: str, name: str) -> Directions[None]:
        call = self.stage.call(name, PROBE_VERB, {})
        yield from self._wait(self.stage.now + SETUP_DEADLINE_S, lambda: call.done)
        if call.error != "unsupported":
            raise StoryStopped(step, f"{name} answered a verb that does not exist: {call.reply}", "untrusted-adapter")

    def _set_token_moment(self, actor: Actor, began_at: float) -> None:
        lives_s = self.plan.given.get(actor.name, {}).get("token", {}).get("lives")
        if lives_s is not None:
            at = began_at + lives_s
            self._moments["token.expiry"] = at
            self._at(at, lambda: self._moment("token.expiry", actor=actor.name))

    def _join(self, step: str, name: str) -> Directions[None]:
        listed = yield from self._must(step, name, "list", {})
        wanted = self._session_of(name)
        found = [one["session"] for one in listed.get("sessions", []) if wanted in ("", one["session"])]
        if not found:
            raise StoryStopped(step, f"{name} finds no session in the list", "not-listed")
        yield from self._must(step, name, "attach", {"session": found[0]})

    def _session_of(self, _name: str) -> str:
        started = self._seen.data("host", "start")
        return str(started[-1]["session"]) if started else ""

    def _starts_later(self, actor: Actor) -> bool:
        return bool(self.plan.given.get(actor.name, {}).get("starts") == "later")

    def _account_of(self, actor: Actor) -> str:
        return str(self.plan.given.get(actor.name, {}).get("account", {}).get("name", "owner"))

    def _is_stranger(self, actor: Actor) -> bool:
        """Whether a device is of an account that has no host here: there is nothing that it could join by itself."""
        hosts = {self._account_of(one) for one in self.plan.cast if one.role == "host"}
        return bool(hosts) and self._account_of(actor) not in hosts

    def _joins_in_story(self, actor: Actor) -> bool:
        return any(step.actor == actor.name and step.verb in ("joins", "opens") for step in every_step(self.plan.story))

    def _prepare_doors(self) -> Directions[None]:
        """A decision needs a pending request: it is made before the story, while everybody can still learn of it."""
        for step in every_step(self.plan.story):
            if step.verb == "tries" and step.args.get("value") == "approve":
                self._act(step.id, "host", "ask", tool=_door_tool(step))
                yield from self._wait(self.stage.now + 5.0, lambda: bool(self._seen.data("host", "tool.asked")))

    # --- the story

    def _walk(self, steps: tuple[Step, ...]) -> Directions[None]:
        for step in steps:
            self.stage.record(step.actor or "harness", "story", "step", step=step.id, verb=step.verb or step.do)
            yield from _STEPS[step.do](self, step)
            self.stage.record(step.actor or "harness", "story", "done", step=step.id)
            yield from self._beat()

    def _verb(self, step: Step) -> Directions[None]:
        role = self._cast[step.actor].role
        verb = VERBS[role, step.verb]
        if verb.waits:
            yield from self._control(step)
        elif verb.sut == "agent":
            yield from _AGENT[step.verb](self, step)
        else:
            yield from _ACTS[role, step.verb](self, step, verb)

    def _control(self, step: Step) -> Directions[None]:
        holds = self._seen.condition(step.actor, step.verb, step.args.get("value"))
        yield from self._wait(self.stage.now + step.deadline_s, holds)
        if not holds():
            why = f"{step.actor} never {step.verb} {step.args.get('value')!r} within {step.deadline_s:g} s"
            raise StoryStopped(step.id, why, "control")

    def _pause(self, step: Step) -> Directions[None]:
        if step.until is None:
            yield from self._wait(self.stage.now + float(step.args["for_s"]))
        else:
            yield from self._wait(self._moment_at(step, step.until))

    def _python(self, step: Step) -> Directions[None]:
        yield from STEPS[step.verb](self.stage, step)

    def _moment_at(self, step: Step, moment: Moment) -> float:
        at = self._moments.get(moment.of)
        if at is None:
            raise StoryStopped(step.id, f"nobody knows when {moment.of} is", "no-moment")
        return at + moment.offset_s

    def _fault(self, step: Step) -> Directions[None]:
        fault = FAULTS[step.verb](**step.args)
        yield from self._wait(self.plan.pinned.get(step.id, self.stage.now))
        began_at = self.stage.now
        self._faults += 1
        self._active += 1
        meant = {"id": step.id, "name": step.verb, "effect": not self.plan.faults_off}
        self.stage.record(_subject(step), "fault", "began", **meant, **asdict(fault))
        self._schedule(fault, began_at)
        self._at(began_at + fault.lasts_s, lambda: self._healed(step, fault))
        yield from self._walk(step.during)
        yield from self._wait(began_at + fault.lasts_s + 1e-6)

    def _schedule(self, fault: Fault, began_at: float) -> None:
        for operation in fault.begin():
            if not self.plan.faults_off:
                self._at(began_at + operation.after_s, partial(self.stage.perform, operation))

    def _healed(self, step: Step, fault: Fault) -> None:
        self._active -= 1
        if not self.plan.faults_off:
            for operation in fault.heal():
                self.stage.perform(operation)
        self.stage.record(_subject(step), "fault", "healed", id=step.id, name=step.verb)
        self._moment("wake" if step.verb in ("sleeps", "dark_wakes") else "heal", id=step.id)

    def _moment(self, name: str, **data: Any) -> None:
        self._moments[name] = self.stage.now
        self.stage.record("harness", "story", "moment", name=name, **data)

    # --- verbs of the agent

    def _act(self, place: str, actor: str, act: str, /, **args: Any) -> None:
        """Have the session act; with its host program it ends, and a story that needs it cannot go on: that is the system's doing."""
        if not self.stage.alive(actor):
            raise StoryStopped(place, f"the program of {actor} has ended, so its session cannot {act}", "control")
        self.stage.agent(actor, act, args)

    def _says(self, step: Step) -> Directions[None]:
        for text, every_s in _lines(step):
            self._act(step.id, step.actor, "say", text=text, step=step.id)
            if every_s:
                yield from self._wait(self.stage.now + every_s)

    def _works(self, step: Step) -> Directions[None]:
        self._act(step.id, step.actor, "work", for_s=step.args["value"], step=step.id)
        yield from self._beat()

    def _asks(self, step: Step) -> Directions[None]:
        self._act(step.id, step.actor, "ask", tool=step.args["value"])
        yield from self._beat()

    def _withdraws(self, step: Step) -> Directions[None]:
        self._act(step.id, step.actor, "withdraw", tool=step.args["value"])
        yield from self._beat()

    # --- verbs of the roles

    def _plain(self, step: Step, verb: StoryVerb) -> Directions[None]:
        yield from self._invoke(
            step, verb.sut, _PLAIN_ARGS.get((verb.role, verb.name), lambda _value: {})(step.args.get("value"))
        )

    def _starts(self, step: Step, verb: StoryVerb) -> Directions[None]:
        if not self.stage.alive(step.actor):
            self.stage.boot(step.actor)
        yield from self._start(self._cast[step.actor], **({"mode": "promote"} if verb.name == "promotes" else {}))

    def _joins(self, step: Step, verb: StoryVerb) -> Directions[None]:
        del verb
        if not self.stage.alive(step.actor):
            self.stage.boot(step.actor)
            yield from self._start(self._cast[step.actor])
        yield from self._join(step.id, step.actor)

    def _sends(self, step: Step, verb: StoryVerb) -> Directions[None]:
        for text, every_s in _lines(step):
            next_at = self.stage.now + every_s
            yield from self._invoke(step, verb.sut, {"text": text})
            yield from self._wait(next_at)

    def _decides(self, step: Step, verb: StoryVerb) -> Directions[None]:
        tool = step.args["value"]
        wanted = "allow" if verb.name == "approves" else "reject"
        yield from self._answer(step, tool, wanted)

    def _tries(self, step: Step, verb: StoryVerb) -> Directions[None]:
        del verb
        door = step.args["value"]
        if door == "approve":
            yield from self._answer(step, _door_tool(step), "allow")
        elif door == "read":
            yield from self._invoke(step, "list", {})
        elif door == "send":
            yield from self._invoke(step, "send", {"text": f"knock {step.id}"})
        else:
            yield from self._invoke(step, "attach", {"session": self._session_of(step.actor)})

    def _answer(self, step: Step, tool: str, option: str) -> Directions[None]:
        def pending() -> list[dict[str, Any]]:
            return [one for one in self._seen.data(step.actor, "approval") if one.get("tool") == tool]

        yield from self._wait(self.stage.now + step.deadline_s, lambda: bool(pending()))
        if not pending():
            raise StoryStopped(step.id, f"{step.actor} was never shown the question {tool!r}", "control")
        yield from self._invoke(step, "answer", {"request": pending()[-1]["request"], "option": option})

    def _invoke(self, step: Step, verb: str, args: dict[str, Any]) -> Directions[None]:
        """A verb whose outcome is for the judge: whatever it is, the story goes on."""
        yield from self._call(step.actor, verb, args, deadline_s=step.deadline_s, step=step.id)

    # --- calling and waiting

    def _must(self, step: str, actor: str, verb: str, args: dict[str, Any]) -> Directions[dict[str, Any]]:
        call = yield from self._call(actor, verb, args)
        if call.result is None:
            raise StoryStopped(step, f"{actor} could not {verb}: {call.error or 'no answer'}", "setup")
        return call.result

    def _call(
        self, actor: str, verb: str, args: dict[str, Any], *, deadline_s: float = SETUP_DEADLINE_S, step: str = ""
    ) -> Directions[Call]:
        self._tickets += 1
        ticket = self._tickets
        self.stage.record(actor, "invoke", verb, op=ticket, step=step, **_shown(args))
        call: Call = self.stage.call(actor, verb, args)
        yield from self._wait(self.stage.now + deadline_s, lambda: call.done)
        data = call.result if call.result is not None else {"code": call.error or "deadline"}
        self.stage.record(actor, call.outcome, verb, op=ticket, step=step, **_shown(data))
        return call

    def _beat(self) -> Directions[None]:
        yield from self._wait(math.floor(self.stage.now + 1e-6) + 1.0)

    def _at(self, at: float, act: Callable[[], None]) -> None:
        self._agenda.append((round(at, 9), len(self._agenda), act))
        self._agenda.sort(key=lambda entry: entry[:2])

    def _wait(self, at: float, holds: Callable[[], bool] = lambda: False) -> Directions[None]:
        """Let time pass until ``at`` or ``holds``, doing what the agenda says on the way.

        A world's clock has nanoseconds; a finer ``at`` would lie for ever a fraction ahead of it.
        """
        at = round(at, 9)
        while True:
            self._do_what_is_due()
            if holds() or self.stage.now >= at:
                return
            due_at = self._agenda[0][0] if self._agenda else math.inf
            yield Until(min(at, due_at), holds)

    def _do_what_is_due(self) -> None:
        while self._agenda and self._agenda[0][0] <= self.stage.now:
            self._agenda.pop(0)[2]()

    # --- the end

    def _drain(self) -> Directions[None]:
        """Wait until everything expected has come, then through a final quiet; at most as long as anybody may take."""
        limits = [entry.within_s or 0.0 for entry in self.plan.expectations]
        latest = self.stage.now + max([self.plan.contract.reconnect_budget_s, *limits]) + 5.0
        latest = max([latest, *(at + 5.0 for at, _, _ in self._agenda)])
        wanted = [
            self._seen.condition(entry.actor, entry.verb, entry.args.get("value"))
            for entry in self.plan.expectations
            if entry.verb in AWAITED and entry.times != 0
        ]
        yield from self._wait(latest, lambda: not self._agenda and all(holds() for holds in wanted))
        yield from self._wait(self.stage.now + QUIET_S)
        if not self._active:
            self.stage.record("harness", "story", "drained")

    def _last_look(self) -> Directions[None]:
        for actor in self.plan.cast:
            if actor.role != "relay" and self.stage.alive(actor.name):
                yield from self._call(actor.name, "screen", {}, deadline_s=5.0, step="end")


_START_ORDER = {"relay": 0, "host": 1, "device": 2}

_STEPS: dict[str, Callable[[Director, Step], Directions[None]]] = {
    "verb": Director._verb,
    "fault": Director._fault,
    "wait": Director._pause,
    "python": Director._python,
}

_AGENT: dict[str, Callable[[Director, Step], Directions[None]]] = {
    "says": Director._says,
    "works": Director._works,
    "asks": Director._asks,
    "withdraws": Director._withdraws,
}

_ACTS: dict[tuple[str, str], Callable[[Director, Step, StoryVerb], Directions[None]]] = {
    ("host", "starts"): Director._starts,
    ("host", "promotes"): Director._starts,
    ("host", "stops"): Director._plain,
    ("host", "renames"): Director._plain,
    ("host", "types"): Director._plain,
    ("host", "presses"): Director._plain,
    ("device", "joins"): Director._joins,
    ("device", "opens"): Director._joins,
    ("device", "leaves"): Director._plain,
    ("device", "sends"): Director._sends,
    ("device", "approves"): Director._decides,
    ("device", "rejects"): Director._decides,
    ("device", "renames"): Director._plain,
    ("device", "lists"): Director._plain,
    ("device", "tries"): Director._tries,
}

_STOPS = {"gracefully": "graceful", "by closing the terminal": "terminal_closed"}

_PLAIN_ARGS: dict[tuple[str, str], Callable[[Any], dict[str, Any]]] = {
    ("host", "stops"): lambda value: {"how": _STOPS[value]},
    ("host", "renames"): lambda value: {"title": value},
    ("host", "types"): lambda value: {"text": value},
    ("host", "presses"): lambda value: {"key": value},
    ("device", "renames"): lambda value: {"title": value},
}


def _lines(step: Step) -> list[tuple[str, float]]:
    """What ``says`` or ``sends`` utters: (text, pause after it in seconds)."""
    value = step.args["value"]
    if isinstance(value, str):
        return [(value, 0.0)]
    names = (f"{step.id} line {number}" for number in range(1, int(value["lines"]) + 1))
    return [(name.ljust(int(value.get("size", 0)), "."), float(value["every"])) for name in names]


def _door_tool(step: Step) -> str:
    return f"knock {step.id}"


def _subject(step: Step) -> str:
    return str(step.args.get("link") or step.args.get("machine") or "harness")


def _shown(data: dict[str, Any]) -> dict[str, Any]:
    """Data without credentials: they never reach a history."""
    return {key: ("***" if key == "credential" else value) for key, value in data.items()}
