"""What the operating system shows of a program: credentials in plain view, files open to others, who outlives it, whether it obeys a signal.

Only a world of real processes has these events; elsewhere nothing is judged. A scan counts only where what is known to be there was found too.
Deliberately absent: planted secrets on the wire (``locality``), when a host ends (``outage``). Source: AUT-15, LOC-5, OPS-4.
"""

from harness.base.rank import Rank
from harness.checks.findings import Voice, voice_of
from harness.checks.locality import PUBLIC
from harness.checks.model import Case, Finding, expectation, invariant
from harness.history.events import Event
from harness.history.plan import Expectation

_GROUP, _OTHERS = 0o070, 0o007
_ENTER = 0o111
_READ_OR_WRITE = 0o666


@invariant("shows-no-credential", "RC-AUT-015.not-in-argv")
def shows_no_credential(case: Case) -> list[Finding]:
    """No credential stands in the arguments or the environment of a program, or of what it starts (AUT-15)."""
    shown = [event for event in case.of("os", "process.shown") if event.data.get("where") in ("argv", "environment")]
    return [_scanned(Voice("RC-AUT-015.not-in-argv", "shows-no-credential"), shown)]


@invariant("logs-no-credential", "RC-AUT-015.not-in-log")
def logs_no_credential(case: Case) -> list[Finding]:
    """No credential stands in what a program writes to its standard error (AUT-15)."""
    voice = Voice("RC-AUT-015.not-in-log", "logs-no-credential")
    logs = [event for event in case.of("os", "process.shown") if event.data.get("where") == "log"]
    written = [event for event in logs if event.data.get("bytes")]
    if logs and not written:
        return [voice.silent("no program logged anything")]
    return [_scanned(voice, written, is_controlled=False)]


def _scanned(voice: Voice, shown: list[Event], *, is_controlled: bool = True) -> Finding:
    """What a scan says; with a control only if what is known to be there was found of each program in each place."""
    if not shown:
        return voice.silent("nobody looked at a process")
    leaks = [event for event in shown if _secrets(event)]
    if leaks:
        first = leaks[0]
        told = f"{first.actor}: the {first.data.get('where')} of its {first.data.get('whose')} holds: {', '.join(_secrets(first))}"
        code = f"credential-in-{first.data.get('where')}"
        return voice.fails(code, told, expected="none", observed=_secrets(first), events=[event.n for event in leaks])
    blind = _blind(shown) if is_controlled else []
    if blind:
        return voice.unclear("no-control", f"not even what is always there was found in: {', '.join(blind)}")
    return _truncated(voice, shown) or voice.passes(
        len(shown), "none", expected="none", events=[event.n for event in shown]
    )


def _blind(shown: list[Event]) -> list[str]:
    """Where the scan has no control: a program's environment without the public text, its arguments without a byte."""

    def is_found(event: Event) -> bool:
        known = (
            event.data.get("bytes") if event.data.get("where") == "argv" else PUBLIC in event.data.get("canaries", ())
        )
        return event.data.get("whose") == "program" and bool(known)

    found = {(event.actor, event.data.get("where")) for event in shown if is_found(event)}
    actors = sorted({event.actor for event in shown})
    return [f"{where} of {one}" for one in actors for where in ("argv", "environment") if (one, where) not in found]


def _truncated(voice: Voice, looked_at: list[Event]) -> Finding | None:
    """There was more than was looked at; None if there was not."""
    cut = [event for event in looked_at if event.data.get("truncated")]
    if not cut:
        return None
    what = cut[0].data.get("path") or cut[0].data.get("where")
    return voice.unclear("truncated", f"{cut[0].actor}: there was more than was looked at of: {what}")


def _secrets(event: Event) -> list[str]:
    found = event.data.get("canaries")
    return [str(name) for name in found if name != PUBLIC] if isinstance(found, (list, tuple)) else []


@invariant("keeps-to-itself", "RC-LOC-005.private")
def keeps_to_itself(case: Case) -> list[Finding]:
    """Nothing that a program keeps in its private directory can be reached by other users (LOC-5)."""
    voice = Voice("RC-LOC-005.private", "keeps-to-itself")
    kept = case.of("os", "file.kept")
    files = [event for event in kept if not event.data.get("folder")]
    open_to = [event for event in files if _is_open(event, _folders(kept, event))]
    if open_to:
        first = open_to[0]
        told = f"{first.actor} keeps {first.data.get('path')} with mode {first.data.get('mode')}, in reach of others"
        return [
            voice.fails(
                "open-to-others", told, expected="0600", observed=first.data.get("mode"), events=[e.n for e in open_to]
            )
        ]
    if not files:
        return [voice.silent("no program kept anything")]
    unseen = _truncated(
        voice, [event for event in kept if event.data.get("folder")]
    )  # of a long file the mode is known
    if unseen:
        return [unseen]
    return [voice.passes(len(files), "nobody else", expected="nobody else", events=[event.n for event in files])]


def _folders(kept: list[Event], file: Event) -> list[int]:
    """Modes of the folders on the way to a file, as wide as they ever were."""
    path = str(file.data.get("path"))
    above = {".", *(path.rsplit("/", count)[0] for count in range(1, path.count("/") + 1))}
    modes: dict[str, int] = {}
    for event in kept:
        name = str(event.data.get("path"))
        if event.actor == file.actor and event.data.get("folder") and name in above:
            modes[name] = modes.get(name, 0) | _mode(event)
    return list(modes.values())


def _is_open(file: Event, folders: list[int]) -> bool:
    """Whether a group or everybody may enter every folder on the way and read or write the file."""
    return any(
        _mode(file) & whose & _READ_OR_WRITE and all(mode & whose & _ENTER for mode in folders)
        for whose in (_GROUP, _OTHERS)
    )


def _mode(event: Event) -> int:
    return int(str(event.data.get("mode")), 8)


@invariant("stores-no-credential", "RC-LOC-005.at-rest")
def stores_no_credential(case: Case) -> list[Finding]:
    """No credential is at rest on the relay as it is (LOC-5)."""
    voice, relays = Voice("RC-LOC-005.at-rest", "stores-no-credential"), case.names("relay")
    kept = [event for event in case.of("os", "file.kept") if event.actor in relays]
    files = [event for event in kept if event.data.get("bytes")]
    leaks = [event for event in files if _secrets(event)]
    if leaks:
        told = f"{leaks[0].actor} keeps {', '.join(_secrets(leaks[0]))} in {leaks[0].data.get('path')}"
        return [
            voice.fails(
                "credential-at-rest", told, expected="none", observed=_secrets(leaks[0]), events=[e.n for e in leaks]
            )
        ]
    if not files:
        return [voice.silent("no relay kept anything")]
    unseen = _truncated(voice, kept)
    if unseen:
        return [unseen]
    return [voice.passes(len(files), "none", expected="none", events=[event.n for event in files])]


@expectation("relay", "syncs", rank=Rank.OS)
def syncs(case: Case, entry: Expectation) -> Finding:
    """No answer says that something is stored before the disk has said so (OUT-15)."""
    voice, ordered = voice_of("relay", entry), case.of("os", "answer.ordered", entry.actor)
    least = int((entry.at_least or {}).get("count", 1))
    early = [event for event in ordered if event.data.get("seen") and not event.data.get("synced")]
    if ordered and not any(event.data.get("wrote") for event in ordered):
        return voice.unclear(
            "not-assessable", f"{entry.actor} wrote nothing to its store by a call that can be watched"
        )
    if early:
        told = f"{entry.actor} answered {len(early)} of {len(ordered)} times before the disk had it"
        return voice.fails("answered-before-sync", told, expected=0, observed=len(early), events=[e.n for e in early])
    seen = [event for event in ordered if event.data.get("seen")]
    if len(seen) < least:
        return voice.unclear(
            "too-few", f"only {len(seen)} answers were found among the system calls of at least {least}"
        )
    return voice.passes(len(seen), 0, expected=0, events=[event.n for event in seen])


@invariant("leaves-nobody", "RC-OPS-004.leaves-nobody")
def leaves_nobody(case: Case) -> list[Finding]:
    """Nobody whom a program started outlives it, unless it was killed (OPS-4)."""
    voice = Voice("RC-OPS-004.leaves-nobody", "leaves-nobody")
    ends = case.of("os", "process.survived")
    left = [event for event in ends if event.data.get("alive")]
    if left:
        told = f"{left[0].actor} ended and left {left[0].data.get('alive')} alive: {left[0].data.get('commands')}"
        return [
            voice.fails("left-behind", told, expected=0, observed=left[0].data.get("alive"), events=[e.n for e in left])
        ]
    if not ends:
        return [voice.silent("no program ended by itself where the process table could be read")]
    return [voice.passes(len(ends), 0, expected=0, events=[event.n for event in ends])]


@invariant("obeys-signal", "RC-OPS-004.obeys-signal")
def obeys_signal(case: Case) -> list[Finding]:
    """Asked by SIGTERM, a program leaves in time and with success, as if its owner had ended it (OPS-4)."""
    voice = Voice("RC-OPS-004.obeys-signal", "obeys-signal")
    asked = case.of("os", "process.asked")
    deaf = [event for event in asked if not event.data.get("left")]
    if deaf:
        told = f"{deaf[0].actor} still ran {deaf[0].data.get('grace_s')} s after SIGTERM"
        return [
            voice.fails("did-not-leave", told, expected="left", observed="runs", events=[event.n for event in deaf])
        ]
    rude = [event for event in asked if event.data.get("code") != 0]
    if rude:
        told = f"{rude[0].actor} left with exit code {rude[0].data.get('code')} when asked to"
        return [
            voice.fails(
                "wrong-exit-code", told, expected=0, observed=rude[0].data.get("code"), events=[e.n for e in rude]
            )
        ]
    if not asked:
        return [voice.silent("no program was asked to leave")]
    return [voice.passes(len(asked), 0, expected=0, events=[event.n for event in asked])]
