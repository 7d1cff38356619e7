"""Every check there is: importing this module fills the registries of ``model``. Deliberately absent: anything else."""

from harness.checks import (
    approval,
    credentials,
    delivery,
    egress,
    latency,
    locality,
    log,
    outage,
    presence,
    process,
    refusals,
    session,
    trust,
    wire,
)
from harness.checks.model import EXPECTATIONS, INVARIANTS

__all__ = ["EXPECTATIONS", "INVARIANTS"]

del (
    approval,
    credentials,
    delivery,
    egress,
    latency,
    locality,
    log,
    outage,
    presence,
    process,
    refusals,
    session,
    trust,
    wire,
)
