"""The phases of a host, what each takes, and what its terminal says."""

from enum import StrEnum

from reference.protocol.client_io import Answered, CallFailed, StreamBytes, StreamEnded, StreamOpened, StreamSent, Tick
from reference.protocol.host_io import AgentEnded, AgentSaid, Press, Rename, Start, Stop, Type


class Phase(StrEnum):
    """Where the program is in its life; the state of the connection is another matter (``status``)."""

    IDLE = "idle"
    STARTING = "starting"
    LIVE = "live"
    STOPPING = "stopping"
    OVER = "over"


NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.IDLE: frozenset({Phase.STARTING, Phase.OVER}),
    Phase.STARTING: frozenset({Phase.LIVE, Phase.OVER}),
    Phase.LIVE: frozenset({Phase.STOPPING, Phase.OVER}),
    Phase.STOPPING: frozenset({Phase.OVER}),
    Phase.OVER: frozenset(),
}
"""Phase -> phases that may follow; a session that ended never comes back (ART-17, SES-9)."""

HANDLERS: dict[tuple[Phase, type], str] = {
    (Phase.IDLE, Start): "on_start",
    (Phase.IDLE, Stop): "on_stop_early",
    (Phase.STARTING, Answered): "on_answered",
    (Phase.STARTING, CallFailed): "on_call_failed",
    (Phase.STARTING, Stop): "on_stop_early",
    (Phase.STARTING, Start): "on_start_again",
    (Phase.LIVE, Answered): "on_answered",
    (Phase.LIVE, CallFailed): "on_call_failed",
    (Phase.LIVE, StreamSent): "on_stream_sent",
    (Phase.LIVE, StreamOpened): "on_stream_opened",
    (Phase.LIVE, StreamBytes): "on_stream_bytes",
    (Phase.LIVE, StreamEnded): "on_stream_ended",
    (Phase.LIVE, AgentSaid): "on_agent_said",
    (Phase.LIVE, AgentEnded): "on_agent_ended",
    (Phase.LIVE, Start): "on_start_again",
    (Phase.LIVE, Rename): "on_rename",
    (Phase.LIVE, Type): "on_type",
    (Phase.LIVE, Press): "on_press",
    (Phase.LIVE, Stop): "on_stop",
    (Phase.STOPPING, Answered): "on_answered",
    (Phase.STOPPING, CallFailed): "on_call_failed",
    (Phase.STOPPING, Stop): "on_stop_again",
    **{(phase, act): "on_too_soon" for phase in (Phase.IDLE, Phase.STARTING) for act in (Rename, Type, Press)},
    **{(phase, act): "on_too_late" for phase in (Phase.STOPPING, Phase.OVER) for act in (Start, Rename, Type, Press)},
    (Phase.OVER, Stop): "on_stop_again",
}
"""(phase, input) -> method of the machine."""

IGNORED: frozenset[tuple[Phase, type]] = frozenset(
    {(phase, Tick) for phase in Phase}
    | {
        (phase, late)
        for phase in (Phase.STOPPING, Phase.OVER)
        for late in (StreamSent, StreamOpened, StreamBytes, StreamEnded)
    }
    | {(phase, late) for phase in (Phase.STOPPING, Phase.OVER) for late in (AgentSaid, AgentEnded)}
    | {(Phase.OVER, Answered), (Phase.OVER, CallFailed)}
)
"""Pairs that mean nothing: a tick acts through ``drive``, and what still comes from dropped streams or a dismissed agent is late."""
