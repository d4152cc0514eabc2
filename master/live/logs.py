"""The stream of a job's log: its lines as they are written, until the job is finished."""

from __future__ import annotations

from collections.abc import Callable

from common.model import JobStatus
from common.problems import Problem
from master.live import sse
from master.live.hub import Hub, News
from master.worker.stream import Stream

AT_ONCE = 16 * 1024
"""Bytes of a log that are taken at once."""


class LogStream(Stream):
    """One reader of one job's log."""

    def __init__(
        self,
        hub: Hub,
        job_id: str,
        after: int,
        may_read: Callable[[], bool],
        status: Callable[[], JobStatus | None],
        name: str | None = None,
    ) -> None:
        """`after`: bytes of the log that are known. `status`: of the job; None: it has left the memory.

        `may_read` says whether the reader's credential still holds.
        """
        super().__init__()
        self.name = name
        self._hub = hub
        self._job_id = job_id
        self._place = after
        self._may_read = may_read
        self._status = status
        self._greeted = self._ended = False

    def opened(self) -> None:
        """It is woken from now on."""
        self._hub.enter(self)

    def closed(self) -> None:
        """It is woken no more."""
        self._hub.leave(self)

    def concerns(self, news: News) -> bool:
        """Whether the log has grown, or something happened to the job."""
        return self._job_id in news.jobs

    def take(self, *, beat: bool) -> bytes | None:
        """The next lines; None behind the end, or if the master stops, or the reader may read no more."""
        if self._ended or self._hub.closed or not self._may_read():
            return None
        begun = b"" if self._greeted else sse.greeting(self._place)
        self._greeted = True
        try:
            return begun + (self._lines() or self._end() or (sse.ALIVE if beat else b""))
        except Problem:
            return None  # the disk failed: the master ends

    def _lines(self) -> bytes:
        piece = self._hub.logs.after(self._job_id, self._place, AT_ONCE)
        pieces: list[bytes] = []
        if piece.begin != self._place:
            pieces.append(sse.gap(self._place, piece.begin))
        for end, line in piece.lines:
            pieces.append(sse.message("line", {"line": line}, end))
        self._place = piece.end
        return b"".join(pieces)

    def _end(self) -> bytes:
        """The last event, once the job is finished and its last lines are there; else nothing."""
        # In this order: lines that come with the result are announced before the job is finished.
        status = self._status()
        if (status is not None and not status.final) or self._hub.logs.expects(self._job_id):
            return b""
        rest = self._lines()
        if rest:
            return rest
        self._ended = True
        return sse.message("end", {"status": status})
