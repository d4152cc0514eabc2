"""Which hosts there are: each reads files of one family of jobs only, and ends when it is idle for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from agent.hosts.host import Host, HostError, UnwantedError

if TYPE_CHECKING:
    from agent.sandbox import Sandbox
    from agent.task import Assignment

_ENOUGH = 3
"""Hosts that failed one after another: the next one would, too."""
IDLE = 60.0
"""Seconds that a host waits for the next request before it is ended."""


@dataclass(slots=True)
class _Idle:
    host: Host
    family: str
    since: float


class Hosts:
    """All the hosts of an agent: those that wait to be asked, and how many are at work."""

    def __init__(self, most: int, idle: float = IDLE) -> None:
        """At most so many, as attempts run at once; each waits for `idle` seconds."""
        self._most, self._patience = most, idle
        self._idle: list[_Idle] = []  # the one that waits longest comes first
        self._busy = 0
        self._failures = 0  # in a row
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    @contextmanager
    def lend(self, family: str, start: Callable[[], Host]) -> Iterator[Host]:
        """A host for one request: one that has read this family's files and no others, or a new one.

        It waits for the next request then, if it is good for that.
        """
        host = self._take(family)
        try:
            host = host or start()
            yield host
            self._failures = 0
        except HostError as error:
            self._failures += not isinstance(error, UnwantedError)
            raise
        finally:
            self._give_back(host, family)

    @property
    def work(self) -> bool:
        """Whether hosts work on this machine, as far as is known."""
        return self._failures < _ENOUGH

    def _take(self, family: str) -> Host | None:
        found, ended = None, []
        with self._changed:
            for each in reversed(self._idle):
                if each.family == family:
                    self._idle.remove(each)
                    found = each.host
                    break
            self._busy += 1
            while self._idle and len(self._idle) + self._busy > self._most:
                ended.append(self._idle.pop(0).host)
        for host in ended:
            host.end()
        return found

    def _give_back(self, host: Host | None, family: str) -> None:
        with self._changed:
            self._busy -= 1
            if host is not None and host.good and not self._closed:
                self._idle.append(_Idle(host, family, time.monotonic()))
                self._watch()
                self._changed.notify_all()
                return
        if host is not None:
            host.end()

    def end(self, family: str | None = None) -> None:
        """Ends those that wait: of the family, or all."""
        self._end(lambda each: family in (None, each.family))

    def close(self) -> None:
        """Ends all, also those that will be given back."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self.end()

    def waiting(self) -> list[str]:
        """The families of those that wait."""
        with self._changed:
            return [each.family for each in self._idle]

    def _end(self, which: Callable[[_Idle], bool]) -> None:
        with self._changed:
            ended = [each for each in self._idle if which(each)]
            self._idle = [each for each in self._idle if each not in ended]
        for each in ended:
            each.host.end()

    def _watch(self) -> None:
        """Sees to it that somebody ends those that wait for too long, as long as any wait."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._end_the_idle, name="hosts", daemon=True)
            self._thread.start()

    def _end_the_idle(self) -> None:
        while True:
            with self._changed:
                if self._closed or not self._idle:
                    self._thread = None
                    return
                due = self._idle[0].since + self._patience
                self._changed.wait(max(0.0, due - time.monotonic()))
            self._end(partial(self._is_due, now=time.monotonic()))

    def _is_due(self, each: _Idle, now: float) -> bool:
        return now >= each.since + self._patience


@dataclass(frozen=True, slots=True)
class Family:
    """The hosts of one family of jobs."""

    hosts: Hosts
    name: str

    def lend(self, start: Callable[[], Host]) -> AbstractContextManager[Host]:
        """As `Hosts.lend`."""
        return self.hosts.lend(self.name, start)


@contextmanager
def family_of(hosts: Hosts | None, assignment: Assignment, sandbox: Sandbox) -> Iterator[Sandbox]:
    """The sandbox with the hosts of the job's family, for the time of an attempt.

    Parts of a job share their hosts. Those of a job without parts end with the attempt.
    """
    if hosts is None:
        yield sandbox
        return
    name = assignment.parent_id or assignment.job_id
    try:
        yield replace(sandbox, family=Family(hosts, name))
    finally:
        if assignment.parent_id is None:
            hosts.end(name)
