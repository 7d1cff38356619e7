"""How a check speaks: a finding that passes, fails or cannot tell, for an expectation or for an invariant.

Deliberately absent: opinions. What these make is plain data.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from harness.base.verdict import Verdict
from harness.checks.model import Finding
from harness.history.plan import Expectation

EVENTS_MAX = 20
"""How many events a finding cites at most: enough to see the pattern, few enough to read."""


@dataclass(frozen=True, slots=True)
class Voice:
    """Whose opinion it is: a requirement, the check that speaks about it, and the scenario line it stands on."""

    requirement: str
    check: str
    line: int = 0

    def passes(self, measured: int, observed: Any, *, expected: Any = None, events: Iterable[int] = ()) -> Finding:
        """The required behaviour was observed ``measured`` times; of nothing at all it is INCONCLUSIVE."""
        if measured <= 0:
            return self.unclear("nothing-measured", "nothing was measured", expected=expected)
        return self._say(Verdict.PASS, "", "", expected, observed, events, measured)

    def fails(
        self,
        code: str,
        message: str,
        *,
        expected: Any = None,
        observed: Any = None,
        events: Iterable[int] = (),
        measured: int = 1,
    ) -> Finding:
        """A violation was observed."""
        return self._say(Verdict.FAIL, code, message, expected, observed, events, measured)

    def unclear(self, code: str, message: str, *, expected: Any = None, observed: Any = None) -> Finding:
        """What would be needed to tell is missing."""
        return self._say(Verdict.INCONCLUSIVE, code, message, expected, observed, (), 0)

    def silent(self, message: str) -> Finding:
        """The run holds nothing that this check is about."""
        return self._say(Verdict.NOT_APPLICABLE, "", message, None, None, (), 0)

    def _say(
        self,
        verdict: Verdict,
        code: str,
        message: str,
        expected: Any,
        observed: Any,
        events: Iterable[int],
        measured: int,
    ) -> Finding:
        cited = tuple(sorted(set(events)))[:EVENTS_MAX]
        return Finding(
            self.requirement, self.check, verdict, code, message, expected, observed, cited, measured, self.line
        )


def voice_of(role: str, expectation: Expectation) -> Voice:
    """The voice of the check behind one written expectation; its name is ``role.verb``."""
    return Voice(expectation.proves, f"{role}.{expectation.verb}", expectation.line)
