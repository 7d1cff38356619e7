"""All that is wrong with a folder of scenarios, without running any.

Deliberately absent: opinions on style; a problem here is one that also refuses the run.
"""

from collections.abc import Iterable
from pathlib import Path

from harness.base.errors import Place, Problem, ScenarioError
from harness.scenario.discover import discover
from harness.scenario.expand import expand
from harness.scenario.steps import load_steps


def lint(paths: Iterable[Path]) -> list[Problem]:
    """Read every scenario under ``paths``.

    Returns:
        Problems of all files, in order of file and place; empty if all can run. A name that two files give is one too,
        because reports and ``-k`` know a scenario by its name.

    Raises:
        UsageError: a ``conftest.py`` beside a scenario cannot be imported.
    """
    try:
        files = discover(paths)
    except ScenarioError as error:
        return error.problems
    problems: list[Problem] = []
    first: dict[str, Path] = {}
    for file in files:
        load_steps(file)
        try:
            expand(file)
        except ScenarioError as error:
            problems += error.problems
        other = first.setdefault(file.stem, file)
        if other != file:
            message = f"a second scenario called `{file.stem}`"
            problems.append(Problem(Place(str(file), 1, 1), message, f"the first is {other}; give one another name"))
    return problems
