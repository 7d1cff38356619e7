"""What can go wrong with the harness itself, as one small tree.

What a peer or a user can cause is one of these; what only a bug of ours can cause is an ``assert``. A system under test that misbehaves
is never an exception: it is a finding.
"""

from dataclasses import dataclass


class HarnessError(Exception):
    """Base of all errors of the harness; ``exit_code`` is what a ``relayproof`` command ends with."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a file an error is: one-based line and column, and the line's text for the caret."""

    file: str
    line: int
    column: int
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


_SHOWN = 120
"""Of a longer line only the part around the caret is shown."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where it is, what it is, what to do about it."""

    place: Place
    message: str
    remedy: str = ""

    def render(self) -> str:
        """Render as ``file:line:col: message`` with the source line, a caret and the remedy."""
        lines = [f"{self.place}: {self.message}"]
        if self.place.text:
            start = max(0, self.place.column - _SHOWN // 2) if len(self.place.text) > _SHOWN else 0
            lines += [
                f"  {self.place.text[start : start + _SHOWN]}",
                "  " + " " * (self.place.column - 1 - start) + "^",
            ]
        if self.remedy:
            lines.append(f"  {self.remedy}")
        return "\n".join(lines)


class ScenarioError(HarnessError):
    """A scenario cannot be used; carries every problem at once, ordered by place."""

    def __init__(self, problems: list[Problem]) -> None:
        assert problems
        self.problems = problems
        super().__init__("\n".join(problem.render() for problem in problems))


class PlanError(HarnessError):
    """A saved plan or history is truncated, edited or of another version."""


class UsageError(HarnessError):
    """A flag or an argument is wrong; the message names the remedy."""


class WorldError(HarnessError):
    """A world could not do what a plan asks of it: the run is a HARNESS_ERROR, never a PASS."""
