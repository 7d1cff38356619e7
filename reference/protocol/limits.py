"""Every size and patience limit of the relay's edge; docs/spec/protocol.md lists the public ones.

Deliberately absent: the protocol's timers (``timers.py``), which both ends must agree on.
"""

HEAD_BYTES_MAX = 16 * 1024
"""Request line and headers together; h11 and Node chose 16 KiB too."""

URL_BYTES_MAX = 2 * 1024
"""Longest request target; our own longest path is below 100."""

HEADERS_MAX = 100
"""Header lines in one head; nginx and Apache default to 100."""

BODY_BYTES_MAX = 256 * 1024
"""One decoded request body."""

CHUNK_LINE_BYTES_MAX = 256
"""One chunk-size line with its extensions, which nobody uses (a 70 kB one was taken by two parsers)."""

CHUNK_OVERHEAD_BYTES_MAX = 64 * 1024
"""All that a chunked body may carry beside its data."""

PIPELINED_MAX = 16
"""Requests one peer may have waiting behind the one that is being answered."""

UNTAKEN_BYTES_MAX = 64 * 1024
"""Answers that a peer does not take; above it nothing more is read from it (nginx serves pipelined requests one by one)."""

HEAD_S = 10.0
"""From a connection's first moment, or a head's first byte, to its end (RES-1)."""

BODY_SILENCE_S = 10.0
"""Longest silence inside a body."""

BODY_S = 60.0
"""A whole body, however it drips; Node's ``requestTimeout`` and Go's ``ReadTimeout`` bound the whole too. The largest body with its chunk overhead
takes 33 s at 10 kB/s."""

KEEP_ALIVE_S = 120.0
"""Idle connection of a peer that was answered before; eight heartbeats, so that a host never meets a closing door."""

LINGER_S = 1.0
"""After a refusal the rest is read and dropped for so long, or a reset would overtake the answer (RFC 9112 section 9.6)."""

FLUSH_S = 5.0
"""A closing connection may take so long to take its last bytes."""

REQUESTS_PER_S = 50
"""Requests of one enrolment, minting included; Discord allows a bot 50 a second over all its routes. Our own clients ask one thing of a kind at a
time, so that a round trip of 40 ms keeps the busiest below 25."""

REQUESTS_AT_ONCE = 100
"""So many may come at once after a quiet time: two seconds' worth, for everybody reconnects in a burst."""

UNSENT_BYTES_MAX = 1024 * 1024
"""Unsent to one stream; above it the consumer is slow and is detached."""

REPLAY_BYTES = 256 * 1024
"""A stream that catches up is fed so much at a time, so that a long replay is not taken for a slow consumer."""

LOG_ENTRIES_MAX = 10_000
"""Entries kept for one session; older ones become an honest gap."""

LOG_BYTES_MAX = 64 * 1024 * 1024
"""Bytes of entries kept for one session."""

WAIT_S_MAX = 60.0
"""Longest bounded poll; a longer wish is cut to this (RFC 7240 lets a server do so)."""

EXPIRED_KEPT_S = 3_600.0
"""An expired token is remembered so long, so that its owner hears ``token-expired`` and not ``token-unknown``."""
