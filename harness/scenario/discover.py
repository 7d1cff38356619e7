"""Which scenario files lie under given paths: anybody's folders, any depth.

Deliberately absent: what is in them.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.base.errors import Place, Problem, ScenarioError

SUFFIX = ".yaml"

HERE = Path(__file__).parents[1]
OURS = next(
    (folder for folder in (HERE.parent / "scenarios", HERE / "scenarios") if folder.is_dir()), HERE / "scenarios"
)
"""The scenarios that belong to relayproof: of the checkout, or those that travel with an installed package."""


def discover(paths: Iterable[Path]) -> list[Path]:
    """Find scenario files.

    Args:
        paths: files and folders; of folders every ``*.yaml`` below, hidden folders left out.

    Returns:
        Files without repetition, sorted within each folder.

    Raises:
        ScenarioError: for a path that is not there and for a folder without scenarios.
    """
    problems: list[Problem] = []
    found: dict[Path, None] = {}
    for path in paths:
        files = list(_below(path))
        found.update(dict.fromkeys(files))
        if not files:
            message = "a folder without scenarios" if path.is_dir() else "no such file"
            remedy = f"scenarios are files that end in {SUFFIX}" if path.is_dir() else "check the path"
            problems.append(Problem(Place(str(path), 1, 1), message, remedy))
    if problems:
        raise ScenarioError(problems)
    return list(found)


def _below(path: Path) -> Iterator[Path]:
    if path.is_file():
        yield path
    elif path.is_dir():
        yield from sorted(file for file in path.rglob(f"*{SUFFIX}") if not _hidden(file, path))


def _hidden(file: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(root).parts)


def family(file: Path) -> str:
    """The family of a scenario: the folder it lies in."""
    return file.resolve().parent.name
