"""A gunicorn worker with one loop, in which no thread is ever held by a client, nor by an answer that waits.

The loop's thread accepts, shakes hands, moves bytes as far as clients send and take them, and keeps the
deadlines. It also runs the application for requests that are answered in no time, which is most of
them. What takes longer a thread of a small pool does. An answer that waits for the disk, or for something
to happen, waits in a list.
"""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from gunicorn.workers.base import Worker

from common import problems
from master.worker.admission import Admission, address_of
from master.worker.answering import Answering
from master.worker.connection import Connection
from master.worker.environ import base_of
from master.worker.lobby import Lobby
from master.worker.loop import READ, Loop
from master.worker.occupancy import Occupancy
from master.worker.parked import Parked
from master.worker.plain import NotHttpError
from master.worker.stages import Need, Patience

TICK = 0.25
"""Seconds by which a deadline may be missed."""
QUIT_GRACE = 2.0
"""Seconds that requests get to end after SIGINT or SIGQUIT (SIGTERM: graceful_timeout)."""
SWITCH = 0.0005
"""Seconds after which a busy thread lets others run. With Python's 5 ms, one busy thread of the pool makes
the loop wait as long at each of its system calls."""
_LATE = 64
"""Connections whose time is over that are told so before the others have their turn."""
_NO_ROOM = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""What says that there may be no more connections; all else is about one that is gone again."""


class FarmWorker(Worker):  # type: ignore[misc]  # gunicorn publishes no types
    """See the module. `self.app` is `master.server.FarmApplication`."""

    alive: bool
    patience = Patience()
    max_held = 256 * 1024 * 1024
    """Bytes of requests and answers that may wait in memory for their clients."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._busy = 0
        self._admission = Admission(self.app.max_per_address)
        self._next_check = 0.0
        self._grace = float(self.cfg.graceful_timeout)

    # -- start and end -------------------------------------------------------------------

    def init_process(self) -> None:
        """In the worker process: what must not be shared with gunicorn's first one."""
        self.loop = Loop()
        self._lobby = Lobby(self.loop, self._admission, self.max_held, self._ready)
        self.tpool = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="slow")
        super().init_process()

    def load_wsgi(self) -> None:
        """Start the application; reading a long journal must not look like hanging."""
        with self._beating():
            super().load_wsgi()
        self._runtime = self.app.runtime
        self._answering = Answering(self, self._lobby, self.loop, base_of(self), self.wsgi, self._runtime)
        self._runtime.on_settled(self._answering.send_settled, self.loop)

    def run(self) -> None:
        """Serve until told to stop or orphaned, then let the running requests end."""
        sys.setswitchinterval(SWITCH)
        for listener in self.sockets:
            listener.setblocking(False)
            self.loop.watch(listener.fileno(), READ, partial(self._accept, listener))
        while self.alive and self.ppid == os.getppid():
            self._turn(TICK)
        self.alive = False
        for listener in self.sockets:
            self.loop.forget(listener.fileno())
        # Not in the signal handler: it takes locks, which a handler must not wait for.
        self.app.begin_shutdown()
        self._drain()
        self.tpool.shutdown(wait=False, cancel_futures=True)
        for listener in self.sockets:
            listener.close()

    def _turn(self, wait: float) -> None:
        self.loop.turn(min(wait, max(0.0, self._next_check - time.monotonic())))
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + wait
        self.notify()
        late = self._lobby.late(now)
        for conn in late[:_LATE]:
            self._expire(conn)
        if len(late) > _LATE:
            self._next_check = now

    def _drain(self) -> None:
        begun = time.monotonic()
        self._lobby.close()
        # SIGQUIT may shorten the grace meanwhile.
        while self._lobby.open > 0 and time.monotonic() < begun + self._grace:
            self._turn(0.05)
        for conn in self._lobby:
            self._lobby.drop(conn)

    def handle_exit(self, sig: int, frame: Any) -> None:  # noqa: ARG002 - gunicorn's
        """SIGTERM: end in order. While the application is still starting: at once."""
        if not self.booted:
            raise SystemExit(0)
        self.alive = False
        self.loop.call(lambda: None)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGINT (Ctrl-C reaches the worker too) and SIGQUIT: end in order, but sooner."""
        self._grace = QUIT_GRACE
        self.handle_exit(sig, frame)

    @contextmanager
    def _beating(self) -> Iterator[None]:
        done = threading.Event()

        def beat() -> None:
            while not done.wait(1.0):
                self.notify()

        thread = threading.Thread(target=beat, name="start-heartbeat", daemon=True)
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    # -- connections ---------------------------------------------------------------------

    def _accept(self, listener: Any) -> None:
        """Take what waits at the listener."""
        for _ in range(32):
            try:
                sock, client = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                self.log.debug("accept: %s", error)
                if error.errno not in _NO_ROOM:
                    continue  # the client is gone again, or its network
                self._lobby.make_room()
                return
            if not self._admission.enter(address_of(client[0])):
                sock.close()
                self._report_refusal(address_of(client[0]))
                continue
            if self._lobby.open >= self.cfg.worker_connections:
                self._lobby.make_room()
            self._lobby.open += 1
            conn = Connection(sock, client, listener.getsockname(), self.patience, self.cfg)
            self._lobby.park(conn, Need.READ)

    def _report_refusal(self, address: str) -> None:
        refused = self._admission.to_tell(address, time.monotonic())
        if refused:
            self.log.warning(
                "%s has as many connections as --max-connections-per-address allows; refused: %d",
                address,
                refused,
            )

    def _ready(self, conn: Connection) -> None:
        if conn.deadline <= time.monotonic():
            # A dripping client may be busy whenever the deadlines are looked through.
            self._expire(conn)
        else:
            self.advance(conn)

    def advance(self, conn: Connection) -> None:
        """Go on with a connection as far as it goes."""
        try:
            self._provide(conn, conn.advance())
        except Exception as error:  # noqa: BLE001 - whatever happens to one connection concerns only that one
            self.give_up(conn, error)

    def _provide(self, conn: Connection, need: Need) -> None:
        if need in (Need.READ, Need.WRITE):
            self._lobby.park(conn, need)
        elif need is Need.HANDSHAKE:
            self._provide(conn, conn.shake_hands(self._runtime.ssl_context) or conn.advance())
        elif need is Need.ANSWER:
            self._answering.serve(conn)
        elif need is Need.PIECES:
            self.submit(conn, Connection.push)
        else:
            self._lobby.drop(conn)

    def submit(self, conn: Connection, job: Callable[[Connection], Parked | None]) -> None:
        """Have a thread of the pool do something for a connection, and go on with it then."""
        self._lobby.leave(conn)
        self._lobby.unwatch(conn)
        self._busy += 1
        future = self.tpool.submit(job, conn)
        future.add_done_callback(lambda done: self.loop.call(partial(self._after, conn, done)))

    def _after(self, conn: Connection, done: Future[Parked | None]) -> None:
        self._busy -= 1
        try:
            parked = done.result()
            if parked is None:
                self._provide(conn, conn.advance())
            else:
                self._answering.pause(conn, parked)
        except Exception as error:  # noqa: BLE001 - as above
            self.give_up(conn, error)

    def give_up(self, conn: Connection, error: Exception) -> None:
        """Whatever happens to one connection must not end the service for all."""
        if isinstance(error, OSError | NotHttpError):
            self.log.debug("connection of %s: %r", conn.client, error)
        else:
            self.log.error("a connection failed", exc_info=error)
        self._lobby.drop(conn)

    def _expire(self, conn: Connection) -> None:
        """End what took too long; whose request has begun is told, to send it again."""
        if conn.streaming:
            self.submit(conn, Connection.beat)
            return
        if not conn.begun:
            self._lobby.drop(conn)
            return
        conn.refuse(problems.TOO_SLOW("The request came too slowly; send it again."))
        self.advance(conn)

    def occupancy(self) -> Occupancy:
        """What it is at; asked by any thread."""
        return Occupancy(self._lobby.open, self._busy, self.cfg.threads, self._lobby.held)
