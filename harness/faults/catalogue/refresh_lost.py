"""The answer to a token refresh is lost. Stands for F4: rotation and a lost answer end a session for ever (67360)."""

from dataclasses import dataclass, field
from typing import ClassVar

from harness.faults.answers import AnswerFault
from harness.faults.model import fault


@fault
@dataclass(frozen=True, kw_only=True)
class RefreshLost(AnswerFault):
    """The next answers of the token endpoint vanish, written ``{host.refresh_lost: 1}``; the relay has minted the tokens."""

    name: ClassVar[str] = "refresh_lost"
    primary: ClassVar[str] = "count"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the network glue swallows the answer's bytes and leaves the connection silent",
        "wire": "the tap swallows the answer that the relay has sent and leaves the connection silent",
        "compose": "as in wire, in the tap's container",
    }

    path: str = field(default="/v1/token", init=False)
