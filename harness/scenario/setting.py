"""The sections ``cast`` and ``given``: who is there, and how the world is before the story begins.

Deliberately absent: the table of what may be given (``given``).
"""

from collections.abc import Collection
from dataclasses import replace
from typing import Any, cast

from harness.history.plan import Actor, Contract
from harness.scenario.document import Path, Problems, did_you_mean
from harness.scenario.given import GivenRow, given_rows
from harness.scenario.model import Played, Scenario
from harness.scenario.reading import ROLE_OF_NAME, Reading
from harness.scenario.values import READERS


def read_cast(scenario: Scenario, problems: Problems) -> dict[str, Actor]:
    """Read the cast in its order; at least one must be on trial, and one must be a relay."""
    actors: dict[str, Actor] = {}
    for name, played in scenario.cast.items():
        role = played.role if isinstance(played, Played) else ROLE_OF_NAME.get(name.rstrip("0123456789"))
        if role is None:
            remedy = f"write `{name}: {{role: device, by: reference}}`"
            problems.add(("cast", name), f"the name `{name}` does not say a role", remedy, key=True)
            continue
        kind = played.by if isinstance(played, Played) else played
        actors[name] = Actor(name, cast("Any", role), kind)
    if len(actors) == len(scenario.cast):
        _complete(actors, problems)
    return actors


def _complete(actors: dict[str, Actor], problems: Problems) -> None:
    if not any(actor.kind == "sut" for actor in actors.values()):
        problems.add(("cast",), "nobody is on trial", "write `sut` for at least one of the cast", key=True)
    if not any(actor.role == "relay" for actor in actors.values()):
        problems.add(("cast",), "no relay in the cast", "add `relay: reference`", key=True)


def on_trial(actors: dict[str, Actor], suts: Collection[str] | None) -> tuple[Actor, ...]:
    """Cast for one run: of those who may be replaced, only ``suts`` (names or roles) are on trial; None = all of them."""
    return tuple(
        actor if suts is None or {actor.name, actor.role} & set(suts) else replace(actor, kind="reference")
        for actor in actors.values()
    )


def read_given(reading: Reading, given: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Read ``given`` into actor -> JSON object."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in given.items():
        path: Path = ("given", key)
        name, row = _row(reading, key, path)
        if row is not None:
            read = reading.take(path, lambda row=row, value=value: READERS[row.arg](value, row, reading.contract))  # type: ignore[misc]
            found.setdefault(name, {})[row.name] = read
    return found


def _row(reading: Reading, key: str, path: Path) -> tuple[str, GivenRow | None]:
    name, dot, word = key.partition(".")
    if not dot:
        reading.wrong(path, f"`{key}` names nobody", f"write `host.{key}:`", key=True)
        return name, None
    actor = reading.actor(name, path)
    if actor is None:
        return name, None
    rows = given_rows(actor.role)
    if word not in rows:
        reading.wrong(path, f"a {actor.role} cannot be given `{word}`", did_you_mean(word, rows), key=True)
    return name, rows.get(word)


def overridden(contract: Contract, cast: dict[str, Actor], given: dict[str, dict[str, Any]]) -> Contract:
    """The contract of a run: the profile's, with what ``given`` overrides."""
    for name, facts in given.items():
        for row in given_rows(cast[name].role).values():
            if row.contract and facts.get(row.name) is not None:
                contract = replace(contract, **{row.contract: facts[row.name]})
    return contract
