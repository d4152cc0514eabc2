"""Rows of jobs with a bar, as they are at one moment. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

from rich.console import RenderableType
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from common.model import JobStatus
from master.operator.formats import Document, safe
from master.operator.tables import number, short

STYLES = {
    JobStatus.COMPLETED: "green",
    JobStatus.FAILED: "red",
    JobStatus.CANCELED: "yellow",
    JobStatus.PAUSED: "yellow",
    JobStatus.PENDING: "dim",
    JobStatus.RUNNING: "cyan",
}
_HOUR = 3600


def time_left(seconds: float | None) -> str:
    """`0:07`, `12:34`, `3:12:34`; a dash if it is unknown."""
    if seconds is None:
        return "-"
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


@dataclass(slots=True)
class Shown:
    """What is shown of jobs over time: bars do not go back, and times run down between two looks."""

    _percents: dict[str, float] = field(default_factory=dict)
    _told: dict[str, tuple[float, float]] = field(default_factory=dict)
    """Seconds left, and when they were told."""

    def percent(self, job: Document) -> float | None:
        """How full the job's bar is; a new attempt begins anew, but for that which joins parts."""
        if job["status"] == JobStatus.COMPLETED:
            return 100.0
        told = (job["progress"] or {}).get("percent")
        divided = job["stage"] in ("plan", "join")
        key = f"{job['id']} {job['retry_count'] if divided else job['started_at']}"
        if told is not None:
            self._percents[key] = max(told, self._percents.get(key, 0.0))
        return self._percents.get(key)

    def left(self, job: Document, now: float) -> float | None:
        """Seconds until it ends, `now` being some seconds after that was told."""
        told = (job["progress"] or {}).get("seconds_left")
        if told is None:
            return None
        if self._told.get(job["id"], (None,))[0] != told:
            self._told[job["id"]] = told, now
        seconds, at = self._told[job["id"]]
        return max(0.0, seconds - (now - at))


def name_of(job: Document) -> str:
    """What tells a job from others: of a part its name."""
    if job["part"]:
        return f"  {safe(job['part'])}{' (twin)' if job.get('twin_of') else ''}"
    return f"{short(job['id'])} {safe(job['scenario'])}"


def note_of(job: Document) -> str:
    """What is to be known of it beside its bar."""
    error: Mapping[str, Any] = job["error"] or {}
    return safe(str(error.get("message") or job["pending_reason"] or ""))


def state_of(job: Document, shown: Shown) -> RenderableType:
    """A bar while it runs; else its status."""
    percent = shown.percent(job)
    if not _has_bar(job):
        return Text(job["status"], style=STYLES[JobStatus(job["status"])])
    return ProgressBar(total=100.0, completed=percent or 0.0, width=None, pulse=False)


def _has_bar(job: Document) -> bool:
    """Whether it runs, or waits for parts of which it is known how far they are."""
    waits_for_parts = job["status"] == JobStatus.PENDING and job["progress"] is not None
    return job["status"] == JobStatus.RUNNING or waits_for_parts


def rows(
    jobs: Sequence[Document], parts: Mapping[str, Sequence[Document]], shown: Shown, now: float, most: int
) -> Table:
    """A row for each job and for each of its parts; of more than `most` lines, for those that move.

    `now`: seconds on any clock that only goes forward.
    """
    every = [
        line for job in jobs for line in (job, *(_sorted(parts.get(job["id"], ())) if _moves(job) else ()))
    ]
    lines = every
    if sum(map(_height, every)) > most:
        lines = _first([line for line in every if _has_bar(line) or line["id"] in parts], most - 1)
    drawn = Table.grid(padding=(0, 2, 0, 0), expand=True)
    drawn.add_column(no_wrap=True, overflow="ellipsis", ratio=2)
    drawn.add_column(no_wrap=True, ratio=3, min_width=10)
    for _ in range(4):
        drawn.add_column(no_wrap=True, justify="right")
    said = ""
    for job in lines:
        drawn.add_row(Text(name_of(job)), state_of(job, shown), *_numbers(job, shown, now))
        if (note := note_of(job)) and not (job["part"] and note == said):  # many parts wait for the same
            said = note
            drawn.add_row("", Text(note, style="dim", overflow="ellipsis"))
    hidden = _hidden(every, lines)
    if hidden:
        drawn.add_row(Text(f"and {hidden}", style="dim"))
    return drawn


def _sorted(parts: Sequence[Document]) -> list[Document]:
    """In the order of the film. A twin is shown while it runs: what came of it, its part has as well."""
    seen = [part for part in parts if not (part.get("twin_of") and JobStatus(part["status"]).final)]
    return sorted(seen, key=lambda part: str(part["part"])) if _chunks(parts) else seen


def _chunks(parts: Sequence[Document]) -> bool:
    return any(str(part["part"]).startswith("chunk-") for part in parts)


def _first(lines: Sequence[Document], most: int) -> list[Document]:
    """As many as fit on so many lines of a terminal."""
    ends = accumulate(map(_height, lines))
    return [line for line, end in zip(lines, ends, strict=True) if end <= most]


def _height(job: Document) -> int:
    return 2 if note_of(job) else 1


def _moves(job: Document) -> bool:
    return job["status"] not in (JobStatus.COMPLETED, JobStatus.CANCELED)


def _numbers(job: Document, shown: Shown, now: float) -> list[Text]:
    """Percent, frames a second, speed, and time left."""
    if job["status"] not in (JobStatus.RUNNING, JobStatus.PENDING):
        return []
    progress = job["progress"] or {}
    left = shown.left(job, now)
    return [
        Text(number(shown.percent(job), "{:.0f}", " %")),
        Text(number(progress.get("fps"), "{:.0f}", " fps")),
        Text(number(progress.get("speed"), "{:.2f}", "x")),
        Text(time_left(left), style="bold" if left is not None else ""),
    ]


def _hidden(every: Sequence[Document], lines: Sequence[Document]) -> str:
    """How many there are that no line is of, by status."""
    seen = {line["id"] for line in lines}
    counts: dict[str, int] = {}
    for job in every:
        if job["id"] not in seen:
            counts[job["status"]] = counts.get(job["status"], 0) + 1
    return ", ".join(f"{count} {status}" for status, count in counts.items())
