"""Whole requests, until they are answered: by the application in the loop, or by a thread of the pool.

An answer that waits for the disk, or for something to happen, waits here in a list, without a thread.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Protocol

from common import problems
from common.logs import about
from common.problems import Problem
from common.request_ids import new_request_id
from master.pauses import Pause
from master.worker.admission import KNOWN_CALLER
from master.worker.call import Call, Ticket
from master.worker.connection import Connection
from master.worker.environ import call_of
from master.worker.lobby import Lobby
from master.worker.loop import Loop
from master.worker.parked import Parked
from master.worker.stages import Need, Stage


class _Runtime(Protocol):
    """As much of `master.server.Runtime` as is needed here."""

    def is_slow(self, environ: dict[str, Any]) -> bool:
        """Whether a thread of the pool is to answer."""

    def open_ticket(self) -> Ticket | None:
        """From now on, in this context, nothing waits for the disk."""


class _Mover(Protocol):
    """Moves connections on; it is the worker."""

    log: Any

    def advance(self, conn: Connection) -> None:
        """Go on with a connection as far as it goes."""

    def give_up(self, conn: Connection, error: Exception) -> None:
        """End a connection that failed."""

    def submit(self, conn: Connection, job: Callable[[Connection], Parked | None]) -> None:
        """Have a thread of the pool do something for a connection, and go on with it then."""


class Answering:
    """See the module. All but `_answer_slowly` is called in the loop."""

    def __init__(
        self,
        mover: _Mover,
        lobby: Lobby,
        loop: Loop,
        base: dict[str, Any],
        application: Callable[..., Iterable[bytes]],
        runtime: _Runtime,
    ) -> None:
        """`base`: what the application is told of all requests; see `master.worker.environ`."""
        self._mover = mover
        self._lobby = lobby
        self._loop = loop
        self._base = base
        self._application = application
        self._runtime = runtime
        self._unsettled: deque[tuple[Connection, Call]] = deque()
        """Answers that wait for the disk, in the order in which it will have what they depend on."""

    def serve(self, conn: Connection) -> None:
        """Have a whole request answered, here or by the pool."""
        self._lobby.leave(conn)
        call = conn.call = call_of(self._base, conn, conn.request_id or new_request_id())
        if self._lobby.closing:
            call.response.force_close()
        call.slow = conn.incoming.long or self._runtime.is_slow(call.environ)
        if call.slow:
            self._mover.submit(conn, self._answer_slowly)
        else:
            self._step(conn, call)

    def _answer_slowly(self, conn: Connection) -> Parked | None:
        """In a thread of the pool: from the body, or a pause, to the first pieces of the answer."""
        call = conn.call
        if call is None:
            raise RuntimeError("there is no request")
        try:
            pieces = self._pieces(conn, call)
            if isinstance(pieces, Parked):
                return pieces
            self._send(conn, call, pieces)
        except Exception as error:  # noqa: BLE001 - it is told
            self._refuse(conn, call, error)
        return None

    def _step(self, conn: Connection, call: Call) -> None:
        """In the loop: let the application go on with a request, as far as it goes without waiting."""
        try:
            if call.ticket is None:  # else it was parked here: what it saw before counts, too
                call.ticket = call.context.run(self._runtime.open_ticket)
            pieces = self._pieces(conn, call)
            if isinstance(pieces, Parked):
                self.pause(conn, pieces)
                return
            call.pieces = pieces
            if call.ticket is not None and not call.ticket.settled:
                self._unsettled.append((conn, call))
                return
            self._send(conn, call, pieces)
        except Exception as error:  # noqa: BLE001 - it is told
            self._refuse(conn, call, error)
        self._after_answer(conn)

    def _pieces(self, conn: Connection, call: Call) -> Iterable[bytes]:
        """What the application answers, or a `Parked`."""
        if call.parked is not None:
            pieces = call.go_on()
        else:
            call.environ["wsgi.input"] = conn.body()
            pieces = call.ask(self._application)
        if not isinstance(pieces, Parked):
            call.parked = None
        return pieces

    def pause(self, conn: Connection, parked: Parked) -> None:
        """Leave a request until something happens; its client may give up meanwhile."""
        call = conn.call
        if call is None:
            raise RuntimeError("there is no request")
        call.parked = parked
        if not conn.waiting:
            conn.enter(Stage.WAITING)
        self._lobby.park(conn, Need.READ)
        pause = parked.pause
        go_on = partial(self._go_on, conn, call, pause)
        call.over = self._loop.at(time.monotonic() + pause.seconds, go_on)
        pause.bell.hear(partial(self._loop.call, go_on))

    def _go_on(self, conn: Connection, call: Call, pause: Pause) -> None:
        """A pause is over. It is called up to twice for each: by the bell, and by the time."""
        if call.over is None or call.parked is None or call.parked.pause is not pause:
            return
        call.over.cancel()
        call.over = None
        self._lobby.leave(conn)
        if self._lobby.closing:
            call.response.force_close()
        if call.slow:
            self._mover.submit(conn, self._answer_slowly)
            return
        try:
            self._step(conn, call)
        except Exception as error:  # noqa: BLE001 - as above
            self._mover.give_up(conn, error)

    def send_settled(self) -> None:
        """The disk has more of what answers depend on, or has failed."""
        while self._unsettled:
            conn, call = self._unsettled[0]
            try:
                if not self._deliver(conn, call):
                    return
            except Exception as error:  # noqa: BLE001 - as above
                self._mover.give_up(conn, error)
            self._unsettled.popleft()
            self._after_answer(conn)

    def _deliver(self, conn: Connection, call: Call) -> bool:
        """Send an answer if the disk has what it depends on, a refusal if it never will; False: not yet."""
        try:
            if call.ticket is not None and not call.ticket.settled:
                return False
            self._send(conn, call, call.pieces)
        except Exception as error:  # noqa: BLE001 - it is told
            self._refuse(conn, call, error)
        return True

    def _send(self, conn: Connection, call: Call, pieces: Iterable[bytes]) -> None:
        conn.known = bool(call.environ.get(KNOWN_CALLER))
        conn.call = None
        conn.answer(call.response, pieces, partial(self._loop.call, partial(self._woken, conn)))

    def _refuse(self, conn: Connection, call: Call, error: Exception) -> None:
        """Answer with a problem, as the application or the disk failed; OSError is for who gives up."""
        conn.call = None
        if isinstance(error, OSError):
            raise error
        if isinstance(error, Problem):
            conn.refuse(error, call.request_id)
            return
        with about(request_id=call.request_id):
            self._mover.log.error("a request failed", exc_info=error)
        conn.refuse(problems.INTERNAL("The master made a mistake; see its log."), call.request_id)

    def _after_answer(self, conn: Connection) -> None:
        """Send what is left, and take the next request in its turn if it is here already."""
        if conn.closed:
            return
        if conn.talkative:
            self._loop.call(partial(self._mover.advance, conn))
        else:
            self._mover.advance(conn)

    def _woken(self, conn: Connection) -> None:
        """A stream has something to say; while it is with a thread, it is seen there."""
        if conn in self._lobby and conn.streaming:
            self._mover.submit(conn, Connection.push)
