"""How a sut.yaml says which process plays a role: a command template, read strictly, whose program is there and may be run.

No shell reads it; it runs in the folder of the file, as if typed there. Deliberately absent: starting it (a world's business).
"""

import os
import shlex
import shutil
import string
from pathlib import Path
from typing import Any

from harness.scenario.document import Document, Problems, did_you_mean

PLACEHOLDERS: dict[str, frozenset[str]] = {
    "relay": frozenset({"ca_file", "cert_file", "state_dir"}),
    "host": frozenset({"relay_url", "ca_file", "proxy_url", "state_dir", "agent_cmd"}),
    "device": frozenset({"relay_url", "ca_file", "proxy_url", "state_dir"}),
}
"""Role -> what a world fills in; nobody else is given the key in ``cert_file``."""

WORDS_MAX = 1000
"""Of one command; a hundred times the reference's."""

type Command = tuple[str, ...]
"""A template: words of ``str.format`` with the ``PLACEHOLDERS`` of its role."""


def command_of(document: Document, at: tuple[str | int, ...], role: str, problems: Problems) -> Command:
    """Read the command template at a place of a sut.yaml.

    Args:
        document: the file.
        at: where in it: one text, split as a shell would split it, or a list of words.
        role: ``host``, ``relay`` or ``device``.
        problems: takes what is wrong, each with its place and remedy.

    Returns:
        A command that changes into the file's folder first; empty if something is wrong.
    """
    before = len(problems.found)
    words = _words(document, at, problems)
    for place, word in words:
        _check(place, word, role, problems)
    folder = Path(document.file).resolve().parent
    program = _program(folder, *words[0], problems) if words else ""
    if len(problems.found) > before:
        return ()
    return ("env", "-C", _literal(str(folder)), _literal(program), *(word for _, word in words[1:]))


def _words(
    document: Document, at: tuple[str | int, ...], problems: Problems
) -> list[tuple[tuple[str | int, ...], str]]:
    """Each word with its place."""
    value: Any = document.data
    for step in at:
        value = value[step]
    if isinstance(value, str):
        try:
            found = [(at, word) for word in shlex.split(value)]
        except ValueError as error:
            problems.add(at, f"not a command: {error}", "close the quotation, or write a list of words")
            return []
    elif isinstance(value, list) and all(isinstance(word, str) for word in value):
        found = [((*at, n), word) for n, word in enumerate(value)]
    else:
        problems.add(
            at,
            "not a command",
            'write a text or a list of texts, such as [./my-host, --ca, "{ca_file}"]; quote numbers',
        )
        return []
    if not 0 < len(found) <= WORDS_MAX:
        problems.add(at, f"a command of {len(found)} words", f"name a program, and at most {WORDS_MAX} words in all")
        return []
    return found


def _check(place: tuple[str | int, ...], word: str, role: str, problems: Problems) -> None:
    """Whether a word asks for what its role is given."""
    known = PLACEHOLDERS[role]
    try:
        fields = [part[1:] for part in string.Formatter().parse(word) if part[1] is not None]
    except ValueError as error:
        problems.add(place, f"{word!r}: {error}", "a brace that is meant is written twice: {{ }}")
        return
    for name, spec, conversion in fields:
        if name not in known or spec or conversion:
            remedy = f"{did_you_mean(str(name), sorted(known))}; a brace that is meant is written twice"
            problems.add(place, f"a {role} is given no {{{name}}} for {word!r}", remedy)
    if "\0" in word:
        problems.add(place, "a word with a NUL character", "leave it out")


def _program(folder: Path, place: tuple[str | int, ...], word: str, problems: Problems) -> str:
    """The program's absolute path: with a slash as seen from the file, else from PATH; empty if it cannot be run."""
    if "/" not in word:
        found = shutil.which(word)
        if found is None:
            remedy = f"write ./{word}" if (folder / word).is_file() else "install it, or name it by its path"
            problems.add(place, f"there is no program {word!r} on PATH", remedy)
        return os.path.abspath(found) if found else ""  # noqa: PTH100 - a link, such as a virtual environment's, stays one
    path = folder / word
    if not path.is_file():
        problems.add(place, f"there is no file {path}", "a path is seen from the folder of this file")
    elif not os.access(path, os.X_OK):
        problems.add(place, f"{path} may not be executed", f"chmod +x {shlex.quote(str(path))}")
    return str(path)


def _literal(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
