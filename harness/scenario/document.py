"""A parsed file as plain data with the place of every key and value, and the list of what is wrong with it.

Deliberately absent: YAML (``load``), and what a scenario means (``model``).
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from harness.base.errors import Place, Problem, ScenarioError

type Path = tuple[str | int, ...]


def did_you_mean(word: str, options: Iterable[str]) -> str:
    """Return a remedy that names the closest of ``options``, or all of them where none is close."""
    known = sorted(set(options))
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"known are: {', '.join(known)}" if known else ""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed file.

    Attributes:
        file: its name, for people.
        data: str, int, float, bool, None, list and dict with string keys; nothing else.
        lines: the text's lines, for carets.
        values: path -> place of the value there.
        keys: path -> place of the mapping key that leads there.
    """

    file: str
    data: Any
    lines: tuple[str, ...]
    values: dict[Path, Place] = field(repr=False)
    keys: dict[Path, Place] = field(repr=False)

    def place(self, path: Path, *, key: bool = False) -> Place:
        """The place of the value at ``path`` (or of its key), or of the nearest thing around it."""
        if key and path in self.keys:
            return self.keys[path]
        while path not in self.values:
            if not path:
                return Place(self.file, 1, 1, self.lines[0] if self.lines else "")
            path = path[:-1]
        return self.values[path]


@dataclass(slots=True)
class Problems:
    """Everything wrong with one document, collected so that a person sees it all at once."""

    document: Document
    found: list[Problem] = field(default_factory=list)

    def add(self, path: Path, message: str, remedy: str = "", *, key: bool = False) -> None:
        """Note one problem; permutations of one line do not say the same twice."""
        problem = Problem(self.document.place(path, key=key), message, remedy)
        if problem not in self.found:
            self.found.append(problem)

    def stop(self) -> None:
        """Raise ``ScenarioError`` with all problems in order of place, if there are any."""
        if self.found:
            raise ScenarioError(sorted(self.found, key=lambda problem: (problem.place.line, problem.place.column)))
