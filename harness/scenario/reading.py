"""What is known while one permutation of a document is read: its cast, its contract, its parameters, and where problems go.

Deliberately absent: the sections themselves (``story``, ``claims``, ``setting``).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.base.errors import Place, Problem
from harness.history.plan import Actor, Contract
from harness.scenario.document import Path, Problems, did_you_mean
from harness.scenario.limits import Misfit

_PARAMETER = re.compile(r"\$(\$|[a-z][a-z0-9_]*)")

ROLE_OF_NAME = {
    "host": "host",
    "laptop": "host",
    "desktop": "host",
    "relay": "relay",
    "phone": "device",
    "browser": "device",
    "tablet": "device",
    "terminal": "device",
}
"""An actor's name without its number says its role: ``phone2`` is a device."""

MOMENTS = {
    "step": "the step began; in `expect`, the story's last step",
    "heal": "the last fault ended",
    "wake": "the last sleep ended",
    "token.expiry": "the access token that `given` speaks of ran out",
    "last_heard": "the host last heard authenticated bytes of the relay",
}
"""Points in time that a scenario may name."""

WAITED_FOR = ("heal", "wake", "token.expiry")
"""Those that a story can wait for; the others are only known to what judges."""


@dataclass(slots=True)
class Reading:
    """One permutation while it is being read; ``wrong`` and ``take`` never raise.

    Attributes:
        problems: of the document.
        cast: who plays.
        contract: the limits in force.
        params: values of ``$name``.
        written: where these values stand.
        is_partial: ``vary`` or ``cases`` could not be read, so that a parameter without a value is no news.
    """

    problems: Problems
    cast: dict[str, Actor]
    contract: Contract
    params: dict[str, Any]
    written: dict[str, Path] = field(default_factory=dict)
    is_partial: bool = False

    def wrong(self, path: Path, message: str, remedy: str = "", *, key: bool = False) -> None:
        """Note a problem: of a value that ``$name`` stands for where that value is written, and say where it is used."""
        raw = self._raw(path)
        if self.is_partial and not key and any(name not in self.params for name in names_in(raw)):
            return
        name = "" if key else _whole(raw)
        if name in self.written:
            message = f"{message}, as `${name}` in line {self.line(path)}"
        self.problems.add(self.written.get(name, path), message, remedy, key=key)

    def _raw(self, path: Path) -> Any:
        """What the document says at a path, or the nearest thing around it."""
        value = self.problems.document.data
        for part in path:
            inside = value if isinstance(value, dict) else dict(enumerate(value)) if isinstance(value, list) else {}
            if part not in inside:
                break
            value = inside[part]
        return value

    def wrong_line(self, line: int, message: str, remedy: str) -> None:
        """Note a problem of a whole line."""
        document = self.problems.document
        text = document.lines[line - 1]
        place = Place(document.file, line, len(text) - len(text.lstrip()) + 1, text)
        if all(problem.place != place for problem in self.problems.found):
            self.problems.found.append(Problem(place, message, remedy))

    def take[T](self, path: Path, read: Callable[[], T]) -> T | None:
        """Return what ``read`` returns; a ``Misfit`` is noted at its place under ``path`` and gives None."""
        try:
            return read()
        except Misfit as misfit:
            self._misfit((*path, *misfit.at), misfit)
            return None

    def _misfit(self, at: Path, misfit: Misfit) -> None:
        raw = self._raw(at)
        source = self.written.get("" if misfit.key else _whole(raw), at)
        place = self.problems.document.place(source, key=misfit.key)
        if any(problem.place == place for problem in self.problems.found):
            return  # it follows from what is known
        names = dict.fromkeys(name for name in names_in(raw) if name in self.params and source == at and not misfit.key)
        values = ", ".join(f"`${name}` is `{shown(self.params[name])}`" for name in names)
        message = f"{misfit.message}, where {values}" if values else misfit.message
        self.wrong(at, message, misfit.remedy, key=misfit.key)

    def line(self, path: Path) -> int:
        """The line, from 1, where the value at ``path`` begins."""
        return self.problems.document.place(path).line

    def actor(self, name: str, path: Path) -> Actor | None:
        """Look up a name of the cast; an unknown one is noted at the key."""
        if name not in self.cast:
            self.wrong(path, f"nobody in the cast is called `{name}`", did_you_mean(name, self.cast), key=True)
        return self.cast.get(name)

    def filled(self, value: Any, path: Path) -> Any:
        """Put parameters in place of ``$name`` in every text; ``$$`` is a dollar sign."""
        if isinstance(value, dict):
            return {key: self.filled(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.filled(item, (*path, index)) for index, item in enumerate(value)]
        return self._filled_text(value, path) if isinstance(value, str) and "$" in value else value

    def _filled_text(self, text: str, path: Path) -> Any:
        for name in names_in(text):
            if name not in self.params:
                known = did_you_mean(name, self.params) or "write `$$` for a dollar sign"
                self.wrong(path, f"nothing gives `${name}` a value", known)
                return text
        if _whole(text) in self.params:
            return self.params[_whole(text)]
        return _PARAMETER.sub(lambda match: "$" if match[1] == "$" else shown(self.params[match[1]]), text)


def _whole(value: Any) -> str:
    """Name of the parameter that is all there is of a text; empty if there is more, or less."""
    match = _PARAMETER.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else ""


def names_in(value: Any) -> Iterator[str]:
    """Names of all parameters that a value speaks of."""
    if isinstance(value, str):
        yield from (match[1] for match in _PARAMETER.finditer(value) if match[1] != "$")
    elif isinstance(value, dict):
        for item in value.values():
            yield from names_in(item)
    elif isinstance(value, list):
        for item in value:
            yield from names_in(item)


def shown(value: Any) -> str:
    """A parameter's value as it stands in the name of a permutation."""
    return str(value).lower() if isinstance(value, bool) else str(value)


_WITHIN = re.compile(r"(?P<span>.+) of (?P<of>[a-z_.]+)")
_AROUND = re.compile(r"(?P<span>.+) (?P<side>before|after) (?P<of>[a-z_.]+)")


def moment(name: str) -> str:
    """Check the name of a moment.

    Raises:
        Misfit: if there is none of that name.
    """
    if name not in MOMENTS:
        raise Misfit(f"no moment is called `{name}`", did_you_mean(name, MOMENTS))
    return name


def split_within(text: Any) -> tuple[Any, str]:
    """Split ``10s of wake`` into ``10s`` and ``wake``; without ``of`` the moment is ``step``."""
    match = _WITHIN.fullmatch(text) if isinstance(text, str) else None
    return (match["span"], moment(match["of"])) if match else (text, "step")


def split_around(text: Any) -> tuple[Any, str, str]:
    """Split ``5s before token.expiry`` into ``5s``, ``before`` and ``token.expiry``; bare ``5s`` names no moment."""
    match = _AROUND.fullmatch(text) if isinstance(text, str) else None
    return (match["span"], match["side"], moment(match["of"])) if match else (text, "after", "")
