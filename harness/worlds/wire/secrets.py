"""What must turn up nowhere in one run, and by what class it is called where it does: values never enter a history.

Deliberately absent: where is looked (``observers``).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from harness.sut.canary import classes_in
from harness.sut.tap import CREDENTIAL, Chunk

PUBLIC, ENROLMENT, ACCESS = "public", "enrolment", "access-token"
"""Classes: what must be found where anything is; a credential that the relay issued to the harness; a token seen on the wire."""

_TOKEN = re.compile(CREDENTIAL.pattern.encode())
_ENROLMENT_PREFIX = b"rcr_"


@dataclass(frozen=True)
class Secrets:
    """One run's.

    Attributes:
        enrolments: credentials that the harness handed over; looked for in every spelling.
        tokens: credentials that crossed the tap; looked for as they are.
        public: a text that is in every program's environment: the positive control.
    """

    enrolments: Collection[str]
    tokens: frozenset[bytes]
    public: str

    def classes(self, text: bytes) -> list[str]:
        """Classes of what is in a text, sorted."""
        found = set(classes_in([text], {ENROLMENT: list(self.enrolments), PUBLIC: self.public}))
        met = self.tokens.intersection(_TOKEN.findall(text))
        found |= {ENROLMENT if token.startswith(_ENROLMENT_PREFIX) else ACCESS for token in met}
        return sorted(found)


def crossed(chunks: Iterable[Chunk]) -> frozenset[bytes]:
    """Credentials in the plaintext of a run, however it was split."""
    streams: dict[tuple[object, ...], list[bytes]] = defaultdict(list)
    for chunk in chunks:
        streams[chunk.actor, chunk.conn, chunk.direction].append(chunk.data)
    return frozenset(token for pieces in streams.values() for token in _TOKEN.findall(b"".join(pieces)))
