"""A history told as it happened: lanes that grow downwards, empty rows while nothing happens, a band where a fault is in force.

Deliberately absent: invention. Every row is an event of the history or a tick of its clock.
"""

from collections.abc import Callable, Iterator

from rich.console import Console
from rich.text import Text

from harness.history.events import Event, History
from harness.report.lanes import Lanes, clock
from harness.report.sentences import sentence

_TICKS = 16
"""Empty rows of a whole film at most, so that time that passes can be seen to pass."""

type Pause = Callable[[float], None]


def film(history: History, console: Console, *, lasts_s: float, pause: Pause) -> None:
    """Print a history at an even pace.

    Args:
        history: what happened.
        console: where to.
        lasts_s: real seconds for the whole of it.
        pause: waits for so many seconds.
    """
    rows = list(_rows(history, Lanes.of(history.plan, min(console.width, 110))))
    for row in rows:
        console.print(row, soft_wrap=True)
        pause(lasts_s / len(rows))


def _rows(history: History, lanes: Lanes) -> Iterator[Text]:
    yield Text(lanes.head(), style="bold")
    tick_s = _tick_s(history.footer.simulated_s)
    now, active = 0.0, 0
    for event in history.events:
        change = {"began": 1, "healed": -1}.get(event.what, 0) if event.kind == "fault" else 0
        if not sentence(event):
            continue
        while now + tick_s < event.t:
            now += tick_s
            yield _tick(lanes, now, faulty=active > 0)
        active += change
        yield from _event(lanes, event, faulty=active > 0 or change < 0)
        now = max(now, event.t - event.t % tick_s)


def _event(lanes: Lanes, event: Event, *, faulty: bool) -> Iterator[Text]:
    style = "red" if event.kind == "fault" else "bold" if event.kind == "os" else ""
    yield from (Text(line, style=style) for line in lanes.lines(event, faulty=faulty))


def _tick(lanes: Lanes, t: float, *, faulty: bool) -> Text:
    return Text(lanes.empty(clock(t), faulty=faulty), style="red" if faulty else "dim")


def _tick_s(simulated_s: float) -> float:
    """A round step that gives at most ``_TICKS`` ticks."""
    steps = (10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0)
    return next((step for step in steps if simulated_s / step <= _TICKS), simulated_s / _TICKS)
