"""Hand-made histories: a plan with one expectation and the events that a test names."""

from dataclasses import replace
from typing import Any

from harness.checks.model import Case, case_of
from harness.history.events import Event, Footer, History
from harness.history.plan import Actor, Contract, Expectation, Plan, Step

CAST = (Actor("host", "host", "sut"), Actor("relay", "relay", "reference"), Actor("phone", "device", "reference"))
SESSION = "s1"

type Row = tuple[Any, ...]


def plan(**fields: Any) -> Plan:
    base = Plan(
        id="made[]",
        scenario="made",
        family="made",
        file="made.yaml",
        digest="0",
        about="made by hand",
        params={},
        world="sim",
        seed=1,
        contract=Contract(),
        cast=CAST,
        given={},
        story=(),
        expectations=(),
    )
    return replace(base, **fields)


def expects(actor: str, verb: str, value: Any, **fields: Any) -> Expectation:
    return Expectation(
        "expect.0", 9, actor, verb, {"value": value}, fields.pop("proves", "RC-OUT-001.catches-up"), **fields
    )


def event(t: float, actor: str, kind: str, what: str, /, **data: Any) -> Event:
    return Event(0, t, actor, kind, what, data)  # type: ignore[arg-type]


def history(events: list[Event], *, drained: bool = True, ended_at: float | None = None, **fields: Any) -> History:
    ordered = sorted(events, key=lambda one: one.t)
    last = ended_at if ended_at is not None else (ordered[-1].t if ordered else 0.0)
    if drained:
        ordered.append(event(max(last, ordered[-1].t if ordered else 0.0), "harness", "story", "drained"))
    numbered = tuple(replace(one, n=n) for n, one in enumerate(ordered))
    return History(plan(**fields), numbered, Footer(max(last, 0.0), last, 0.1, "0", 1))


def case(events: list[Event], **fields: Any) -> Case:
    return case_of(history(events, **fields))


# --- the vocabulary


def started(t: float = 0.0, actor: str = "host") -> Event:
    return event(t, actor, "os", "process.started", incarnation=1)


def exited(t: float, code: int | None, actor: str = "host") -> Event:
    return event(t, actor, "os", "process.exited", code=code, reason="")


def heard_relay(t: float, actor: str = "host") -> Event:
    return event(t, actor, "wire", "heard", conn=1)


def says(t: float, text: str) -> Event:
    return event(t, "host", "os", "agent.said", text=text, step="story.0")


def hears(t: float, text: str) -> Event:
    return event(t, "host", "os", "agent.heard", text=text)


def shows(t: float, text: str, seq: int = 1, kind: str = "update", actor: str = "phone") -> Event:
    return event(t, actor, "saw", "shown", seq=seq, epoch=1, author="host", kind=kind, text=text, msg_id=f"h{seq}")


def sends(t: float, text: str, outcome: str = "ok", op: int = 1, actor: str = "phone", **data: Any) -> list[Event]:
    return [
        event(t, actor, "invoke", "send", op=op, step="story.1", text=text),
        event(t + 0.1, actor, outcome, "send", op=op, step="story.1", **data),
    ]


def hello(t: float, actor: str = "phone", stream: str = "events", conn: int = 5, **data: Any) -> Event:
    values = {"session": SESSION, "seq": 0, "first": 1, "gap": False, **data}
    return event(t, actor, "wire", "frame", conn=conn, stream=stream, event="hello", form=[], **values)


def entry(t: float, seq: int, text: str = "", actor: str = "phone", conn: int = 5, **data: Any) -> Event:
    values = {"session": SESSION, "epoch": 1, "author": "host", "msg_id": f"h{seq}", "kind": "update", **data}
    stream = "inbox" if actor == "host" else "events"
    return event(
        t, actor, "wire", "frame", conn=conn, stream=stream, event="entry", seq=seq, text=text, form=[], **values
    )


def response(t: float, status: int, problem: str = "", actor: str = "phone", **data: Any) -> Event:
    return event(t, actor, "wire", "response", conn=6, status=status, problem=problem, form=[], **data)


def moment(t: float, name: str) -> Event:
    return event(t, "harness", "story", "moment", name=name)


def step(identity: str, **fields: Any) -> Step:
    return Step(identity, 3, "verb", "host", "says", {"value": "x"}, **fields)
