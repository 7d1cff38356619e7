"""A fault as it is typed, ``cut host-relay 30s how=reset`` or ``host.sleeps 8h``, read as a scenario reads it.

The first bare word after the fault's name is what a scenario writes after its colon, the next one its ``for``; the rest is ``name=value``.
Deliberately absent: what a fault may be and what its parameters are (``story``, ``parameters``): the words are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from harness.base.errors import Place, Problem, ScenarioError
from harness.history.plan import Plan, Step
from harness.scenario.document import Document, Path, Problems
from harness.scenario.load import parse
from harness.scenario.reading import Reading
from harness.scenario.story import story

COMMAND = "relayproof fault"
"""Stands for the file's name in messages."""

_FAULT: Path = ("story", 0, "fault")
_BARE = ("", "for")
"""Parameter that a bare word stands for, by its place; the first has no name."""


def read_fault(words: Sequence[str], plan: Plan, id: str) -> Step:  # noqa: A002 - of the step
    """Read a fault.

    Args:
        words: as typed, at least one.
        plan: whose cast it happens to, and whose contract knows the named limits.
        id: of the step.

    Raises:
        ScenarioError: with everything that is wrong, a caret below each word.
    """
    typed = _Typed(" ".join(words))
    for word in words:
        typed.take(word)
    typed.stop()
    problems = Problems(typed.document)
    reading = Reading(problems, {actor.name: actor for actor in plan.cast}, plan.contract, {})
    steps = story(reading, typed.document.data["story"])
    problems.stop()
    return replace(steps[0], id=id)


@dataclass
class _Typed:
    """A line while it is taken apart: the mapping that a scenario would write, and where each part stands."""

    text: str
    body: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    _bare: int = 0
    _column: int = 1

    def __post_init__(self) -> None:
        line = Place(COMMAND, 1, 1, self.text)
        self.document = Document(COMMAND, {"story": [{"fault": self.body}]}, (self.text,), {(): line}, {})

    def take(self, word: str) -> None:
        """Take the next word."""
        at = Place(COMMAND, 1, self._column, self.text)
        self._column += len(word) + 1
        name, equals, value = word.partition("=")
        if not self.body:
            self._put(word.removesuffix(":"), None, at)  # as a scenario writes it
        elif equals:
            self._name(name, value, at)
        elif self._bare < len(_BARE):
            self._name(_BARE[self._bare] or next(iter(self.body)), word, at)
            self._bare += 1
        else:
            self.problems.append(Problem(at, f"nobody knows what `{word}` is", f"write it like how={word}"))

    def _name(self, name: str, value: str, at: Place) -> None:
        if self.body.get(name) is not None:
            self.problems.append(Problem(at, f"`{name}` stands here twice", "write it once"))
        else:
            self._put(name, _scalar(value), at)

    def _put(self, name: str, value: Any, at: Place) -> None:
        self.body[name] = value
        self.document.values[*_FAULT, name] = at
        self.document.keys.setdefault((*_FAULT, name), at)

    def stop(self) -> None:
        """Raise what is wrong with the line as such."""
        if self.problems:
            raise ScenarioError(self.problems)


def _scalar(text: str) -> Any:
    """A value as YAML has it: a number, true or false, else a text."""
    try:
        value = parse(f"value: {text}".encode("utf-8", "surrogatepass"), COMMAND).data["value"]
    except ScenarioError:
        return text
    return text if value is None else value
