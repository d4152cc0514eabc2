"""Tells the master how far a job is, and what its ffmpeg logs."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import requests

from agent.link import Link, RefusedError
from agent.running import RunningJob, lease_clock
from common.client import ApiError
from common.model import Progress

log = logging.getLogger(__name__)

_LAST_WORD = 1.0
"""Seconds that a message under way gets to arrive before the report is sent."""


class ProgressTeller:
    """Sends a job's newest progress and its log from a thread of its own.

    So a master that is slow to answer, or does not, never delays the job or its report. Log
    lines that could not be sent are kept for the next time.
    """

    MOST_LINES = 200
    """Unsent lines (of 1,000 characters at most) that are kept; the older ones go first."""

    def __init__(self, link: Link, job: RunningJob) -> None:
        """For one running job."""
        self._link = link
        self._job = job
        self._changed = threading.Condition()
        self._news: Progress | None = None
        self._heading = [job.assignment.heading(link.node_id)]
        """Before the first line that is sent, however many there are."""
        self._unsent: list[str] = []
        self._under_way = False
        self._closed = False

    def tell(self, how_far: Progress, lines: Sequence[str]) -> None:
        """To be sent as soon as the message before it is answered. Returns at once."""
        with self._changed:
            self._news = how_far
            self._unsent = [*self._unsent, *lines][-self.MOST_LINES :]
            self._changed.notify_all()

    def go_on(self) -> None:
        """The thread: send what there is to tell, until it is closed."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._news is not None)
                if self._closed or self._news is None:
                    return
                how_far, heading, lines = self._news, self._heading, self._unsent
                self._news, self._heading, self._unsent, self._under_way = None, [], [], True
            arrived = self._send(how_far, [*heading, *lines])
            with self._changed:
                if not arrived:
                    self._heading = heading
                    self._unsent = [*lines, *self._unsent][-self.MOST_LINES :]
                self._under_way = False
                self._changed.notify_all()

    def close(self) -> list[str]:
        """Nothing more is told; the log lines that were not sent."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self._under_way, _LAST_WORD)
            return [*self._heading, *self._unsent]

    def _send(self, how_far: Progress, lines: list[str]) -> bool:
        """Whether it need not be sent again; a refusal ends the job, a failure is no reason to stop."""
        assignment = self._job.assignment

        def send() -> float:
            sent = lease_clock()
            self._link.client.progress(
                assignment.job_id, self._link.node_id, assignment.lease_id, how_far, lines
            )
            return sent

        try:
            self._job.renew(self._link.call(send))
        except ApiError as error:
            if error.slug in ("stale_lease", "unknown_job"):
                self._job.drop()
            elif not error.temporary:
                log.warning("The master refuses the progress of job %s: %s", assignment.job_id, error)
                return True  # it would refuse it again
        except (requests.RequestException, RefusedError) as error:
            log.debug("No progress sent: %s", error)
        else:
            return True
        return False
