"""Planted secrets, and where they turn up: plain, base64 at any offset, hexadecimal, percent-encoded, JSON-escaped.

Source: properties section 2.2 (27 of 30 carriers; encryption is beyond any scanner, and the report says so). Deliberately absent: who plants them.
"""

import base64
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

CORE_CHARS_MIN = 12
"""Shortest needle that is looked for: 9 random bytes; a shorter one would be found by accident."""


@lru_cache(maxsize=1024)  # every connection of a run looks for the same few
def needles(value: str) -> tuple[bytes, ...]:
    """Every spelling of a value that is looked for."""
    plain = value.encode()
    spelled = [
        plain,
        plain[::-1],
        plain.hex().encode(),
        plain.hex().upper().encode(),
        "".join(f"%{byte:02x}" for byte in plain).encode(),
        "".join(f"%{byte:02X}" for byte in plain).encode(),
        "".join(f"\\u{byte:04x}" for byte in plain).encode(),
        *_base64_cores(plain),
    ]
    return tuple(needle for needle in dict.fromkeys(spelled) if len(needle) >= min(CORE_CHARS_MIN, len(plain)))


def _base64_cores(plain: bytes) -> list[bytes]:
    """The characters of its base64 that do not depend on what stands before and after, for all three offsets, both alphabets."""
    cores = []
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + plain)
        core = encoded[(0, 2, 3)[offset] : -4]
        cores += [core, core.translate(bytes.maketrans(b"+/", b"-_"))]
    return cores


def classes_in(texts: Iterable[bytes], canaries: Mapping[str, str | Sequence[str]]) -> list[str]:
    """Classes of planted values found in any of the byte strings, sorted."""
    texts = [text for text in texts if text]
    planted = {name: [values] if isinstance(values, str) else values for name, values in canaries.items()}
    return sorted(
        name
        for name, values in planted.items()
        if any(needle in text for value in values for needle in needles(value) for text in texts)
    )
