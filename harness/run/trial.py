"""``--sut FILE``: which program is on trial in which role.

The simulated world runs programs of this Python process only; a program that is started as a process or reached by URL needs a world with real
sockets. Deliberately absent: the verbs it must offer (docs/spec/sut.md, ``harness.sut``).
"""

import importlib
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.base.errors import UsageError

ROLES = ("host", "relay", "device")

_EXAMPLE = "write for example\n  sut: my-relay\n  roles:\n    relay: {python: my_package.relay:serve}"


def trial_of(path: Path) -> dict[str, Any]:
    """Read a sut.yaml.

    Args:
        path: the file; its folder is importable while its programs are loaded.

    Returns:
        Role -> program, a function of a door and a platform (``harness.sut.inprocess.Program``).

    Raises:
        UsageError: the file cannot be used; the message says why and shows a good one.
    """
    roles = _roles(path, _document(path))
    unknown = [role for role in roles if role not in ROLES]
    if unknown:
        raise UsageError(f"--sut {path}: there is no role {unknown[0]!r}; the roles are {', '.join(ROLES)}")
    return {role: _program(path, role, how) for role, how in roles.items()}


def _document(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise UsageError(f"--sut {path}: cannot be read ({error.strerror or error})") from error
    except yaml.YAMLError as error:
        raise UsageError(f"--sut {path}: is not YAML: {error}") from error


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
    module, function = target.split(":")
    folder = os.fspath(path.resolve().parent)
    sys.path.insert(0, folder)
    try:
        return getattr(importlib.import_module(module), function)
    except (ImportError, AttributeError) as error:
        raise UsageError(f"--sut {path}: {role} names {target}, which cannot be loaded: {error}") from error
    finally:
        sys.path.remove(folder)
