"""What was uttered, and where it turned up: by whom, when, how often, and what became of the attempt.

Deliberately absent: judgement. Every text here was minted by the story, so a text is an identity: the judge counts texts, never trusts ids.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from harness.checks.model import Case
from harness.history.events import Event


@dataclass(frozen=True, slots=True)
class Send:
    """One attempt to send a prompt.

    Attributes:
        invoked: the ``invoke`` event.
        outcome: ``ok``, ``fail``, ``info``: Jepsen's outcomes; ``info`` too if the run ended before there was one.
        answer: the outcome event, or None.
    """

    invoked: Event
    outcome: str
    answer: Event | None

    @property
    def text(self) -> str:
        """What was sent."""
        return str(self.invoked.data.get("text", ""))


def calls(case: Case, verb: str, actor: str = "") -> list[Send]:
    """Calls of a SUT verb with their outcomes, in order; outcomes are matched by ``op``."""
    answers = {
        (event.actor, event.data.get("op")): event
        for kind in ("ok", "fail", "info")
        for event in case.of(kind, verb, actor)
        if _hashable(event.data.get("op"))
    }
    return [
        _call(event, answers.get((event.actor, event.data.get("op"))) if _hashable(event.data.get("op")) else None)
        for event in case.of("invoke", verb, actor)
    ]


def _call(invoked: Event, answer: Event | None) -> Send:
    return Send(invoked, "info" if answer is None else answer.kind, answer)


def _hashable(value: object) -> bool:
    return isinstance(value, (int, str, type(None)))


def prompts(case: Case) -> list[Send]:
    """Prompts sent by devices and typed at terminals, in order of time."""
    return sorted([*calls(case, "send"), *calls(case, "type")], key=lambda one: one.invoked.n)


def said(case: Case, actor: str = "") -> list[Event]:
    """Lines that sessions printed, in order."""
    return [event for event in case.of("os", "agent.said", actor) if text_of(event)]


def text_of(event: Event) -> str:
    """The text of an event, empty where it has none."""
    text = event.data.get("text")
    return text if isinstance(text, str) else ""


def inherited(case: Case) -> list[str]:
    """Lines of a local session that ran before its promotion."""
    lines = [given.get("history", []) for given in case.plan.given.values() if isinstance(given, dict)]
    return [text for texts in lines if isinstance(texts, (list, tuple)) for text in texts if isinstance(text, str)]


def uttered(case: Case) -> Counter[str]:
    """How often each text was uttered by anybody by any means; zero for what nobody ever said."""
    tools = [str(event.data.get("tool", "")) for event in case.of("os", "tool.asked")]
    titles = [str(one.invoked.data.get("title", "")) for one in calls(case, "rename")]
    return Counter(
        [text_of(event) for event in said(case)]
        + [one.text for one in prompts(case)]
        + inherited(case)
        + tools
        + titles
    )


def outcomes(case: Case) -> dict[str, set[str]]:
    """Text -> outcomes of the attempts to send it."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in prompts(case):
        found[one.text].add(one.outcome)
    return dict(found)


def shown(case: Case, actor: str) -> list[Event]:
    """Entries that a device put before its person and that have a text, in order."""
    return [event for event in case.of("saw", "shown", actor) if text_of(event)]


def heard(case: Case, actor: str) -> list[Event]:
    """Prompts that a session was given, in order."""
    return [event for event in case.of("os", "agent.heard", actor) if text_of(event)]


def counted(events: Iterable[Event]) -> Counter[str]:
    """How often each text occurs."""
    return Counter(text_of(event) for event in events)
