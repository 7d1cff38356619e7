"""Where the lists of docs/spec are and how they are read: in a checkout there, in an installed package in ``harness/spec``.

Deliberately absent: what stands in them. The readers of each list say that.
"""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

from harness.base.errors import HarnessError

HERE = Path(__file__).parents[1]
CHECKOUT = HERE.parent / "docs" / "spec"
FOLDERS = (CHECKOUT, HERE / "spec")
"""Where a list may lie: in a checkout, in an installed package."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster where libyaml is there


class SpecError(HarnessError):
    """A list of docs/spec is missing or broken: which, and what is wrong with it."""


def find(name: str, folders: tuple[Path, ...] = FOLDERS) -> Path:
    """Where a list is.

    Args:
        name: of the file, like ``errors.yaml``.
        folders: where to look, in this order.

    Raises:
        SpecError: it is nowhere.
    """
    for folder in folders:
        if (folder / name).is_file():
            return folder / name
    raise SpecError(f"{name} is in none of: {', '.join(map(str, folders))}; reinstall relayproof")


def read(path: Path) -> Any:
    """Read a list as plain YAML.

    Raises:
        SpecError: it is not YAML.
    """
    try:
        return yaml.load(path.read_bytes(), Loader=_LOADER)  # noqa: S506 - both are safe loaders
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(f"{path}: not YAML: {error}") from error


@cache
def error_codes() -> frozenset[str]:
    """Every code of errors.yaml; raises as ``error_statuses``."""
    return frozenset(error_statuses())


@cache
def error_statuses() -> dict[str, int]:
    """Every code of errors.yaml with its HTTP status.

    Raises:
        SpecError: the list is missing or broken.
    """
    path = find("errors.yaml")
    rows = read(path)
    if not isinstance(rows, dict) or not rows:
        raise SpecError(f"{path}: a mapping from code to its fields is missing")
    try:
        return {code: int(row["status"]) for code, row in rows.items()}
    except (KeyError, TypeError, ValueError) as error:
        raise SpecError(f"{path}: a code without a `status` that is a number ({error!r})") from error
