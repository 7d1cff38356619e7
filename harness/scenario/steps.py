"""Named Python steps: the way out where YAML is too small. ``- python: drain twice`` calls the function of that name.

A step is a generator of the director's kind (``harness.worlds.stage``). Deliberately absent: steps themselves; they
live beside the scenarios that need them, in a ``conftest.py``.
"""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness.base.errors import UsageError

type PythonStep = Callable[..., Any]
"""Called with the stage and the step; returns ``Directions``."""

STEPS: dict[str, PythonStep] = {}
"""Every named step."""


def step[S: PythonStep](name: str) -> Callable[[S], S]:
    """Register a function as the step ``name``.

    Args:
        name: lower-case words, as the scenario writes it.
    """

    def register(function: S) -> S:
        assert name not in STEPS or STEPS[name].__module__ == function.__module__, name
        STEPS[name] = function
        return function

    return register


def load_steps(file: Path) -> None:
    """Import the ``conftest.py`` beside a scenario and those above it, as pytest does, for commands that run without pytest.

    Args:
        file: the scenario; folders above are looked at as far as the working directory.

    Raises:
        UsageError: one of them cannot be imported.
    """
    try:
        here, folder = Path.cwd(), file.resolve().parent
    except (OSError, ValueError) as error:
        raise UsageError(f"{str(file)!r} is no file ({error}), so its python steps cannot be found") from None
    folders = [one for one in (folder, *folder.parents) if one == folder or one.is_relative_to(here)]
    for conftest in (one / "conftest.py" for one in reversed(folders)):
        name = f"relayproof_steps:{conftest}"
        if name not in sys.modules and conftest.is_file():
            sys.modules[name] = _imported(name, conftest)


def _imported(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # whatever somebody's module raises is said, not shown as a traceback of ours
        raise UsageError(f"{path}: cannot be imported: {type(error).__name__}: {error}") from error
    return module
