"""All open streams, and who wakes them: a thread of its own, so that the job path never pays for readers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from common import problems
from common.model import Job, Now, Progress
from master.feed import Feed, Heard
from master.lifecycle.audit import NAMES
from master.lifecycle.events import JobClaimed, JobSubmitted
from master.live.progress import Board, Report
from master.live.relay import SAID_EVERY, Relay
from master.store.between import Talk
from master.store.logs import LogStore

log = logging.getLogger(__name__)

SOONEST = 0.05
"""Seconds between two rounds of waking, at least: what comes meanwhile is told at once."""
WAKES = 1000.0
"""Streams woken in a second, at most, in the long run."""
CATCHING_UP = 2
"""Streams that read files at once, to tell what has left the memory; the others wait for their turn."""
_SHARE = 4
"""The part of all streams (1/4) that one token may have."""
_GOES_ON = {NAMES[JobClaimed], NAMES[JobSubmitted]}
"""Events of a job after which what was said of its progress stays."""


class Reader(Protocol):
    """As much of a stream as is needed here."""

    name: str | None
    """Of the token that reads; None: the operator."""

    def concerns(self, news: News) -> bool:
        """Whether something of it is for this stream."""

    def wake(self) -> None:
        """There may be something to say."""


class News:
    """What happened since the last round."""

    def __init__(
        self, heard: Sequence[Heard], reports: Sequence[Report], logged: frozenset[str], stopping: bool
    ) -> None:
        self.heard = heard
        self.reports = reports
        self.logged = logged
        """Jobs whose logs have grown."""
        self.jobs = logged.union(each.entry["job_id"] for each in heard)
        """Jobs that something happened to."""
        self.stopping = stopping


class Hub:
    """See the module. Its thread is started with the first stream."""

    def __init__(self, feed: Feed, logs: LogStore, most: int, talk: Talk | None = None) -> None:
        """At most about `most` streams are open at once. `talk`: with other masters; None: there are none."""
        self.feed = feed
        self.logs = logs
        self.most = most
        self.catching_up = threading.BoundedSemaphore(CATCHING_UP)
        self._lock = threading.Lock()
        self._rung = threading.Event()
        self._readers: dict[Reader, None] = {}
        self._again: set[Reader] = set()
        self._heard: list[Heard] = []
        self._logged: set[str] = set()
        self._board = Board()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._relay = None if talk is None else Relay(talk, self)
        feed.subscribe(self._hear)
        logs.subscribe(self._log_grew)

    @property
    def closed(self) -> bool:
        """Whether the master is stopping: streams end."""
        return self._stopping.is_set()

    @property
    def count(self) -> int:
        """How many streams are open."""
        return len(self._readers)

    def check_room(self, name: str | None) -> None:
        """`unavailable` if no other stream may be opened now; `name`: of the token that asks."""
        if self.closed:
            raise problems.UNAVAILABLE("The master is stopping or restarting; ask again in a moment.")
        if len(self._readers) >= self.most:
            raise problems.UNAVAILABLE(
                f"{self.most} streams are open, and there may be no more (--max-streams). Try again later."
            )
        share = max(1, self.most // _SHARE)
        with self._lock:
            own = 0 if name is None else sum(reader.name == name for reader in self._readers)
        if own >= share:
            raise problems.UNAVAILABLE(
                f"{own} streams are open with this token, and one may have {share} (a part of --max-streams)."
            )

    def enter(self, reader: Reader) -> None:
        """A stream begins."""
        with self._lock:
            self._readers[reader] = None
            if self._thread is None and not self.closed:
                self._thread = threading.Thread(target=self._run, name="live", daemon=True)
                self._thread.start()
        if self._relay is not None:
            self._relay.reading()
            self._rung.set()  # from now on the thread says so

    def leave(self, reader: Reader) -> None:
        """A stream is over."""
        with self._lock:
            self._readers.pop(reader, None)
            self._again.discard(reader)

    def again(self, reader: Reader) -> None:
        """Wake it with the next round: it has more to tell, and lets others have their turn."""
        with self._lock:
            self._again.add(reader)
        self._rung.set()

    def again_all(self) -> None:
        """Wake all with the next round."""
        with self._lock:
            self._again.update(self._readers)
        self._rung.set()

    def report(self, job: Job, node_id: str, progress: Progress, now: Now, at: datetime) -> None:
        """An attempt has just said how far it is. `at`: when, on the clock that events have."""
        report = Report(job.id, node_id, job.owner, progress, now.mono, at)
        if self._relay is None or self._relay.report(report):
            self.take(report)

    def take(self, report: Report) -> None:
        """An attempt is so far, whichever master has heard it."""
        with self._lock:
            self._board.note(report)
        self._rung.set()

    def reports_since(self, number: int) -> tuple[list[Report], int]:
        """What was shown after that number, and the number to ask with next."""
        with self._lock:
            return self._board.since(number), self._board.number

    def close(self) -> None:
        """End all streams, now and from now on. It does not wait for them."""
        self._stopping.set()
        self._rung.set()

    def _hear(self, heard: Sequence[Heard]) -> None:
        with self._lock:
            for each in heard:
                if each.entry["job_id"] is not None and each.entry["event"] not in _GOES_ON:
                    self._forget(each)
            if self._readers:
                self._heard += heard
        self._rung.set()

    def _forget(self, heard: Heard) -> None:
        """What was said of the progress of a job counts no more."""
        job_id: str = heard.entry["job_id"]
        if self._relay is not None and heard.event is not None:
            self._relay.ended(job_id, heard.event.at)
        self._board.forget(job_id)

    def _log_grew(self, job_id: str) -> None:
        if self._relay is not None:
            self._relay.wrote(job_id)
        self.grew(job_id)

    def grew(self, job_id: str) -> None:
        """A log has grown, whichever master wrote to it."""
        with self._lock:
            if self._readers:
                self._logged.add(job_id)
        self._rung.set()

    def _run(self) -> None:
        pause: float | None = None
        stopping = False
        while not stopping:
            self._rung.wait(pause)
            self._rung.clear()
            stopping = self.closed
            try:
                woken = self._round(stopping)
            except Exception:
                log.exception("a round of waking streams failed")
                woken = 0
            self._stopping.wait(max(SOONEST, woken / WAKES))
            # A report may be too early; then it is looked for again.
            pause = SOONEST if self._board.waits else self._say_that_they_read()

    def _say_that_they_read(self) -> float | None:
        """Seconds until it has to be said again, to other masters; None: it has not."""
        if self._relay is None:
            return None
        if not self._readers:
            self._relay.silent()
            return None
        self._relay.reading()
        return SAID_EVERY

    def _round(self, stopping: bool) -> int:
        """Wake all whom the news concern; how many."""
        with self._lock:
            reports = self._board.show(time.monotonic())
            news = News(self._heard, reports, frozenset(self._logged), stopping)
            self._heard, self._logged = [], set()
            again, self._again = self._again, set()
            readers = list(self._readers)
        woken = [each for each in readers if each in again or stopping or each.concerns(news)]
        for reader in woken:
            reader.wake()
        return len(woken)
