"""Every timing constant of the protocol, in one frozen value; docs/spec/protocol.md lists them."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Timers:
    """Seconds unless said otherwise.

    Attributes:
        heartbeat_s: SSE comment down, empty outbox batch up; precedent 20 s seen in the field, 15 s keeps most NAT tables (30 s) warm.
        silence_s: two heartbeats and one second: a direction that was silent so long is dead.
        outage_limit_s: awake since last heard; then the host ends (ART-19, "roughly ten minutes").
        connect_s: to reach the relay, TLS included.
        request_s: for one answer.
        backoff_base_s: first bound of the full-jitter back-off.
        backoff_cap_s: last bound; the Codex host and most SDKs use 30.
        backoff_healthy_s: a connection must live so long before the back-off starts over (OUT-11).
        probe_s: how often awake is compared with elapsed to notice a wake.
        first_byte_s: a stream whose opening comment did not come by then is buffered by a middlebox.
        poll_wait_s: length of one bounded poll.
        stream_retry_s: how long to stay with polls before streaming is tried again.
        renew_from, renew_to: part of a token's life after which it is renewed, drawn between the two.
        retention_s: how long the relay keeps a silent session: 30 days, longer than any holiday.
        drain_s: how long a draining relay waits for streams to leave.
    """

    heartbeat_s: float = 15.0
    silence_s: float = 31.0
    outage_limit_s: float = 600.0
    connect_s: float = 10.0
    request_s: float = 10.0
    backoff_base_s: float = 1.0
    backoff_cap_s: float = 30.0
    backoff_healthy_s: float = 10.0
    probe_s: float = 2.0
    first_byte_s: float = 5.0
    poll_wait_s: float = 20.0
    stream_retry_s: float = 60.0
    renew_from: float = 0.5
    renew_to: float = 0.8
    retention_s: float = 2_592_000.0
    drain_s: float = 30.0
