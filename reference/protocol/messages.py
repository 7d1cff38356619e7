"""Request bodies of docs/spec/protocol.md as typed values; unknown fields are ignored, everything else that is off is refused."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from reference.protocol.problem import Refused

type Id = Annotated[str, Meta(min_length=1, max_length=128)]
type Text = Annotated[str, Meta(max_length=4096)]
type Body = dict[str, Any]

DEPTH_MAX = 64
"""Deepest nesting of a body: far above any real one, far below any recursion limit (RES-4)."""


class Register(Struct):
    """``POST /v1/sessions``."""

    instance: Id
    incarnation: Id
    title: Text = ""
    cwd: Text = ""
    version: Annotated[str, Meta(max_length=32)] | int = "1"


class Item(Struct):
    """One thing that happened on the host."""

    n: Annotated[int, Meta(ge=1)]
    kind: str
    body: Body


class Outbox(Struct):
    """``POST /{s}/outbox``."""

    epoch: int
    beat: Annotated[int, Meta(ge=0)] = 0
    heard_s: Annotated[float, Meta(ge=0)] = 0.0
    items: list[Item] = []


class End(Struct):
    """``POST /{s}/end``."""

    epoch: int
    reason: Id = "owner"


class TextBlock(Struct, tag_field="type", tag="text"):
    """One block of a prompt."""

    text: str


class Prompt(Struct):
    """Body of a prompt."""

    prompt: Annotated[list[TextBlock], Meta(min_length=1)]


class Message(Struct):
    """``POST /{s}/messages``."""

    msg_id: Id
    body: Prompt


class Decision(Struct):
    """``POST /{s}/decisions``."""

    msg_id: Id
    request: Id
    option: Id
    digest: Id


class Title(Struct):
    """``POST /{s}/title``."""

    msg_id: Id
    title: Text


class Option(Struct):
    """One way to answer a permission request."""

    optionId: Id  # noqa: N815 - the Agent Client Protocol's spelling


class PermissionRequest(Struct):
    """Item ``permission_request``."""

    request: Id
    digest: Id
    toolCall: Body  # noqa: N815 - the Agent Client Protocol's spelling
    options: Annotated[list[Option], Meta(min_length=1)]


class Withdrawn(Struct):
    """Item ``permission_withdrawn``."""

    request: Id
    reason: str | None = None


class Receipt(Struct):
    """Item ``receipt``."""

    of: Annotated[int, Meta(ge=1)]
    stage: Literal["host_received", "host_applied", "failed"]
    reason: str | None = None


class Renamed(Struct):
    """Item ``title``."""

    title: Text


ITEMS: dict[str, tuple[str, type[Struct] | None]] = {
    "update": ("host", None),
    "prompt": ("terminal", Prompt),
    "permission_request": ("host", PermissionRequest),
    "permission_withdrawn": ("host", Withdrawn),
    "receipt": ("host", Receipt),
    "title": ("host", Renamed),
}
"""Outbox item kind -> author that the relay writes and shape of the body; a host cannot speak as anybody else (AZN-5)."""


def decode[Shape](raw: bytes, shape: type[Shape]) -> Shape:
    """Decode a request body.

    Raises:
        Refused: ``bad-request`` with a ``detail`` that names the place.
    """
    try:
        if raw.count(b"[") + raw.count(b"{") > DEPTH_MAX:
            _measure(msgspec.json.decode(raw), DEPTH_MAX)
        return msgspec.json.decode(raw, type=shape)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        raise Refused("bad-request", detail=str(error)) from None


def convert[Shape](value: Any, shape: type[Shape]) -> Shape:
    """Check the shape of a part that was decoded before."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.MsgspecError as error:
        raise Refused("bad-request", detail=str(error)) from None


def offered(options: Any) -> list[dict[str, Any]]:
    """What can be chosen of the options that somebody names.

    One whose ``optionId`` a relay would not take is left out: it would cost the host the whole post.
    """
    return [option for option in options if _is_option(option)] if isinstance(options, list) else []


def _is_option(value: Any) -> bool:
    try:
        msgspec.convert(value, Option)
    except msgspec.ValidationError:
        return False
    return True


def _measure(value: Any, left: int) -> None:
    """Walk down; refuse what is nested too deep."""
    if left == 0:
        raise Refused("bad-request", detail="nested too deep")
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        if isinstance(part, dict | list):
            _measure(part, left - 1)
