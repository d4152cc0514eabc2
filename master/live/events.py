"""The stream of events: all that happens, each with its number, and how far running jobs are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from common.model import Role
from master.feed import Heard, Stretch
from master.lifecycle.audit import Entry
from master.live import sse
from master.live.hub import Hub, News
from master.live.progress import Report
from master.store.trail import Wanted
from master.worker.stream import Stream

AT_ONCE = 100
"""Events that are taken at once."""
PROGRESS = "progress"
"""The event that says how far an attempt is. It has no number, and is not told again."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What a reader may see, and wants to."""

    role: Role
    owner: str | None = None
    """Of a submitter: whose jobs it sees."""
    job_id: str | None = None
    node_id: str | None = None
    names: frozenset[str] | None = None
    """Of events; None: all."""

    @property
    def wanted(self) -> Wanted:
        """As much of it as the trail can look for."""
        names = self.names or frozenset()
        only = next(iter(names)) if len(names) == 1 and PROGRESS not in names else None
        return Wanted(event=only, job_id=self.job_id, node_id=self.node_id)

    def shown(self, heard: Heard) -> Entry | None:
        """The entry as this reader sees it; None if it does not.

        Only the operator hears of tokens, and from which address something came.
        """
        entry = heard.entry
        if not self._fits(entry["event"], entry["job_id"], entry["node_id"]):
            return None
        if self.role is Role.OPERATOR:
            return entry
        hidden = entry["token_id"] is not None or (
            self.role is Role.SUBMITTER and (self.owner is None or heard.owner != self.owner)
        )
        return None if hidden else {**entry, "from": None}

    def shows(self, report: Report) -> bool:
        """Whether this reader hears how far an attempt is."""
        return self._fits(PROGRESS, report.job_id, report.node_id) and (
            self.role is not Role.SUBMITTER or (self.owner is not None and report.owner == self.owner)
        )

    def _fits(self, name: str, job_id: str | None, node_id: str | None) -> bool:
        return (
            (self.names is None or name in self.names)
            and self.job_id in (None, job_id)
            and self.node_id in (None, node_id)
        )


class EventStream(Stream):
    """One reader of the feed."""

    def __init__(
        self,
        hub: Hub,
        filter_: Filter,
        after: int | None,
        may_read: Callable[[], bool],
        document: Callable[[Report], Any],
        name: str | None = None,
    ) -> None:
        """`after`: the number of the last event that is known; None: from now on.

        `may_read` says whether the reader's credential still holds; `document` renders a report.
        """
        super().__init__()
        self.name = name
        self._hub = hub
        self._filter = filter_
        self._wanted = filter_.wanted
        self._may_read = may_read
        self._document = document
        self._seq = hub.feed.seq if after is None else after
        self._told = -1
        """The number that the reader would go on from now; -1: it was not greeted yet."""
        self._reports = 0

    def opened(self) -> None:
        """It is woken from now on."""
        self._hub.enter(self)

    def closed(self) -> None:
        """It is woken no more."""
        self._hub.leave(self)

    def concerns(self, news: News) -> bool:
        """Whether something of it is for this reader."""
        return any(self._filter.shown(heard) is not None for heard in news.heard) or any(
            map(self._filter.shows, news.reports)
        )

    def take(self, *, beat: bool) -> bytes | None:
        """What happened since; None if the master stops, or the reader may not read any more."""
        if self._hub.closed or not self._may_read():
            return None
        pieces: list[bytes] = []
        if self._told < 0:
            self._told = self._seq
            pieces.append(sse.greeting(self._seq))
        stretch = self._stretch()
        if stretch is not None:
            pieces += self._events(stretch)
        if stretch is not None and self._seq >= self._hub.feed.seq:
            reports, self._reports = self._hub.reports_since(self._reports)
            pieces += [
                sse.message(PROGRESS, self._document(report))
                for report in reports
                if self._filter.shows(report)
            ]
        elif not pieces:
            self._hub.again(self)
        if beat and not pieces:
            # What was not for this reader need not be looked through again after a break.
            pieces.append(sse.ALIVE if self._told == self._seq else sse.place(self._seq))
            self._told = self._seq
        return b"".join(pieces)

    def _stretch(self) -> Stretch | None:
        """What follows; None: it has to be read from files, and others do that just now."""
        feed = self._hub.feed
        if feed.remembers(self._seq):
            return feed.after(self._seq, AT_ONCE, self._wanted)
        if not self._hub.catching_up.acquire(blocking=False):
            return None
        try:
            return feed.after(self._seq, AT_ONCE, self._wanted)
        finally:
            self._hub.catching_up.release()

    def _events(self, stretch: Stretch) -> list[bytes]:
        pieces: list[bytes] = []
        if stretch.lost is not None:
            pieces.append(sse.gap(self._seq, stretch.lost))
            self._told = stretch.lost
        for heard in stretch.heard:
            entry = self._filter.shown(heard)
            if entry is not None:
                pieces.append(sse.message(entry["event"], entry, heard.seq))
                self._told = heard.seq
        self._seq = stretch.reached
        return pieces
