"""A server's program restarts. Stands for OUT-14: what was acknowledged survives a relay that dies at any point."""

from dataclasses import dataclass
from typing import ClassVar

from harness.faults.ending import EndingFault
from harness.faults.model import fault


@fault
@dataclass(frozen=True, kw_only=True)
class Restarts(EndingFault):
    """The program is killed without notice and started again on the same disk, as after a crash."""

    name: ClassVar[str] = "restarts"
    example: ClassVar[str] = "relay"
    worlds: ClassVar[dict[str, str]] = {
        "sim": "kill, then start on the same simulated disk and address",
        "wire": "SIGKILL by process id, then the same command on the same port",
        "compose": "docker kill, docker start",
    }

    down_s: float = 2.0
