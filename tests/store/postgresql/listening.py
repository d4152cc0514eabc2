"""What a stream says, as it comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from common.model import Job, Progress, Role
from common.sse import Event, Parser
from master.api.documents import progress_document
from master.live import EventStream, Filter, Report
from master.service import Farm, JobView, live, work
from master.worker.stream import Stream
from tests.core.support import OPERATOR
from tests.store.postgresql.conftest import until


class Ear:
    """Hears a stream in a thread of its own, until it ends."""

    def __init__(self, stream: Stream) -> None:
        self.heard: list[Event] = []
        self._thread = threading.Thread(target=self._listen, args=(stream,), daemon=True)
        self._thread.start()

    def _listen(self, stream: Stream) -> None:
        parser = Parser()
        for piece in stream:
            self.heard += parser.feed(piece)

    def hears(self, wanted: Callable[[Event], bool]) -> Event:
        until(lambda: any(map(wanted, self.heard)))
        return next(filter(wanted, self.heard))

    def ends(self) -> list[Event]:
        until(lambda: not self._thread.is_alive())
        return self.heard


@contextmanager
def all_events(farm: Farm) -> Iterator[Ear]:
    """All that happens, as an operator hears it at this master from now on."""

    def document(report: Report) -> dict[str, object]:
        return {"job_id": report.job_id, "progress": progress_document(report.progress)}

    ear = Ear(EventStream(farm.live, Filter(Role.OPERATOR), None, lambda: True, document))
    until(lambda: farm.live.count > 0)
    try:
        yield ear
    finally:
        farm.live.close()
        ear.ends()


def log_of(farm: Farm, job: Job) -> Ear:
    """The log of a job, followed at this master."""
    return Ear(live.follow(farm, OPERATOR, job.id, 0, lambda: True))


def say(farm: Farm, view: JobView, frame: int | None = None, *lines: str) -> None:
    """What an agent tells this master of an attempt."""
    lease = view.job.lease
    assert lease is not None
    how_far = Progress(frame=frame)
    work.progress(farm, OPERATOR, view.job.id, lease.node_id, lease.lease_id, how_far, lines)
