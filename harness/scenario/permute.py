"""The sections ``vary`` and ``cases``: which runs a scenario stands for, and what each is called.

Every combination of ``vary`` runs in every case. A name that stands in ``vary`` and in ``with`` *sorts*: each value must fall in exactly one
case. Deliberately absent: what the parameters do.
"""

import itertools
import math
from dataclasses import dataclass
from typing import Any

from harness.scenario.document import Document, Path, Problems
from harness.scenario.model import Scenario
from harness.scenario.reading import names_in, shown

PERMUTATIONS_MAX = 500


@dataclass(frozen=True, slots=True)
class Permutation:
    """One run of a scenario.

    Attributes:
        name: ``scenario[case,how=reset]``.
        case: index into ``cases``; None where there are none.
        params: values of ``$name``.
        written: where in the document each of these values stands.
    """

    name: str
    case: int | None
    params: dict[str, Any]
    written: dict[str, Path]


def permutations(scenario: Scenario, document: Document, problems: Problems, *, partial: bool) -> list[Permutation]:
    """List all runs in the order of the file: cases first, then ``vary`` with its last name fastest.

    Args:
        scenario: the outline.
        document: raw data, for which names are used.
        problems: takes what is wrong with ``vary``, ``cases`` and ``with``.
        partial: parts of the file were unreadable, so an unused name proves nothing.
    """
    if document.data.get("vary") == {}:
        problems.add(("vary",), "`vary` is empty", "name at least one, or leave the key out", key=True)
    _distinct(scenario, problems)
    found = [run for index in range(len(scenario.cases)) or (None,) for run in _of_case(scenario, index, problems)]
    if scenario.cases:
        _sorted(scenario, found, problems)
    if not partial:
        _used(scenario, document, problems)
    return found


def _of_case(scenario: Scenario, index: int | None, problems: Problems) -> list[Permutation]:
    case = None if index is None else scenario.cases[index]
    given = {} if case is None else case.with_
    axes = {name: [v for v in values if _allowed(v, given.get(name))] for name, values in scenario.vary.items()}
    listed = {name: value for name, value in given.items() if name not in axes and isinstance(value, list)}
    fixed = {name: value for name, value in given.items() if name not in axes and not isinstance(value, list)}
    axes |= listed
    size = math.prod(len(values) for values in axes.values())
    if size > PERMUTATIONS_MAX:
        remedy = f"a scenario has at most {PERMUTATIONS_MAX}; leave values out"
        problems.add(("vary",), f"{size} permutations", remedy, key=True)
        return []
    found = []
    for values in itertools.product(*axes.values()):
        varied = dict(zip(axes, values, strict=True))
        labels = [case.case] if case else []
        labels += [f"{name}={shown(value)}" for name, value in varied.items()]
        name = f"{scenario.scenario}[{','.join(labels)}]" if labels else scenario.scenario
        params = varied | fixed
        found.append(Permutation(name, index, params, _written(scenario, index, params)))
    return found


def _written(scenario: Scenario, case: int | None, params: dict[str, Any]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for name, value in params.items():
        varied = scenario.vary.get(name)
        values = scenario.cases[case].with_[name] if varied is None and case is not None else varied
        path: Path = ("vary", name) if varied is not None else ("cases", case or 0, "with", name)
        found[name] = (*path, list(map(_key, values)).index(_key(value))) if isinstance(values, list) else path
    return found


def _allowed(value: Any, wanted: Any) -> bool:
    if wanted is None:
        return True
    return _key(value) in {_key(item) for item in (wanted if isinstance(wanted, list) else [wanted])}


def _key(value: Any) -> tuple[str, str]:
    """Tell 1, 1.0, true and "1" apart, which Python's ``==`` does not."""
    return type(value).__name__, str(value)


def _distinct(scenario: Scenario, problems: Problems) -> None:
    """Note what stands twice: values of ``vary`` and names of cases."""
    lists: list[tuple[Path, list[Any]]] = [(("vary", name), values) for name, values in scenario.vary.items()]
    for index, case in enumerate(scenario.cases):
        lists += [(("cases", index, "with", name), v) for name, v in case.with_.items() if isinstance(v, list)]
    for path, values in lists:
        seen: set[str] = set()
        for index, value in enumerate(values):
            if shown(value) in seen:
                problems.add((*path, index), f"`{shown(value)}` stands here twice", "each value runs once")
            seen.add(shown(value))
    names: set[str] = set()
    for index, case in enumerate(scenario.cases):
        if case.case in names:
            problems.add(("cases", index, "case"), f"two cases are called `{case.case}`", "say what differs")
        names.add(case.case)


def _sorted(scenario: Scenario, found: list[Permutation], problems: Problems) -> None:
    """Note values that fall in no case, and parameters that fall in two."""
    everything = itertools.product(*scenario.vary.values())
    reached = {tuple(_key(run.params[name]) for name in scenario.vary) for run in found}
    missed = [values for values in everything if tuple(map(_key, values)) not in reached]
    for values in missed:
        name = next(name for name in scenario.vary if any(name in case.with_ for case in scenario.cases))
        value = values[list(scenario.vary).index(name)]
        where: Path = ("vary", name, scenario.vary[name].index(value))
        problems.add(where, f"`{shown(value)}` falls in no case", "add it to the `with` of one case")
    first: dict[tuple[Any, ...], int] = {}
    for run in found:
        key = tuple(sorted((name, _key(value)) for name, value in run.params.items()))
        other = first.setdefault(key, run.case or 0)
        if other != run.case:
            message = f"the same values as in `{scenario.cases[other].case}`: which of the two is expected?"
            problems.add(("cases", run.case or 0, "with"), message, "let one value differ")


def _used(scenario: Scenario, document: Document, problems: Problems) -> None:
    """Note parameters that nothing speaks of."""
    names = set(names_in([document.data.get(key) for key in ("given", "story", "expect")]))
    cases = document.data.get("cases") or []
    names |= set(names_in([case.get("expect") for case in cases]))
    for name in scenario.vary:
        if name not in names:
            problems.add(("vary", name), f"nothing uses `${name}`", f"write `${name}` where it matters", key=True)
    for index, case in enumerate(scenario.cases):
        for name in case.with_:
            if name not in names and name not in scenario.vary:
                where: Path = ("cases", index, "with", name)
                problems.add(where, f"nothing uses `${name}`", f"write `${name}` where it matters", key=True)
