"""How often one credential may ask: a token bucket for each enrolment, whatever access token or connection it comes by.

Never stored: a restart forgives. Deliberately absent: the numbers (``limits.py``), and limits for those who have no credential, which an edge
in front of the relay sees better.
"""

from reference.protocol import limits


class Rates:
    """Buckets by credential. All times are awake seconds."""

    def __init__(self) -> None:
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, who: str, now_s: float) -> float:
        """Take one request out of a bucket.

        Args:
            who: the credential.
            now_s: now.

        Returns:
            0.0 if there was one, else the seconds until there will be: a refusal costs nothing.
        """
        left, at_s = self._left.get(who, (float(limits.REQUESTS_AT_ONCE), now_s))
        left = min(float(limits.REQUESTS_AT_ONCE), left + (now_s - at_s) * limits.REQUESTS_PER_S)
        if left < 1.0:
            self._left[who] = (left, now_s)
            return (1.0 - left) / limits.REQUESTS_PER_S
        self._left[who] = (left - 1.0, now_s)
        return 0.0
