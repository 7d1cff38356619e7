"""The kill map of a gallery: what kills each mutant, and a plan in which it does. A file beside the mutants, read as a diff when it changes.

A mutant itself declares only the checks that it is there for; what it also brings down stands here, so that a check that begins to accuse, or
ceases to, shows. Deliberately absent: where the kills come from (``mutants``).
"""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from harness.base.errors import UsageError
from harness.report.whole import write_whole

type Pair = tuple[str, str]
"""Requirement and code."""

type Kills = Mapping[str, Mapping[str, str]]
"""Requirement -> code -> id of a plan in which it is found."""

type KillMap = Mapping[str, Kills]
"""Mutant -> what kills it."""

FILE = "kill_map.json"
"""Name of the file in the gallery's folder."""


def read_kill_map(gallery: Path) -> KillMap:
    """The kill map of a gallery; empty where none is kept.

    Raises:
        UsageError: the file is not a kill map.
    """
    path = gallery / FILE
    try:
        found = json.loads(path.read_bytes()) if path.exists() else {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from error
    if not isinstance(found, dict) or not all(map(_is_kills, found.values())):
        raise UsageError(
            f"{path}: is no map of mutant, requirement, code and plan; `relayproof mutants --remember` makes one"
        )
    return found


def _is_kills(kills: object) -> bool:
    return isinstance(kills, dict) and all(
        isinstance(codes, dict) and all(isinstance(plan, str) for plan in codes.values()) for codes in kills.values()
    )


def write_kill_map(gallery: Path, kill_map: KillMap) -> None:
    """Keep a kill map, whole or not at all."""
    write_whole(gallery / FILE, json.dumps(kill_map, indent=1, sort_keys=True) + "\n")


def pairs_of(kills: Kills) -> frozenset[Pair]:
    """The pairs of requirement and code."""
    return frozenset((law, code) for law, codes in kills.items() for code in codes)


def plans_of(kills: Kills) -> frozenset[str]:
    """The plans in which all of it is found."""
    return frozenset(plan for codes in kills.values() for plan in codes.values())


def pairs_in(kills: Kills, plan: str) -> frozenset[Pair]:
    """The pairs that a plan is named for."""
    return frozenset((law, code) for law, codes in kills.items() for code, named in codes.items() if named == plan)


def learned(old: Kills, killed: Mapping[Pair, Collection[str]], ran: Collection[str]) -> dict[str, dict[str, str]]:
    """A mutant's kills after a run.

    Args:
        old: as kept before; what was found in plans that were not run now stays.
        killed: what was found now, each pair with its plans.
        ran: ids of all plans that were run, those in which the mutant was spared included.
    """
    kept = [(law, code, plan) for law, codes in old.items() for code, plan in codes.items() if plan not in ran]
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for law, code, plan in [*kept, *_covered(killed, plans_of(old))]:
        found[law][code] = plan
    return {law: dict(codes) for law, codes in found.items()}


def _covered(killed: Mapping[Pair, Collection[str]], named: Collection[str]) -> Iterable[tuple[str, str, str]]:
    """For each pair a plan, and few plans in all: always the one in which most of what is left is found, of equals one that is ``named`` already."""
    kills: dict[str, set[Pair]] = defaultdict(set)
    for pair, plans in killed.items():
        for plan in plans:
            kills[plan].add(pair)
    left = set(killed)
    while left:
        best = max(kills, key=lambda plan: (len(kills[plan] & left), plan in named, plan))
        yield from ((law, code, best) for law, code in sorted(kills[best] & left))
        left -= kills[best]
