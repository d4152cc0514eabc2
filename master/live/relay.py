"""What is live at one master is told to the others while they have readers, and to no one else.

A reader's master says now and then that it has readers. From then on the others tell it how far their
attempts are, and which logs have grown. Whoever begins to tell says so: what came before is not told, so all
readers look once more.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from master.live.progress import Report
from master.store import codec
from master.store.between import Talk

log = logging.getLogger(__name__)

READING, BEGUN, REPORT, GREW = "reading", "begun", "report", "grew"
"""The topics."""
SAID_EVERY = 5.0
"""Seconds between two words of a master that it has readers."""
HOLDS = 15.0
"""Seconds that such a word holds."""
_MOST_OVER = 10_000
"""Ends of attempts that are remembered, for reports that come later."""


class Near(Protocol):
    """The hub of this master, as far as others tell it something."""

    def take(self, report: Report) -> None:
        """An attempt is so far that another master hears of."""

    def grew(self, job_id: str) -> None:
        """Another master has written to a log."""

    def again_all(self) -> None:
        """All readers look once more."""


class Relay:
    """Between the hub of this master and those of others. Any thread may use it."""

    def __init__(self, talk: Talk, near: Near) -> None:
        self._talk, self._near = talk, near
        self._lock = threading.Lock()
        self._own: dict[str, Report] = {}
        """How far the attempts are that this master hears of, by job."""
        self._over: OrderedDict[str, datetime] = OrderedDict()
        """When the last attempt of a job ended, by the clock that reports have."""
        self._read_until = self._said = -HOLDS
        talk.hear(READING, self._others_read)
        talk.hear(BEGUN, lambda _: near.again_all())
        talk.hear(REPORT, self._hear)
        talk.hear(GREW, near.grew)

    def report(self, report: Report) -> bool:
        """This master heard of an attempt; False if it is over already, and another one has said so."""
        with self._lock:
            if self._is_over(report):
                return False
            self._own[report.job_id] = report
        if self._wanted():
            self._talk.say(REPORT, codec.encode_value(report, Report))
        return True

    def wrote(self, job_id: str) -> None:
        """This master wrote to a log."""
        if self._wanted():
            self._talk.say(GREW, job_id)

    def ended(self, job_id: str, at: datetime) -> None:
        """What was said of a job's progress before `at` counts no more."""
        with self._lock:
            self._own.pop(job_id, None)
            self._over[job_id] = at
            self._over.move_to_end(job_id)
            if len(self._over) > _MOST_OVER:
                self._over.popitem(last=False)

    def reading(self) -> None:
        """This master has readers; to be called at least every `SAID_EVERY` seconds as long as it has."""
        now = time.monotonic()
        if now - self._said >= SAID_EVERY:
            self._said = now
            self._talk.say(READING)

    def silent(self) -> None:
        """It has none any more: the next one is announced at once."""
        self._said = -HOLDS

    def _wanted(self) -> bool:
        return time.monotonic() < self._read_until

    def _others_read(self, _: str) -> None:
        with self._lock:
            begun = not self._wanted()
            self._read_until = time.monotonic() + HOLDS
            own = list(self._own.values()) if begun else []
        if begun:
            self._talk.say(BEGUN)
            for report in own:
                self._talk.say(REPORT, codec.encode_value(report, Report))

    def _hear(self, text: str) -> None:
        try:
            report: Report = replace(codec.decode_value(text, Report), told_at=time.monotonic())
        except ValueError as error:  # it is of another version
            log.debug("what another master said of progress is not known here: %s", error)
            return
        with self._lock:
            if self._is_over(report):
                return
        self._near.take(report)

    def _is_over(self, report: Report) -> bool:
        over = self._over.get(report.job_id)
        return over is not None and report.at <= over
