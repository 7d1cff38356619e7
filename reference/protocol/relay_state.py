"""What the relay knows durably, as the fold of its records: ``apply`` is the only way in, for live writes and after a restart alike.

Deliberately absent: decisions. A record says what was decided, so applying one cannot fail.
"""

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from reference.protocol import sse
from reference.protocol.credentials import Credentials
from reference.protocol.log import Entry, SessionLog


@dataclass(slots=True)
class Asked:
    """A permission request and what became of it."""

    digest: str
    body: dict[str, Any]
    decision: dict[str, str] | None = None
    withdrawn: bool = False

    @property
    def pending(self) -> bool:
        """Whether anybody may still decide."""
        return self.decision is None and not self.withdrawn

    @property
    def options(self) -> list[str]:
        """The ``optionId``s to choose from."""
        return [option["optionId"] for option in self.body["options"]]


@dataclass(slots=True)
class Session:
    """One remote session.

    Attributes:
        id: opaque, and no credential.
        account: whose it is.
        subject: the host that registered it.
        upto: last outbox item stored.
        ended: reason, once it is over.
        ended_seq: place of the ``ended`` entry; ``ended_author`` wrote it.
        ended_at: age of the relay then; ``ended_wall`` for people.
    """

    id: str
    account: str
    subject: str
    instance: str
    incarnation: str
    epoch: int
    title: str
    cwd: str
    opened_at: float
    log: SessionLog = field(default_factory=SessionLog)
    upto: int = 0
    asked: dict[str, Asked] = field(default_factory=dict)
    ended: str | None = None
    ended_seq: int = 0
    ended_author: str = ""
    ended_wall: float = 0.0
    ended_at: float = 0.0

    @property
    def pending(self) -> list[dict[str, Any]]:
        """Bodies of the requests without a decision; none once the session is over."""
        return [] if self.ended else [asked.body for asked in self.asked.values() if asked.pending]


class Sent(NamedTuple):
    """What a (device, msg_id) stands for: digest of the request and where its entry is."""

    digest: str
    session: str
    seq: int


class RelayState:
    """The fold. ``by_instance`` holds the newest session of each instance, ``incarnations`` every one that was ever registered."""

    def __init__(self) -> None:
        self.credentials = Credentials()
        self.sessions: dict[str, Session] = {}
        self.by_instance: dict[tuple[str, str], str] = {}
        self.epochs: dict[tuple[str, str], int] = {}
        self.incarnations: dict[tuple[str, str, str], str] = {}
        self.sent: dict[tuple[str, ...], Sent] = {}

    def apply(self, record: dict[str, Any]) -> None:
        """Fold one record in."""
        getattr(self, "_on_" + record["t"])(record)

    def _on_issued(self, record: dict[str, Any]) -> None:
        self.credentials.issued(record)

    def _on_minted(self, record: dict[str, Any]) -> None:
        self.credentials.minted(record)

    def _on_revoked(self, record: dict[str, Any]) -> None:
        self.credentials.revoked(record)

    def _on_stamp(self, record: dict[str, Any]) -> None:
        """Nothing but the time, so that the age survives a restart."""

    def _on_opened(self, record: dict[str, Any]) -> None:
        fields = {
            key: record[key] for key in ("account", "subject", "instance", "incarnation", "epoch", "title", "cwd")
        }
        session = Session(id=record["session"], opened_at=record["age"], **fields)
        self.sessions[session.id] = session
        instance = (session.account, session.instance)
        self.by_instance[instance] = session.id
        self.epochs[instance] = session.epoch
        self.incarnations[(*instance, session.incarnation)] = session.id

    def _on_dropped(self, record: dict[str, Any]) -> None:
        """Retention is over: all that is left of the session is its epoch and its incarnation."""
        session = self.sessions.pop(record["session"])
        if self.by_instance.get((session.account, session.instance)) == session.id:
            del self.by_instance[session.account, session.instance]
        self.sent = {key: sent for key, sent in self.sent.items() if sent.session != session.id}

    def _on_entry(self, record: dict[str, Any]) -> None:
        session = self.sessions[record["session"]]
        session.log.append(Entry(record["seq"], record["author"], entry_frame(session, record)))
        if n := record.get("n"):
            session.upto = n
        if key := record.get("key"):
            self.sent[tuple(key)] = Sent(record["digest"], session.id, record["seq"])
        effect = _EFFECTS.get(record["kind"])
        if effect is not None:
            effect(session, record)


def entry_frame(session: Session, record: dict[str, Any]) -> bytes:
    """The entry as every reader gets it."""
    names = ("session", "seq", "author", "msg_id", "at", "kind", "body")
    return sse.event("entry", {"epoch": session.epoch, **{name: record[name] for name in names}}, seq=record["seq"])


def _asks(session: Session, record: dict[str, Any]) -> None:
    session.asked[record["body"]["request"]] = Asked(record["body"]["digest"], record["body"])


def _withdraws(session: Session, record: dict[str, Any]) -> None:
    session.asked[record["body"]["request"]].withdrawn = True


def _decides(session: Session, record: dict[str, Any]) -> None:
    session.asked[record["body"]["request"]].decision = {"option": record["body"]["option"], "author": record["author"]}


def _titles(session: Session, record: dict[str, Any]) -> None:
    session.title = record["body"]["title"]


def _ends(session: Session, record: dict[str, Any]) -> None:
    session.ended = record["body"]["reason"]
    session.ended_seq = record["seq"]
    session.ended_author = record["author"]
    session.ended_wall = record["at"]
    session.ended_at = record["age"]


_EFFECTS = {
    "permission_request": _asks,
    "permission_withdrawn": _withdraws,
    "permission_decision": _decides,
    "title": _titles,
    "ended": _ends,
}
"""Entry kind -> what it changes beside the log."""
