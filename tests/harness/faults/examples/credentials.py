"""Faults of credentials and of the answers that carry them."""

from harness.faults.model import FAULTS
from tests.harness.faults.example import Example, at_host, event

MET = event(110, "phone", "frame", "wire", conn="c1", stream="events", event="bye")


def revoked(count):
    return event(100, "relay", "revoke", "ok", revoked=count)


def dropped(t, path="/v1/token"):
    return at_host(t, "answer.dropped", conn="c1", path=path)


def arrived(t):
    return event(t, "host", "response", "wire", conn="c1", status=200, path="/v1/token")


EXAMPLES = [
    Example(FAULTS["revoked"](machine="phone"), (revoked(2), MET), (revoked(0), MET), irreversible=True),
    Example(
        FAULTS["loses_answer"](machine="host", path="/v1/token", count=2),
        (dropped(110), dropped(120)),
        (dropped(110), arrived(115), dropped(120)),
        irreversible=True,
    ),
    Example(FAULTS["loses_answer"](machine="host", count=2, for_s=60), (dropped(110), dropped(120)), (dropped(110),)),
    Example(
        FAULTS["loses_answer"](machine="host", path="/v1/sessions/{s}/outbox"),
        (dropped(110, "/v1/sessions/s_1/outbox"),),
        (dropped(110, "/v1/sessions/s_1/end"),),
        irreversible=True,
    ),
    Example(FAULTS["refresh_lost"](machine="host"), (dropped(110),), (arrived(110),), irreversible=True),
    Example(
        FAULTS["refresh_fails"](machine="host"),
        (dropped(110), dropped(300)),
        (dropped(110), arrived(115), dropped(300)),
    ),
]
