"""Pure: how far running jobs are, the newest of each, and not more often than once in a while."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from common.model import Progress
from common.progress import aged

PACE = 1.0
"""Seconds between two reports about one job."""


@dataclass(frozen=True, slots=True)
class Report:
    """How far one attempt is."""

    job_id: str
    node_id: str
    owner: str | None
    progress: Progress
    """As it was told."""
    told_at: float
    """Seconds on this process's monotonic clock."""
    at: datetime
    """The same on the clock that events have."""

    def by(self, now: float) -> Progress:
        """How far the attempt is at monotonic `now`."""
        return aged(self.progress, now - self.told_at)


class Board:
    """The newest report of each running job. Not safe for threads: its owner has a lock."""

    def __init__(self) -> None:
        self._shown: dict[str, tuple[int, float, Report]] = {}
        """By job, in the order in which they were shown: the number, and when."""
        self._waiting: dict[str, Report] = {}
        self._number = 0

    @property
    def number(self) -> int:
        """Of the report that was shown last."""
        return self._number

    def note(self, report: Report) -> None:
        """It takes the place of an older one that was not shown yet."""
        self._waiting[report.job_id] = report

    def show(self, now: float) -> list[Report]:
        """The reports whose time has come, at monotonic `now`; they are shown from here on."""
        due = [
            report
            for job_id, report in self._waiting.items()
            if job_id not in self._shown or now - self._shown[job_id][1] >= PACE
        ]
        for report in due:
            del self._waiting[report.job_id]
            self._shown.pop(report.job_id, None)
            self._number += 1
            self._shown[report.job_id] = (self._number, now, report)
        return due

    @property
    def waits(self) -> bool:
        """Whether a report's time is still to come."""
        return bool(self._waiting)

    def since(self, number: int) -> list[Report]:
        """What was shown after report `number`, oldest first: of each job only the newest."""
        return list(self._newer(number))[::-1]

    def forget(self, job_id: str) -> None:
        """The job runs no more."""
        self._shown.pop(job_id, None)
        self._waiting.pop(job_id, None)

    def _newer(self, number: int) -> Iterator[Report]:
        for shown, _, report in reversed(self._shown.values()):
            if shown <= number:
                return
            yield report
