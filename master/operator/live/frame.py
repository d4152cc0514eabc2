"""One frame of `ffrtmp top`: what a farm is doing, on a screen of any size. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from common.durations import format_duration
from common.model import JobStatus, Priority
from master.operator.formats import Document, safe
from master.operator.live.bars import STYLES, Shown, name_of, state_of, time_left
from master.operator.tables import number, short

_RECENT = timedelta(minutes=10)
"""What is counted as throughput."""
_NARROW = 100
"""Columns below which what matters least is left out."""
_LEAST = 12
"""Lines that are drawn at least: on fewer it is cut."""
Names = Mapping[str, str]
"""What people call each node, by its id."""
_STATES = {"online": "green", "busy": "green", "draining": "yellow", "offline": "red", "quarantined": "red"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the last look at a farm found."""

    nodes: Sequence[Document] = ()
    running: Sequence[Document] = ()
    pending: Sequence[Document] = ()
    """The first of them in the listing."""
    finished: Sequence[Document] = ()
    """Results, newest first."""
    paused: bool = False
    counts: dict[str, int] = field(default_factory=dict)
    """All jobs by status."""
    waiting: Mapping[str, Document] = field(default_factory=dict)
    """By priority: how many `jobs` wait, and for how many seconds the `oldest`."""
    stuck: int = 0
    """Of those that wait: how many no node can take as things are."""


@dataclass(frozen=True, slots=True)
class View:
    """How somebody wants to see it."""

    sort: str = "left"
    frozen: bool = False
    away: str | None = None
    """Why the last look found nothing."""


SORTS: dict[str, Callable[[Document, Names], object]] = {
    "left": lambda job, _: _unknown_last((job["progress"] or {}).get("seconds_left")),
    "percent": lambda job, _: _unknown_last(_negative((job["progress"] or {}).get("percent"))),
    "node": lambda job, names: (_node_of(job, names), job["started_at"] or ""),
    "age": lambda job, _: job["started_at"] or "",
}
"""By which running jobs are sorted."""


def next_sort(view: View) -> View:
    """Sorted by the next of them."""
    names = list(SORTS)
    return replace(view, sort=names[(names.index(view.sort) + 1) % len(names)])


def frame(
    seen: Seen, view: View, size: tuple[int, int], shown: Shown, now: float, wall: datetime, where: str
) -> RenderableType:
    """All of it on so many columns and lines. `now` runs forward; `wall` is the time of day, in UTC."""
    width, height = size
    room = max(_LEAST, height) - 6  # the head, three titles, the foot, and a line of air
    nodes = seen.nodes[: max(2, room // 4)]
    names = {node["id"]: node["address"] for node in seen.nodes}
    running = sorted(seen.running, key=lambda job: SORTS[view.sort](job, names))  # type: ignore[arg-type,return-value]
    most = max(3, room - len(nodes) - 3 - min(len(seen.finished), room // 4))
    shown_jobs = running[:most]
    left = room - len(nodes) - len(shown_jobs)
    finished = seen.finished[: max(0, min(left - min(2, len(seen.pending)), room // 3 + 1))]
    pending = seen.pending[: max(0, left - len(finished))]
    return Group(
        _head(seen, view, where),
        _title("NODES", len(seen.nodes), len(nodes)),
        _nodes(nodes, width),
        _title(f"RUNNING by {view.sort}", len(running), len(shown_jobs)),
        _running(shown_jobs, names, shown, now, width),
        _title("WAITING", seen.counts.get("pending", len(seen.pending)), len(pending), _depths(seen)),
        _pending(pending),
        _title(f"FINISHED {_throughput(seen, wall)}", len(finished), len(finished)),
        _finished(finished, width),
        Text("q quit   p hold still   s sort", style="dim"),
    )


def _head(seen: Seen, view: View, where: str) -> Text:
    counts = seen.counts
    said = Text.assemble(
        ("ffrtmp top", "bold"),
        f"  {safe(where)}  {counts.get('running', 0)} running, {counts.get('pending', 0)} waiting",
    )
    if counts.get("paused"):
        said.append(f", {counts['paused']} paused")
    for text, style, yes in (
        ("  the queue is paused", "yellow", seen.paused),
        ("  held still", "reverse", view.frozen),
        (f"  reconnecting: {safe(view.away or '')}", "bold yellow", view.away is not None),
    ):
        if yes:
            said.append(text, style=style)
    return _line(said)


def _line(text: Text) -> Text:
    text.no_wrap, text.overflow = True, "ellipsis"
    return text


def _title(text: str, count: int, here: int, note: str = "") -> Text:
    """A section: how many there are, and how many of them are not `here` for want of room."""
    said = "".join([f"  {count}", note, f"  and {count - here} more" if count > here else ""])
    return _line(Text.assemble((text, "bold"), (said if count else "  none", "dim")))


def _depths(seen: Seen) -> str:
    """All that waits, in numbers: no screen has room for a list of it."""
    parts = [
        f"{each['jobs']} {priority}{_oldest(each['oldest'])}"
        for priority, each in seen.waiting.items()
        if each["jobs"]
    ]
    stuck = [f"{seen.stuck} that no node can take"] if seen.stuck else []
    return f": {', '.join([*parts, *stuck])}" if parts else ""


def _oldest(seconds: float | None) -> str:
    return "" if seconds is None else f" (oldest {format_duration(max(1, round(seconds)))})"


def _grid(columns: int, *, right: Sequence[int] = (), wide: Sequence[int] = ()) -> Table:
    drawn = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for at in range(columns):
        drawn.add_column(
            no_wrap=True, overflow="ellipsis", justify="right" if at in right else "left",
            ratio=1 if at in wide else None,
        )  # fmt: skip
    return drawn


def _nodes(nodes: Sequence[Document], width: int) -> Table:
    drawn = _grid(5, wide=(0,))
    for node in nodes:
        slots, taken = node["max_concurrent_jobs"], node["running_jobs"]
        bar = Text("■" * min(taken, 16), style="green") + Text(
            "□" * max(0, min(slots, 16) - taken), style="dim"
        )
        status = Text(node["status"], style=_STATES.get(node["status"], ""))
        threads = number(node["cpu_threads"], "{} threads") if width >= _NARROW else ""
        drawn.add_row(Text(safe(node["address"])), status, bar, f"{taken}/{slots}", threads)
    return drawn


def _node_of(job: Document, names: Names) -> str:
    return names.get(job["node_id"], short(job["node_id"]))


def _running(jobs: Sequence[Document], names: Names, shown: Shown, now: float, width: int) -> Table:
    drawn = _grid(6 if width >= _NARROW else 5, right=(2, 3, 4), wide=(1,))
    for job in jobs:
        progress = job["progress"] or {}
        name = f"{short(job['parent_id'])} {job['part']}" if job["part"] else name_of(job)
        cells: list[RenderableType] = [
            Text(safe(name)),
            state_of(job, shown),
            Text(number(shown.percent(job), "{:.0f}", " %")),
            Text(number(progress.get("fps"), "{:.0f}", " fps")),
            Text(time_left(shown.left(job, now)), style="bold"),
        ]
        if width >= _NARROW:
            cells.append(Text(safe(_node_of(job, names))))
        drawn.add_row(*cells)
    return drawn


def _pending(jobs: Sequence[Document]) -> Table:
    """By priority, as nodes get them."""
    order = [priority.value for priority in (Priority.HIGH, Priority.MEDIUM, Priority.LOW)]
    drawn = _grid(3, wide=(2,))
    for job in sorted(jobs, key=lambda each: order.index(each["priority"])):
        reason = safe(job["pending_reason"] or "")
        drawn.add_row(Text(name_of(job).strip()), Text(job["priority"]), Text(reason, style="dim"))
    return drawn


def _finished(results: Sequence[Document], width: int) -> Table:
    drawn = _grid(4, right=(2,), wide=(3,))
    for result in results:
        metrics, error = result["metrics"] or {}, result["error"] or {}
        said = number(metrics.get("fps"), "{:.0f}", " fps") if not error else ""
        status = Text(result["status"], style=STYLES[JobStatus(result["status"])])
        note = error.get("message") or (result["completed_at"] if width >= _NARROW else "") or ""
        drawn.add_row(
            Text(f"{short(result['job_id'])} {safe(result['scenario'])}"), status, said,
            Text(safe(str(note)), style="dim"),
        )  # fmt: skip
    return drawn


def _throughput(seen: Seen, wall: datetime) -> str:
    """How many were finished lately; where the newest results are all that recent, at least as many."""
    ended = [each["completed_at"] for each in seen.finished if each["completed_at"]]
    recent = [at for at in ended if wall - datetime.fromisoformat(at) <= _RECENT]
    if not ended:
        return ""
    more = " or more" if len(recent) == len(ended) else ""
    return f"({len(recent)}{more} in 10 min)"


def _unknown_last(value: float | None) -> tuple[bool, float]:
    return value is None, value or 0.0


def _negative(value: float | None) -> float | None:
    return None if value is None else -value
