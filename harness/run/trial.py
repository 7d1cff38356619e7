"""``--sut FILE``: which program is on trial in which role.

The simulated world runs functions of this Python process (``python``), the wire world processes (``process``); a role may have both. Deliberately
absent: how a command is read (``harness.sut.command``), and the verbs it must offer (docs/spec/sut.md).
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
from harness.scenario.document import Document, Problems, did_you_mean
from harness.scenario.load import parse
from harness.scenario.reading import ROLE_OF_NAME
from harness.sut.command import command_of

ROLES = ("host", "relay", "device")

_PYTHON, _PROCESS = "python", "process"
_KIND = {"sim": _PYTHON, "wire": _PROCESS}
"""World -> the kind of program that it runs."""

_EXAMPLE = """write for example
  sut: my-relay
  roles:
    relay:
      process: ./my-relay --state {state_dir} --cert {cert_file}    # a program, --world wire
      python: my_package.relay:serve                                # a function, --world sim"""


def trial_of(path: Path, world: str = "sim") -> dict[str, Any]:
    """Read a sut.yaml.

    Args:
        path: the file; its folder is importable while its functions are loaded, and its commands run there.
        world: in which the programs are to run.

    Returns:
        Role, or name of the cast such as ``phone`` -> program: of the sim a function of a door and a platform (``harness.sut.inprocess.Program``), of
        the wire a ``harness.sut.command.Command``.

    Raises:
        UsageError: the file cannot be used; the message says why and shows a good one.
    """
    document = _document(path)
    roles = _roles(path, document.data)
    known = {*ROLES, *ROLE_OF_NAME}
    for role, how in roles.items():
        if role.rstrip("0123456789") not in known:
            raise UsageError(f"--sut {path}: there is no role {role!r}; {did_you_mean(role, known)}")
        _check(path, role, how, _KIND[world], world)
    if _KIND[world] == _PROCESS:
        return _processes(document, roles)
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


def _document(path: Path) -> Document:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"--sut {path}: cannot be read ({error.strerror or error})") from error
    if not content.strip():
        raise UsageError(f"--sut {path}: the file is empty; {_EXAMPLE}")
    try:
        return parse(content, str(path))
    except ScenarioError as error:
        raise UsageError(f"--sut {error}") from error


def _roles(path: Path, document: Any) -> Mapping[str, Any]:
    roles = document.get("roles") if isinstance(document, dict) else None
    if not isinstance(roles, dict) or not roles:
        raise UsageError(f"--sut {path}: says nothing of `roles`; {_EXAMPLE}")
    return roles


def _check(path: Path, role: str, how: Any, kind: str, world: str) -> None:
    """Whether a role says how it is played in a world, in words that are known."""
    said = how if isinstance(how, dict) else {}
    for word in said.keys() - {_PYTHON, _PROCESS}:
        raise UsageError(f"--sut {path}: {role} has {word!r}; {did_you_mean(word, (_PYTHON, _PROCESS))}")
    if kind not in said:
        wanted = "`python: module:function`" if kind == _PYTHON else "`process: command`"
        raise UsageError(f"--sut {path}: {role} has no {wanted}, and the world {world!r} runs nothing else; {_EXAMPLE}")


def _processes(document: Document, roles: Mapping[str, Any]) -> dict[str, Any]:
    problems = Problems(document)
    commands = {
        name: command_of(
            document, ("roles", name, _PROCESS), ROLE_OF_NAME.get(name.rstrip("0123456789"), name), problems
        )
        for name in roles
    }
    try:
        problems.stop()
    except ScenarioError as error:
        raise UsageError(f"--sut {error}") from error
    return commands


def _program(path: Path, role: str, how: Any) -> Any:
    target = how[_PYTHON]
    if not isinstance(target, str) or target.count(":") != 1:
        raise UsageError(f"--sut {path}: {role} has no `python: module:function` but {target!r}; {_EXAMPLE}")
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
