"""Every check there is: importing this module fills the registries of ``model``. Deliberately absent: anything else."""

from harness.checks import delivery, log, outage, wire
from harness.checks.model import EXPECTATIONS, INVARIANTS

__all__ = ["EXPECTATIONS", "INVARIANTS"]

del delivery, log, outage, wire
