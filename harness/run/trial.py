"""``--sut FILE``: which program is on trial in which role.

The simulated world runs programs of this Python process only; a program that is started as a process or reached by URL needs a world with real
sockets. Deliberately absent: the verbs it must offer (docs/spec/sut.md, ``harness.sut``).
"""

import importlib
import inspect
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.base.errors import ScenarioError, UsageError
from harness.history.plan import Plan
from harness.scenario.document import did_you_mean
from harness.scenario.load import parse
from harness.scenario.reading import ROLE_OF_NAME

ROLES = ("host", "relay", "device")

_EXAMPLE = "write for example\n  sut: my-relay\n  roles:\n    relay: {python: my_package.relay:serve}"


def trial_of(path: Path) -> dict[str, Any]:
    """Read a sut.yaml.

    Args:
        path: the file; its folder is importable while its programs are loaded.

    Returns:
        Role, or name of the cast such as ``phone`` -> program, a function of a door and a platform (``harness.sut.inprocess.Program``).

    Raises:
        UsageError: the file cannot be used; the message says why and shows a good one.
    """
    roles = _roles(path, _document(path))
    known = {*ROLES, *ROLE_OF_NAME}
    for role in roles:
        if role.rstrip("0123456789") not in known:
            raise UsageError(f"--sut {path}: there is no role {role!r}; {did_you_mean(role, known)}")
    return {role: _program(path, role, how) for role, how in roles.items()}


def programs_for(plan: Plan, trial: Mapping[str, Any]) -> dict[str, Any]:
    """Who of a plan's cast runs a program on trial: only those that the plan has on trial, whatever else the file offers.

    Args:
        plan: whose cast it is.
        trial: what ``trial_of`` read; a name of the cast goes before its role.

    Returns:
        Actor -> program.
    """
    cast = [actor for actor in plan.cast if actor.name in plan.suts]
    chosen = {actor.name: trial.get(actor.name) or trial.get(actor.role) for actor in cast}
    return {name: program for name, program in chosen.items() if program is not None}


def _document(path: Path) -> Any:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--sut {path}: cannot be read ({error.strerror or error})") from error
    if not content.strip():
        raise UsageError(f"--sut {path}: the file is empty; {_EXAMPLE}")
    try:
        return parse(content, str(path)).data
    except ScenarioError as error:
        raise UsageError(f"--sut {error}") from error


def _roles(path: Path, document: Any) -> Mapping[str, Any]:
    roles = document.get("roles") if isinstance(document, dict) else None
    if not isinstance(roles, dict) or not roles:
        raise UsageError(f"--sut {path}: says nothing of `roles`; {_EXAMPLE}")
    return roles


def _program(path: Path, role: str, how: Any) -> Any:
    target = how.get("python") if isinstance(how, dict) else None
    if not isinstance(target, str) or target.count(":") != 1:
        raise UsageError(
            f"--sut {path}: {role} has no `python: module:function`, and the simulated world runs nothing else; {_EXAMPLE}"
        )
    program = _imported(path, role, target)
    try:
        inspect.signature(program).bind("door", "platform")
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"--sut {path}: {role} names {target}, which is no function of a door and a platform ({error}); see docs/spec/sut.md"
        ) from error
    return program


def _imported(path: Path, role: str, target: str) -> Any:
    module, function = target.split(":")
    folder = os.fspath(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        return getattr(importlib.import_module(module), function)
    except (
        Exception
    ) as error:  # whatever somebody's module raises while it is imported is said, not shown as a traceback of ours
        raise UsageError(
            f"--sut {path}: {role} names {target}, which cannot be loaded: {type(error).__name__}: {error}"
        ) from error
    finally:
        sys.path.remove(folder)
