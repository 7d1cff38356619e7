"""Named Python steps: the way out where YAML is too small. ``- python: drain twice`` calls the function of that name.

A step is a generator of the director's kind (``harness.worlds.stage``). Deliberately absent: steps themselves; they
live beside the scenarios that need them, in a ``conftest.py``.
"""

from collections.abc import Callable
from typing import Any

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
