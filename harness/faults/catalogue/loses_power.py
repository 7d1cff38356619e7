"""A machine loses power. Stands for OUT-15: an acknowledgement implies that the disk has it."""

from dataclasses import dataclass
from typing import ClassVar

from harness.faults.ending import EndingFault
from harness.faults.model import fault


@fault
@dataclass(frozen=True, kw_only=True)
class LosesPower(EndingFault):
    """The machine goes dark at once; what its disk had not synced is gone; it boots again after ``down_s``."""

    name: ClassVar[str] = "loses_power"
    ends_by: ClassVar[str] = "power"
    reason: ClassVar[str] = "power"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "the run is dropped and the disk loses what was not synced; peers hear nothing",
        "wire": "cannot truthfully: SIGKILL keeps the page cache; runs in sim only",
        "compose": "cannot truthfully: docker kill keeps the page cache; runs in sim only",
    }

    down_s: float = 60.0
