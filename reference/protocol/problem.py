"""Refusals as RFC 9457 problem documents."""

from typing import Any

import msgspec

from reference.protocol.errors import ERRORS, TYPE_PREFIX
from reference.protocol.relay_io import Headers, Respond

_REALM = 'Bearer realm="relay"'


class Refused(Exception):  # noqa: N818 - it is an answer, not an error of ours
    """Ends the treatment of a request; the machine turns it into a problem document.

    Attributes:
        code: a key of ``ERRORS``.
        extra: further members of the problem document, e.g. ``expected`` of an outbox gap.
        headers: further headers, e.g. ``Retry-After``.
    """

    def __init__(self, code: str, headers: Headers = (), **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        self.headers = headers
        self.extra = extra


def problem(rid: int, code: str, headers: Headers = (), **extra: Any) -> Respond:
    """Make the answer that refuses request ``rid`` with a code of errors.yaml.

    Every 401 names its scheme (RFC 9110 section 15.5.2); 426 names the protocol in ``Upgrade`` only where one switches, which is not here.
    """
    row = ERRORS[code]
    body = {"type": TYPE_PREFIX + code, "title": row.title, "status": row.status, "retryable": row.retryable, **extra}
    if row.status == 401:
        error = "" if code == "token-missing" else ', error="invalid_token"'
        headers = (*headers, ("WWW-Authenticate", _REALM + error))
    return Respond(rid, row.status, (("Content-Type", "application/problem+json"), *headers), msgspec.json.encode(body))
