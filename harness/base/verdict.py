"""The verdict lattice: status only worsens.

Source: design section 6; TTCN-3's overwrite rule and OCI's status order are the precedents.
"""

from collections.abc import Iterable
from enum import IntEnum


class Verdict(IntEnum):
    """How one requirement, one scenario or one run ended; a larger value wins over a smaller one."""

    NOT_APPLICABLE = 0
    PASS = 1
    INCONCLUSIVE = 2
    FAIL = 3
    HARNESS_ERROR = 4
    NOT_RUN = 5

    @property
    def exit_code(self) -> int:
        """The exit code of a ``relayproof`` command whose worst verdict this is."""
        return _EXIT_CODES[self]


_EXIT_CODES = {
    Verdict.NOT_APPLICABLE: 0,
    Verdict.PASS: 0,
    Verdict.INCONCLUSIVE: 3,
    Verdict.FAIL: 1,
    Verdict.HARNESS_ERROR: 2,
    Verdict.NOT_RUN: 2,
}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Join verdicts; of none at all the answer is ``NOT_RUN``, because zero measured is never a pass."""
    return max(verdicts, default=Verdict.NOT_RUN)
