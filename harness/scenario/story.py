"""The section ``story``: lines -> steps.

A line is a verb of an actor, a ``fault`` with its ``during``, a ``wait``, or a named ``python`` step. Deliberately
absent: performing them.
"""

from collections.abc import Iterator
from typing import Any

from harness.faults.model import Fault
from harness.history.plan import Moment, Step
from harness.scenario.document import Path, did_you_mean
from harness.scenario.limits import Misfit, span
from harness.scenario.parameters import Parameter, faults, parameters, primary, read
from harness.scenario.reading import WAITED_FOR, Reading, split_around
from harness.scenario.steps import STEPS
from harness.scenario.values import READERS
from harness.scenario.verbs import STORY, StoryVerb

_VERBS = {(row.role, row.name): row for row in STORY}

DURING_DEPTH_MAX = 4
"""Faults under faults: more than three at once nobody can read."""


def story(reading: Reading, lines: Any, path: Path = ("story",), number: str = "story") -> tuple[Step, ...]:
    """Read lines into steps; lines with problems are noted and left out.

    Args:
        reading: the permutation.
        lines: a list, parameters already in place.
        path: of the list in the document.
        number: beginning of the steps' ids.
    """
    if not isinstance(lines, list):
        reading.wrong(path, "a list of lines is needed", "write each as `- actor.verb: value`")
        return ()
    steps = (_step(reading, line, (*path, index), f"{number}.{index}") for index, line in enumerate(lines))
    return tuple(step for step in steps if step is not None)


def _step(reading: Reading, line: Any, path: Path, number: str) -> Step | None:
    if isinstance(line, str):
        line = {line: None}
    if not isinstance(line, dict) or not line:
        reading.wrong(path, "this is no line of a story", "write it as `- actor.verb: value`")
        return None
    for key, (allowed, make) in _FORMS.items():
        if key in line:
            _only(reading, line, (key, *allowed), path)
            return make(reading, line, path, number)
    return _verb(reading, line, path, number)


def _only(reading: Reading, line: dict[str, Any], allowed: tuple[str, ...], path: Path) -> None:
    for key in line:
        if key not in allowed:
            reading.wrong(
                (*path, key), f"`{key}` cannot stand beside `{allowed[0]}`", _beside(key, allowed[1:]), key=True
            )


def _beside(key: str, allowed: tuple[str, ...]) -> str:
    return did_you_mean(key, allowed) if allowed else "make it a line of its own"


def verb_key(reading: Reading, line: dict[str, Any], path: Path, allowed: tuple[str, ...]) -> str | None:
    """Find the one ``actor.verb`` of a line; anything else that is not in ``allowed`` is noted."""
    keys = [key for key in line if "." in key]
    if len(keys) != 1:
        message = "two verbs in one line" if keys else "no `actor.verb` in this line"
        reading.wrong(path, message, "one line, one `actor.verb: value`")
        return None
    _only(reading, line, (keys[0], *allowed), path)
    return keys[0]


def _verb(reading: Reading, line: dict[str, Any], path: Path, number: str) -> Step | None:
    key = verb_key(reading, line, path, ("within",))
    if key is None:
        return None
    name, _, verb = key.partition(".")
    at = (*path, key)
    actor = reading.actor(name, at)
    if actor is None:
        return None
    row = _VERBS.get((actor.role, verb))
    if row is None:
        reading.wrong(at, f"a {actor.role} cannot `{verb}` in a story", _other_verb(actor.role, verb), key=True)
        return None
    value = reading.take(at, lambda: READERS[row.arg](line[key], row, reading.contract))
    deadline_s = _deadline_s(reading, line, path, row)
    return Step(number, reading.line(path), "verb", name, verb, {"value": value}, deadline_s=deadline_s)


def _other_verb(role: str, verb: str) -> str:
    if ":" in verb:
        return "a blank follows the colon: `actor.verb: value`"
    if any(row.name == verb for row in faults().values()):
        return f"it is a fault: write `- fault: {{... .{verb}: ...}}`"
    return did_you_mean(verb, [name for of, name in _VERBS if of == role])


def _deadline_s(reading: Reading, line: dict[str, Any], path: Path, row: StoryVerb) -> float:
    if "within" not in line:
        return row.deadline_s
    return reading.take((*path, "within"), lambda: span(line["within"], reading.contract)) or row.deadline_s


def _wait(reading: Reading, line: dict[str, Any], path: Path, number: str) -> Step:
    offset_s, of = reading.take((*path, "wait"), lambda: _moment(line["wait"], reading)) or (1.0, "")
    if not of:
        return Step(number, reading.line(path), "wait", args={"for_s": offset_s})
    return Step(number, reading.line(path), "wait", until=Moment(of, offset_s))


def _moment(value: Any, reading: Reading) -> tuple[float, str]:
    """Read ``5s`` as (5, "") and ``5s before token.expiry`` as (-5, "token.expiry")."""
    written, side, of = split_around(value)
    offset_s = span(written, reading.contract)
    if of and of not in WAITED_FOR:
        raise Misfit(f"a story cannot wait for `{of}`", did_you_mean(of, WAITED_FOR))
    return (-offset_s if side == "before" else offset_s), of


def _python(reading: Reading, line: dict[str, Any], path: Path, number: str) -> Step | None:
    name, args = line["python"], line.get("with") or {}
    if not isinstance(name, str) or name not in STEPS:
        remedy = did_you_mean(str(name), STEPS) or "register it with @step in a conftest.py"
        reading.wrong((*path, "python"), f"no python step is called `{str(name)[:60]}`", remedy)
        return None
    if not isinstance(args, dict):
        reading.wrong((*path, "with"), "a mapping is needed", "write it as `with: {name: value}`")
        return None
    return Step(number, reading.line(path), "python", verb=name, args=args)


def _fault(reading: Reading, line: dict[str, Any], path: Path, number: str) -> Step | None:
    body, at = line["fault"], (*path, "fault")
    if not isinstance(body, dict) or not body:
        reading.wrong(at, "a fault is a mapping", "write it like {cut: host-relay, for: 8m} or {host.sleeps: 8h}")
        return None
    head = next((key for key in body if "." in key or key in faults()), next(iter(body)))
    subject = _subject(reading, head, (*at, head))
    during = _during(reading, line, path, number)
    if subject is None:
        return None
    actor, cls = subject
    args = _arguments(reading, cls, body, head, at)
    if cls.subject == "machine" and args is not None:
        args = {"machine": actor, **args}
    if args is not None:
        reading.take(at, lambda: _build(cls, args))
    return Step(number, reading.line(path), "fault", actor, cls.name, args or {}, during)


def _during(reading: Reading, line: dict[str, Any], path: Path, number: str) -> tuple[Step, ...]:
    if "during" not in line:
        return ()
    if number.count("during") >= DURING_DEPTH_MAX:
        reading.wrong((*path, "during"), f"faults under faults, {DURING_DEPTH_MAX} deep", "split the scenario")
        return ()
    return story(reading, line["during"], (*path, "during"), f"{number}.during")


def _subject(reading: Reading, head: str, path: Path) -> tuple[str, type[Fault]] | None:
    """Find whom a fault is about and its class, from ``cut`` or ``host.sleeps``."""
    name, dot, word = head.rpartition(".")
    cls = faults().get(word)
    if cls is None:
        reading.wrong(path, f"no fault is called `{word}`", did_you_mean(word, faults()), key=True)
        return None
    if cls.subject == "link" and dot:
        reading.wrong(path, f"`{word}` happens to a link", f"write `{word}: {name}-relay`", key=True)
        return None
    if cls.subject == "machine" and not dot:
        reading.wrong(path, f"`{word}` happens to somebody", f"write `host.{word}: ...`", key=True)
        return None
    if dot and reading.actor(name, path) is None:
        return None
    return name, cls


def _arguments(
    reading: Reading, cls: type[Fault], body: dict[str, Any], head: str, path: Path
) -> dict[str, Any] | None:
    """Read the parameters of a fault into the fields of its class; None if one of them is wrong."""
    first = primary(cls)
    known = {name: item for name, item in parameters(cls).items() if item is not first}
    args: dict[str, Any] = {}
    if first is not None and (body[head] is not None or first.required):
        args[first.field] = reading.take((*path, head), lambda: _primary(reading, cls, first, body[head]))
    elif body[head] is not None:
        reading.wrong((*path, head), f"`{head}` takes nothing after the colon", "leave it empty")
    for key in (key for key in body if key != head and key not in known):
        reading.wrong((*path, key), f"`{head}` has no `{key}`", did_you_mean(key, known), key=True)
    for name, item in known.items():
        if name in body:
            args[item.field] = reading.take((*path, name), lambda item=item: _parameter(reading, item, body))  # type: ignore[misc]
        elif item.required:
            reading.wrong((*path, head), f"`{head}` needs `{name}`", f"add `{name}:`", key=True)
            args[item.field] = None
    return None if None in args.values() else args


def _primary(reading: Reading, cls: type[Fault], first: Parameter, value: Any) -> Any:
    return _link(reading, value) if cls.subject == "link" else read(first, value, reading.contract)


def _parameter(reading: Reading, item: Parameter, body: dict[str, Any]) -> Any:
    return read(item, body[item.name], reading.contract)


def _link(reading: Reading, value: Any) -> str:
    """Read ``host-relay``: two of the cast, one of them a relay; the dialling side comes first."""
    ends = value.split("-") if isinstance(value, str) else []
    for end in ends:
        if end not in reading.cast:
            raise Misfit(f"nobody in the cast is called `{end}`", did_you_mean(end, reading.cast))
    roles = [reading.cast[end].role for end in ends]
    if len(ends) != 2 or roles.count("relay") != 1:
        links = [f"{actor.name}-{relay.name}" for actor, relay in _links(reading)]
        raise Misfit(f"`{str(value)[:60]}` is no link", did_you_mean(str(value), links))
    return "-".join(ends if roles[1] == "relay" else ends[::-1])


def _links(reading: Reading) -> Iterator[tuple[Any, Any]]:
    relays = [actor for actor in reading.cast.values() if actor.role == "relay"]
    ends = [actor for actor in reading.cast.values() if actor.role != "relay"]
    yield from ((end, relay) for end in ends for relay in relays)


def _build(cls: type[Fault], args: dict[str, Any]) -> Fault:
    """Build the fault once, so that what its class refuses is told at its place."""
    try:
        return cls(**args)
    except ValueError as error:
        message, _, remedy = str(error).partition("; ")
        raise Misfit(message, remedy) from None


_FORMS = {"fault": (("during",), _fault), "wait": ((), _wait), "python": (("with",), _python)}
"""Word that makes a line something else than a verb -> what may stand beside it, and who reads it."""
