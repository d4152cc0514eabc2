"""Connections that wait for something, without a thread: watched, counted, and bounded."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial

from master.worker.admission import Admission, crowd_out, relieve
from master.worker.connection import Connection
from master.worker.loop import Loop
from master.worker.stages import Need

STOP_IDLE = 0.5
"""Seconds in which a stopping worker still takes a request on an open connection."""
_ROOM = 64
"""The part of its connections (1/64) that a full worker ends at once, so that choosing them costs little."""


class Lobby:
    """See the module. A connection that is being served is not in it, but still open."""

    def __init__(
        self, loop: Loop, admission: Admission, max_held: int, ready: Callable[[Connection], None]
    ) -> None:
        """`admission` has counted who comes. `max_held`: bytes of requests and answers that may wait in
        memory for their clients. `ready` is called in the loop when one of the connections has what it
        waits for, or has failed.
        """
        self._loop = loop
        self._admission = admission
        self._max_held = max_held
        self._on_ready = ready
        self._parked: dict[Connection, int] = {}
        """The longest waiting first, and the bytes that each holds."""
        self.held = 0
        """Bytes that all of them hold."""
        self.open = 0
        """Connections that are open, here or being served."""
        self.closing = False
        """Whether no requests are waited for any more."""

    def __contains__(self, conn: Connection) -> bool:
        return conn in self._parked

    def __iter__(self) -> Iterator[Connection]:
        return iter(list(self._parked))

    def late(self, now: float) -> list[Connection]:
        """Those whose time is over at `now` (monotonic seconds)."""
        return [conn for conn in self._parked if conn.deadline <= now]

    def park(self, conn: Connection, need: Need) -> None:
        """Let a connection wait until its socket is ready for `need`, or until its deadline."""
        if self.closing:
            self._hurry(conn)
        held = conn.held
        self.held += held - self._parked.get(conn, 0)
        self._parked[conn] = held
        events: int = need.value
        if conn.events != events:
            if conn.events:
                self._loop.change(conn.sock.fileno(), events)
            else:
                self._loop.watch(conn.sock.fileno(), events, partial(self._ready, conn))
            conn.events = events
        if self.held > self._max_held:
            for hog in relieve(self._parked, self.held - self._max_held * 3 // 4):
                self.drop(hog)

    def leave(self, conn: Connection) -> None:
        """A connection is being served. Its socket is watched until it says something."""
        if conn in self._parked:
            self.held -= self._parked.pop(conn)

    def unwatch(self, conn: Connection) -> None:
        """Do not look at its socket any more, until it is parked again."""
        if conn.events:
            conn.events = 0
            self._loop.forget(conn.sock.fileno())

    def drop(self, conn: Connection) -> None:
        """End a connection, wherever it is."""
        self.leave(conn)
        self.unwatch(conn)
        if not conn.closed:
            self.open -= 1
            self._admission.leave(conn.address)
            conn.close()

    def make_room(self) -> None:
        """Drop some, so that others may come."""
        for conn in crowd_out(self._parked, max(1, len(self._parked) // _ROOM)):
            self.drop(conn)

    def close(self) -> None:
        """Wait no longer for requests, but for answers to be made and taken."""
        self.closing = True
        for conn in self._parked:
            self._hurry(conn)

    def _hurry(self, conn: Connection) -> None:
        if not (conn.answering or conn.waiting):
            conn.deadline = min(conn.deadline, time.monotonic() + STOP_IDLE)

    def _ready(self, conn: Connection) -> None:
        if conn in self._parked:
            self._on_ready(conn)
        else:
            # Its request is being answered: it is not to be heard before that.
            self.unwatch(conn)
