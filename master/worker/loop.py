"""The loop of one thread: it waits for sockets, for other threads, and for moments."""

from __future__ import annotations

import heapq
import os
import select
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from itertools import count

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
_EVENTS = 128
"""Sockets that are looked at in one turn; the kernel begins with others in the next."""
_CALLS = 64
"""Calls that are made in one turn, so that sockets have theirs."""


class Moment:
    """A call that is to be made at a time."""

    __slots__ = ("_what",)

    def __init__(self, what: Callable[[], None]) -> None:
        self._what: Callable[[], None] | None = what

    def cancel(self) -> None:
        """Do not make it; what it needs is let go of at once."""
        self._what = None

    def come(self) -> None:
        """It is time."""
        if self._what is not None:
            self._what()


class Loop:
    """See the module. Only `call` may be used by other threads."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._handlers: dict[int, Callable[[], None]] = {}
        self._calls: deque[Callable[[], None]] = deque()
        self._bell = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._rung = False
        self._moments: list[tuple[float, int, Moment]] = []
        self._numbers = count()
        self.watch(self._bell, READ, self._hear)

    def watch(self, fd: int, events: int, handler: Callable[[], None]) -> None:
        """Call `handler` whenever `fd` is ready for one of `events`, or has failed."""
        self._epoll.register(fd, events)
        self._handlers[fd] = handler

    def change(self, fd: int, events: int) -> None:
        """Watch it for other events."""
        self._epoll.modify(fd, events)

    def forget(self, fd: int) -> None:
        """Watch it no more."""
        if self._handlers.pop(fd, None) is not None:
            with suppress(OSError):
                self._epoll.unregister(fd)

    def call(self, what: Callable[[], None]) -> None:
        """Make this call in one of the next turns. Any thread may ask for it, and a signal's handler."""
        self._calls.append(what)
        if not self._rung:
            self._rung = True
            os.eventfd_write(self._bell, 1)

    def at(self, when: float, what: Callable[[], None]) -> Moment:
        """Make this call then (monotonic seconds)."""
        moment = Moment(what)
        heapq.heappush(self._moments, (when, next(self._numbers), moment))
        return moment

    def turn(self, seconds: float) -> None:
        """Wait for something to do, so many seconds at most, and do it."""
        if self._calls:
            seconds = 0.0
        elif self._moments:
            seconds = max(0.0, min(seconds, self._moments[0][0] - time.monotonic()))
        for fd, _ in self._epoll.poll(seconds, _EVENTS):
            handler = self._handlers.get(fd)
            if handler is not None:
                handler()
        for _ in range(min(_CALLS, len(self._calls))):
            self._calls.popleft()()
        if self._moments:
            now = time.monotonic()
            for _ in range(_CALLS):
                if not self._moments or self._moments[0][0] > now:
                    break
                heapq.heappop(self._moments)[2].come()

    def _hear(self) -> None:
        with suppress(BlockingIOError):
            os.eventfd_read(self._bell)
        # Before the calls are made: who comes from now on rings again.
        self._rung = False
