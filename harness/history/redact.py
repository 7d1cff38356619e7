"""Secrets do not leave: credentials and planted values are replaced wherever text is about to be shown or kept.

Source: docs/spec/protocol.md (prefixes ``rca_``, ``rcr_``), properties section 2.2 (canaries). Deliberately absent: finding out who leaked.
"""

import re
from typing import Any

_SECRETS = re.compile(r"(?P<credential>rc[ar])_[A-Za-z0-9_\-]{4,}|(?P<canary>C[a-z_]+)-[0-9a-f]{24}")


def redact(text: str) -> str:
    """Replace credentials by ``rca_***`` and canaries by ``Cenv-***``: what it was stays visible, its value does not."""
    return _SECRETS.sub(
        lambda match: f"{match['credential']}_***" if match["credential"] else f"{match['canary']}-***", text
    )


def redact_all[T](value: T) -> T:
    """Redact every string inside a JSON value, keys included."""
    return _redacted(value)  # type: ignore[no-any-return]


def _redacted(value: Any) -> Any:
    if isinstance(value, str):
        return redact(value)
    if isinstance(value, dict):
        return {_redacted(key): _redacted(item) for key, item in value.items()}
    return [_redacted(item) for item in value] if isinstance(value, (list, tuple)) else value
