"""What the verbs of a story do: of the scripted agent, and of the roles through their doors.

Deliberately absent: verbs that wait (``director``), which are controls and end a story that waits in vain.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Any

from harness.history.plan import Plan, Step
from harness.scenario.verbs import StoryVerb
from harness.worlds.opening import Opening, door_tool
from harness.worlds.pace import Pace, StoryStopped
from harness.worlds.stage import Directions

LEAVES_S = 30.0
"""World seconds that a program which was asked to stop gets before it is started again: the verb's own deadline."""


class Acts:
    """Does what the lines of one plan say."""

    def __init__(self, plan: Plan, pace: Pace, opening: Opening) -> None:
        self._stage, self._pace, self._opening = pace.stage, pace, opening
        self._cast = {actor.name: actor for actor in plan.cast}

    def act(self, step: Step, verb: StoryVerb) -> Directions[None]:
        """Do one line."""
        if verb.sut == "agent":
            yield from _AGENT[step.verb](self, step)
        else:
            yield from _ACTS[verb.role, step.verb](self, step, verb)

    # --- verbs of the agent

    def _says(self, step: Step) -> Directions[None]:
        at = self._stage.now
        for text, every_s in _lines(step):
            self._pace.agent(step.id, step.actor, "say", text=text, step=step.id, at=at)
            if every_s:
                # A grid, and each line stamped with its place in it: a late one makes those behind it no later, and its own delay no shorter.
                at = round(at + every_s, 9)
                yield from self._pace.wait(at)

    def _works(self, step: Step) -> Directions[None]:
        self._pace.agent(step.id, step.actor, "work", for_s=step.args["value"], step=step.id)
        yield from self._pace.beat()

    def _asks(self, step: Step) -> Directions[None]:
        self._pace.agent(step.id, step.actor, "ask", tool=step.args["value"])
        yield from self._pace.beat()

    def _withdraws(self, step: Step) -> Directions[None]:
        self._pace.agent(step.id, step.actor, "withdraw", tool=step.args["value"])
        yield from self._pace.beat()

    # --- verbs of the roles

    def _plain(self, step: Step, verb: StoryVerb) -> Directions[None]:
        yield from self._invoke(
            step, verb.sut, _PLAIN_ARGS.get((verb.role, verb.name), lambda _value: {})(step.args.get("value"))
        )

    def _starts(self, step: Step, verb: StoryVerb) -> Directions[None]:
        if self._is_leaving(step.actor):
            yield from self._pace.wait(self._stage.now + LEAVES_S, lambda: not self._stage.alive(step.actor))
        if not self._stage.alive(step.actor):
            self._stage.boot(step.actor)
        yield from self._opening.start(
            self._cast[step.actor], **({"mode": "promote"} if verb.name == "promotes" else {})
        )

    def _is_leaving(self, actor: str) -> bool:
        """Whether an actor's program was asked to stop, and is still there: real ones take their time."""
        own = (event for event in reversed(self._stage.events) if event.actor == actor)
        last = next((event for event in own if event.what in ("process.started", "stop")), None)
        return self._stage.alive(actor) and last is not None and last.what == "stop"

    def _joins(self, step: Step, verb: StoryVerb) -> Directions[None]:
        del verb
        if not self._stage.alive(step.actor):
            self._stage.boot(step.actor)
            yield from self._opening.start(self._cast[step.actor])
        yield from self._opening.join(step.id, step.actor)

    def _sends(self, step: Step, verb: StoryVerb) -> Directions[None]:
        for text, every_s in _lines(step):
            next_at = self._stage.now + every_s
            yield from self._invoke(step, verb.sut, {"text": text})
            yield from self._pace.wait(next_at)

    def _decides(self, step: Step, verb: StoryVerb) -> Directions[None]:
        tool = step.args["value"]
        wanted = "reject" if verb.name == "rejects" else "allow"
        another = {"digest": sha256(step.id.encode()).hexdigest()} if verb.name == "approves_another" else {}
        yield from self._answer(step, tool, wanted, **another)

    def _tries(self, step: Step, verb: StoryVerb) -> Directions[None]:
        del verb
        door = step.args["value"]
        if door == "approve":
            yield from self._answer(step, door_tool(step), "allow")
        elif door == "read":
            yield from self._invoke(step, "list", {})
        elif door == "send":
            yield from self._invoke(step, "send", {"text": f"knock {step.id}"})
        else:
            yield from self._invoke(step, "attach", {"session": self._opening.session_of(step.actor)})

    def _answer(self, step: Step, tool: str, option: str, **more: str) -> Directions[None]:
        def pending() -> list[dict[str, Any]]:
            return [one for one in self._pace.seen.data(step.actor, "approval") if one.get("tool") == tool]

        yield from self._pace.wait_for(self._stage.now + step.deadline_s, lambda: bool(pending()))
        if not pending():
            why = f"{step.actor} was never shown the question {tool!r}"
            raise StoryStopped(step.id, why, "control", ran_out=True)
        yield from self._invoke(step, "answer", {"request": pending()[-1]["request"], "option": option, **more})

    def _invoke(self, step: Step, verb: str, args: dict[str, Any]) -> Directions[None]:
        """A verb whose outcome is for the judge: whatever it is, the story goes on."""
        yield from self._pace.call(step.actor, verb, args, deadline_s=step.deadline_s, step=step.id)


_AGENT: dict[str, Callable[[Acts, Step], Directions[None]]] = {
    "says": Acts._says,
    "works": Acts._works,
    "asks": Acts._asks,
    "withdraws": Acts._withdraws,
}

_ACTS: dict[tuple[str, str], Callable[[Acts, Step, StoryVerb], Directions[None]]] = {
    ("host", "starts"): Acts._starts,
    ("host", "promotes"): Acts._starts,
    ("host", "stops"): Acts._plain,
    ("host", "renames"): Acts._plain,
    ("host", "types"): Acts._plain,
    ("host", "presses"): Acts._plain,
    ("device", "joins"): Acts._joins,
    ("device", "opens"): Acts._joins,
    ("device", "leaves"): Acts._plain,
    ("device", "sends"): Acts._sends,
    ("device", "approves"): Acts._decides,
    ("device", "approves_another"): Acts._decides,
    ("device", "rejects"): Acts._decides,
    ("device", "renames"): Acts._plain,
    ("device", "lists"): Acts._plain,
    ("device", "tries"): Acts._tries,
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
