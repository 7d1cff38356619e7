"""A run of ten seconds with one proven fault, and its judgement: what tests of the judge take apart."""

from dataclasses import dataclass
from typing import Any, ClassVar

from harness.base.rank import Rank
from harness.faults.model import FAULTS, Evidence, Fault, Window
from harness.history.plan import Step
from harness.run.judge import judge
from harness.run.judgement import Judgement
from tests.harness.checks.made import event, expects, history, says, shows, started


@dataclass(frozen=True, kw_only=True)
class Proven(Fault):
    """Bites if the machine says so in an os event; lasts ten seconds."""

    name: ClassVar[str] = "proven"
    subject: ClassVar[Any] = "machine"
    primary: ClassVar[str] = "machine"
    worlds: ClassVar[dict[str, str]] = {}

    machine: str = "host"
    rank: Rank = Rank.OS
    raises: bool = False

    @property
    def lasts_s(self) -> float:
        return 10.0

    def begin(self):
        return ()

    def heal(self):
        return ()

    def evidence(self, window: Window, events) -> Evidence:
        assert not self.raises, "cannot be read"
        bites = [one for one in events if one.what in ("bitten", "evidence") and window.covers(one.t)]
        return Evidence(self.rank, window, len(bites), 0, bool(bites), "counted bites")


def use_proven(monkeypatch):
    monkeypatch.setitem(FAULTS, "proven", Proven)


SEES = expects("phone", "sees", ["one"], times=1)
FAULT = Step("story.0", 5, "fault", "", "proven", {"machine": "host"})
RUN = [
    started(),
    event(0, "host", "os", "socket.dialled", conn=1),
    event(0, "host", "os", "socket.connected", conn=1),
    event(0, "host", "wire", "request", conn=1),
    event(0, "host", "wire", "heard", conn=1),
    event(1, "host", "story", "step", step="story.0", verb="proven"),
    event(1, "host", "fault", "began", id="story.0", name="proven", effect=True, realised_by=["sim"]),
    event(5, "host", "os", "bitten"),
    event(11, "host", "fault", "healed", id="story.0", name="proven"),
    event(11, "host", "story", "done", step="story.0"),
    says(12, "one"),
    shows(13, "one"),
]


def judged(events=RUN, **fields) -> Judgement:
    values = {"expectations": (SEES,), "story": (FAULT,), **fields}
    return judge(
        history(list(events), ended_at=values.pop("ended_at", None), drained=values.pop("drained", True), **values)
    )


def without(*whats):
    return [one for one in RUN if one.what not in whats]


STOP = event(14, "harness", "story", "failed", step="story.0", why="phone never sees one", code="control")
