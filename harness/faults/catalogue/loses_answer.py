"""An answer is lost. Stands for F17 and ORD-2: sent, stored, and the sender does not know (28498, 32681)."""

from dataclasses import dataclass
from typing import ClassVar

from harness.faults.answers import AnswerFault
from harness.faults.model import fault


@fault
@dataclass(frozen=True, kw_only=True)
class LosesAnswer(AnswerFault):
    """The next answers of a path vanish, written ``{phone.loses_answer: /v1/token}``; requests are served."""

    name: ClassVar[str] = "loses_answer"
    primary: ClassVar[str] = "path"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the network glue swallows the answer's bytes and leaves the connection silent",
        "wire": "the tap swallows the answer that the relay has sent and leaves the connection silent",
        "compose": "as in wire, in the tap's container",
    }
