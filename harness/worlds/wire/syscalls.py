"""The order of a relay's writes, syncs and answers, as strace(1) saw it; whether an answer that says *stored* came after the disk said so.

An answer is told from other bytes by the tap, and found among the system calls by its connection's port. Deliberately absent: stores that are
written in another way than by these calls (io_uring, maps), of which nothing can be said. Source: OUT-15.
"""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Literal, NamedTuple

from harness.base.errors import WorldError
from harness.history.events import Event
from harness.history.plan import Plan

_WRITES = frozenset({"write", "writev", "pwrite64", "pwritev", "pwritev2"})
_SYNCS = frozenset({"fsync", "fdatasync", "syncfs"})
_SENDS = frozenset({"sendto", "sendmsg", "write", "writev"})
_RECEIVES = frozenset({"recvfrom", "recvmsg", "read", "readv"})
CALLS = ",".join(sorted(_WRITES | _SYNCS | _SENDS | _RECEIVES | {"openat"}))

_OPTIONS = ("-DDD", "-f", "-qq", "-yy", "-ttt", "-s", "0", "--seccomp-bpf", "-e", f"trace={CALLS}", "-e", "signal=none")
"""Beside the program, all its threads, whose files and peers, when, none of the bytes, nothing but these calls."""

TRIAL_S = 10.0
"""A trial takes 30 ms."""

WARPS = ("LD_PRELOAD", "WARP_PAGE")
"""Only the program's own: strace's clocks are true, and whoever bears the page is taken for a part of the program. Neither is a secret."""

_LINE = re.compile(r"(?P<task>\d+) +(?P<t>\d+\.\d{6}) (?P<what>.*)")
_CALL = re.compile(r"(?P<name>\w+)\(\d+<(?P<of>.*?)>(?=[,) ]).*?(?:\) += (?P<result>-?\d+).*|<unfinished \.\.\.>)")
_RESUMED = re.compile(r"<\.\.\. (?P<name>\w+) resumed>.*?\) += (?P<result>-?\d+).*")
_OPENED = re.compile(r"openat\(.*\bO_D?SYNC\b.*\) += \d+<(?P<of>.*)>")
_PEER = re.compile(r"TCP(?:v6)?:\[.*->.*:(?P<port>\d+)\]")


class Step(NamedTuple):
    """One system call that matters: something was written to the store or synced, taken from a peer or given to it.

    ``t`` in world seconds; ``port`` of the peer, 0 for files.
    """

    t: float
    what: Literal["wrote", "synced", "took", "gave"]
    port: int = 0


class Answer(NamedTuple):
    """An answer that says that something new is stored: its world seconds, client and connection."""

    t: float
    actor: str
    conn: int


def wanted(plan: Plan) -> bool:
    """Whether a plan expects something that only the order of system calls shows."""
    return any(claim.verb == "syncs" for claim in plan.expectations)


@cache
def lacking() -> str:
    """Why nothing can be watched here; empty if it can."""
    program = shutil.which("strace")
    if program is None:
        return "strace(1) is not here: install strace"
    trial = [program, *_OPTIONS, "-o", "/dev/null", sys.executable, "-S", "-c", ""]
    try:
        done = subprocess.run(trial, capture_output=True, text=True, check=False, timeout=TRIAL_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"strace(1) cannot be run here: {error}"
    return f"strace(1) may not watch here: {done.stderr.strip()}" if done.returncode else ""


def watched(command: Sequence[str], environ: Mapping[str, str], trace: Path) -> tuple[list[str], dict[str, str]]:
    """The command that runs another under strace, which stays beside it: process, group and signals are the program's own.

    Args:
        command: the program and its arguments.
        environ: its environment. Arguments can be read by every user, so strace inherits it and hands it on, but for ``WARPS``.
        trace: where strace writes; appended to.

    Raises:
        WorldError: there is no strace.
    """
    program = shutil.which("strace")
    if program is None:
        raise WorldError(lacking())
    own = [word for name in WARPS if name in environ for word in ("-E", f"{name}={environ[name]}")]
    inherited = {name: value for name, value in environ.items() if name not in WARPS}
    return [program, *_OPTIONS, "-A", "-o", str(trace), *own, *command], inherited


def steps(trace: Iterable[str], store: Path, time_of: Callable[[int], float]) -> Iterator[Step]:
    """What matters of a trace, in its order: a write or an answer when it begins, a sync or a request when it is over.

    Args:
        trace: lines of strace.
        store: folder of the relay's store.
        time_of: true MONOTONIC nanoseconds -> the world's seconds.
    """
    calendar_ns = time.time_ns() - time.monotonic_ns()
    under_way: dict[str, tuple[str, str]] = {}
    prompt: set[str] = set()
    for line in map(_LINE.match, trace):
        if line is None:
            continue
        opened = _OPENED.match(line["what"])
        if opened:
            prompt.add(opened["of"])
        call, resumed = _CALL.fullmatch(line["what"]), _RESUMED.fullmatch(line["what"])
        t = time_of(int(line["t"].replace(".", "")) * 1000 - calendar_ns)
        if call:
            yield from _begun(t, call["name"], call["of"], store)
            under_way[line["task"]] = call["name"], call["of"]
        result = (call or resumed or {"result": None})["result"]
        if result is not None and line["task"] in under_way:
            name, of = under_way.pop(line["task"])
            yield from _ended(t, name, of, int(result), prompt)


def _begun(t: float, name: str, of: str, store: Path) -> Iterator[Step]:
    peer = _PEER.fullmatch(of)
    if peer and name in _SENDS:
        yield Step(t, "gave", int(peer["port"]))
    elif name in _WRITES and of.startswith(f"{store}/"):
        yield Step(t, "wrote")


def _ended(t: float, name: str, of: str, result: int, prompt: set[str]) -> Iterator[Step]:
    peer = _PEER.fullmatch(of)
    if peer and name in _RECEIVES and result > 0:
        yield Step(t, "took", int(peer["port"]))
    elif (name in _SYNCS and result == 0) or (name in _WRITES and of in prompt and result > 0):
        yield Step(t, "synced")


def answers(heard: Iterable[Event]) -> Iterator[Answer]:
    """Answers that promise something which no answer before promised: a new message, or lines up to a higher number."""
    highest: dict[object, int] = {}
    for one in heard:
        data = one.data
        if one.what != "response" or data.get("method") != "POST" or data["status"] >= HTTPStatus.MULTIPLE_CHOICES:
            continue
        upto, session = data.get("upto"), data.get("path")
        if isinstance(upto, int) and upto > highest.get(session, 0):
            highest[session] = upto
            yield Answer(one.t, one.actor, data["conn"])
        elif upto is None and "seq" in data and not data.get("duplicate"):
            yield Answer(one.t, one.actor, data["conn"])


def order_of(answer_at: float, port: int | None, found: Sequence[Step]) -> dict[str, Any]:
    """What the relay did between a request and its answer.

    Args:
        answer_at: world seconds at which the tap saw the answer.
        port: from which the tap spoke with the relay.
        found: all steps in order.

    Returns:
        ``seen``: whether request and answer were found among the calls; ``wrote``: writes to the store between them; ``synced``: whether one of
        these was synced before the answer.
    """
    place = next(
        (n for n in reversed(range(len(found))) if _is(found[n], "gave", port) and found[n].t <= answer_at), None
    )
    asked_at = None if place is None else _asked_at(found, place, port)
    if place is None or asked_at is None:
        return {"seen": False, "wrote": 0, "synced": False}
    between = [step.what for step in found[asked_at:place]]
    first = between.index("wrote") if "wrote" in between else len(between)
    return {"seen": True, "wrote": between.count("wrote"), "synced": "synced" in between[first:]}


def _asked_at(found: Sequence[Step], place: int, port: int | None) -> int | None:
    """Where the request before an answer begins: the first of the last pieces that were taken in a row from this peer."""
    at: int | None = None
    for n in reversed(range(place)):
        if _is(found[n], "took", port):
            at = n
        elif _is(found[n], "gave", port) and at is not None:
            break
    return at


def _is(step: Step, what: str, port: int | None) -> bool:
    return step.what == what and step.port == port
