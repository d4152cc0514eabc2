"""Where what moves is shown: bars on a terminal, and a line for each change into a pipe."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import IO, Protocol

import click
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from common.model import JobStatus
from master.operator.formats import Document, safe
from master.operator.live.bars import Shown, name_of, note_of, rows
from master.operator.tables import Naming, number, rate, short

_REFRESH = 4
"""Times a second that bars are drawn: times run down between two looks."""
_ABOVE = 3
"""Lines of a terminal that are left free."""


class Display(Protocol):
    """Shows jobs as they are."""

    def __enter__(self) -> Display: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def show(
        self, jobs: Sequence[Document], parts: Mapping[str, Sequence[Document]], away: str | None
    ) -> None:
        """What the last look found; `away`: why it found nothing."""


def display_on(stream: IO[str], node: Naming = short) -> Display:
    """Bars if it is a terminal. `node`: what people call the node of an id."""
    return Bars(Console(file=stream)) if stream.isatty() else Changes(stream, node)


class Bars:
    """A bar for each job."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._shown = Shown()
        self._jobs: Sequence[Document] = ()
        self._parts: Mapping[str, Sequence[Document]] = {}
        self._away: str | None = None
        self._live = Live(
            get_renderable=self._draw, console=console, refresh_per_second=_REFRESH, transient=True,
            vertical_overflow="crop",
        )  # fmt: skip

    def __enter__(self) -> Bars:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(
        self, jobs: Sequence[Document], parts: Mapping[str, Sequence[Document]], away: str | None
    ) -> None:
        """What the last look found."""
        self._jobs, self._parts, self._away = list(jobs), dict(parts), away

    def _draw(self) -> Group:
        most = max(2, self._console.height - _ABOVE)
        drawn = rows(self._jobs, self._parts, self._shown, time.monotonic(), most)
        said = [] if self._away is None else [Text(f"reconnecting: {safe(self._away)}", style="yellow")]
        return Group(drawn, *said)


class Changes:
    """A line whenever the status of a job or of a part of it changes."""

    def __init__(self, stream: IO[str], node: Naming = short) -> None:
        self._stream = stream
        self._node = node
        self._seen: dict[str, tuple[str, str | None]] = {}
        self._away: str | None = None

    def __enter__(self) -> Changes:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def show(
        self, jobs: Sequence[Document], parts: Mapping[str, Sequence[Document]], away: str | None
    ) -> None:
        """What the last look found."""
        if away is not None and self._away is None:
            click.echo(f"reconnecting: {safe(away)}", file=self._stream)
        elif away is None and self._away is not None:
            click.echo("the master answers again", file=self._stream)
        self._away = away
        for job in jobs:
            for each in (*parts.get(job["id"], ()), job):
                self._tell(each)

    def _tell(self, job: Document) -> None:
        state = job["status"], job["started_at"]
        if self._seen.get(job["id"]) == state or job["status"] == JobStatus.COMPLETED:
            self._seen[job["id"]] = state
            return
        self._seen[job["id"]] = state
        where = f" on {safe(self._node(job['node_id']))}" if job["status"] == JobStatus.RUNNING else ""
        what = (
            name_of(job).strip() if not job["part"] else f"{short(job['parent_id'])} {name_of(job).strip()}"
        )
        note = note_of(job)
        click.echo(f"{what}: {job['status']}{where}{f': {note}' if note else ''}", file=self._stream)


def result_line(job: Document, result: Document | None) -> str:
    """What came of a job, in a line."""
    found = (result or {}).get("metrics") or {}
    said = [f"{name_of(job).strip()}: {job['status']}"]
    if job["status"] == JobStatus.COMPLETED:
        said += [
            number(found.get("wall_seconds"), "{:.1f}", " s"),
            number(found.get("fps"), "{:.0f}", " fps"),
            number(found.get("speed"), "{:.2f}", "x"),
            rate(found.get("bitrate")),
            *[f"VMAF {value:.1f}" for value in [found.get("vmaf_mean")] if value is not None],
            *[f"of {count} chunks" for count in [found.get("chunks")] if count is not None],
            *[safe(note) for note in [found.get("split_note")] if note is not None],
        ]
    elif note := note_of(job):
        said.append(note)
    return ", ".join(each for each in said if each != "-")
