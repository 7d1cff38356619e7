"""The phases of a device and what each takes."""

from enum import StrEnum

from reference.protocol.client_io import Answered, CallFailed, StreamBytes, StreamEnded, StreamOpened, StreamSent, Tick
from reference.protocol.device_io import Attach, Decide, Detach, List, Rename, Send, Start, Stop


class Phase(StrEnum):
    """Where the program is: signed in or not, with a window open or not."""

    IDLE = "idle"
    READY = "ready"
    ATTACHED = "attached"
    OVER = "over"


_CALLS: dict[type, str] = {Answered: "on_answered", CallFailed: "on_call_failed"}
_STREAMS: dict[type, str] = {
    StreamSent: "on_stream_sent",
    StreamOpened: "on_stream_opened",
    StreamBytes: "on_stream_bytes",
    StreamEnded: "on_stream_ended",
}
_ACTS: dict[type, str] = {
    Attach: "on_attach",
    Decide: "on_decide",
    Detach: "on_detach",
    List: "on_list",
    Rename: "on_rename",
    Send: "on_send",
}

HANDLERS: dict[tuple[Phase, type], str] = {
    (Phase.IDLE, Start): "on_start",
    **{(Phase.IDLE, act): "on_too_soon" for act in _ACTS},
    **{(phase, Start): "on_start_again" for phase in (Phase.READY, Phase.ATTACHED)},
    **{(phase, kind): method for phase in (Phase.READY, Phase.ATTACHED) for kind, method in _CALLS.items()},
    **{(Phase.ATTACHED, kind): method for kind, method in (_STREAMS | _ACTS).items()},
    (Phase.READY, List): "on_list",
    (Phase.READY, Attach): "on_attach",
    (Phase.READY, Detach): "on_detach",
    **{(Phase.READY, act): "on_too_soon" for act in (Send, Decide, Rename)},
    **{(phase, Stop): "on_stop" for phase in Phase},
    **{(Phase.OVER, act): "on_too_soon" for act in (Start, *_ACTS)},
}
"""(phase, input) -> method of the machine."""

IGNORED: frozenset[tuple[Phase, type]] = frozenset(
    {(phase, Tick) for phase in Phase}
    | {(Phase.READY, kind) for kind in _STREAMS}
    | {(Phase.OVER, kind) for kind in (*_CALLS, *_STREAMS)}
)
"""Pairs that mean nothing: a tick acts through ``drive``; streams of a closed window are late."""
