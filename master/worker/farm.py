"""A gunicorn worker on threads, in which a thread is only ever held by a whole request.

The main thread accepts, polls, keeps deadlines, and moves bytes as far as clients send and take
them. A pool thread takes the steps that cost: a handshake's, and the application's.
"""

from __future__ import annotations

import io
import selectors
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import gunicorn.http.wsgi
from gunicorn.workers.gthread import ThreadWorker

from common import problems
from common.logs import about
from common.problems import Problem
from common.request_ids import new_request_id
from master.worker.admission import KNOWN_CALLER, Admission, address_of, crowd_out, relieve
from master.worker.connection import Connection, Need, Patience
from master.worker.occupancy import OCCUPANCY, Occupancy
from master.worker.plain import NotHttpError
from master.worker.request import REQUEST_ID

TICK = 0.25
"""Seconds by which a deadline may be missed."""
STOP_IDLE = 0.5
"""Seconds in which a stopping worker still takes a request on an open connection."""
QUIT_GRACE = 2.0
"""Seconds that requests get to end after SIGINT or SIGQUIT (SIGTERM: graceful_timeout)."""
_LATE = 64
"""Connections whose time is over that are told so before the others have their turn."""
_ROOM = 64
"""The part of its connections (1/64) that a full worker ends at once, so that choosing them costs little."""

# gunicorn has no setting for its Server header; this is where each response reads it.
gunicorn.http.wsgi.SERVER = "ffmpeg-rtmp"


class FarmWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """See the module. `self.app` is `master.server.FarmApplication`."""

    alive: bool
    nr_conns: int
    patience = Patience()
    max_held = 256 * 1024 * 1024
    """Bytes of requests and answers that may wait in memory for their clients."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parked: dict[Connection, int] = {}
        """Connections on the poller, the longest waiting first, and the bytes that each holds."""
        self._held = 0
        self._busy = 0
        self._admission = Admission(self.app.max_per_address)
        self._next_check = 0.0
        self._grace = float(self.cfg.graceful_timeout)

    # -- the main thread ---------------------------------------------------------------

    def load_wsgi(self) -> None:
        """Start the application; reading a long journal must not look like hanging."""
        with self._beating():
            super().load_wsgi()

    def run(self) -> None:
        """Serve until told to stop or orphaned, then let the running requests end."""
        self.poller.register(
            self.method_queue.fileno(), selectors.EVENT_READ, self.method_queue.run_callbacks
        )
        self.set_accept_enabled(True)
        while self.alive and self.is_parent_alive():
            self._turn(TICK)
        self.alive = False
        self.set_accept_enabled(False)
        # Not in the signal handler: it takes locks, which a handler must not wait for.
        self.app.begin_shutdown()
        self._drain()
        # The method queue is left open: a late thread would write its wake-up byte into
        # whatever file had got that number since. The process ends now anyway.
        self.tpool.shutdown(wait=False, cancel_futures=True)
        for listener in self.sockets:
            listener.close()

    def _turn(self, wait: float) -> None:
        self.wait_for_and_dispatch_events(timeout=min(wait, max(0.0, self._next_check - time.monotonic())))
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + wait
        self.notify()
        late = [conn for conn in self._parked if conn.deadline <= now]
        for conn in late[:_LATE]:
            self._expire(conn)
        if len(late) > _LATE:
            self._next_check = now

    def _drain(self) -> None:
        begun = time.monotonic()
        for conn in self._parked:
            self._hurry(conn)
        # SIGQUIT may shorten the grace meanwhile.
        while self.nr_conns > 0 and time.monotonic() < begun + self._grace:
            self._turn(0.05)
        for conn in list(self._parked):
            self._drop(conn)

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: end in order. While the application is still starting: at once."""
        if not self.booted:
            raise SystemExit(0)
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGINT (Ctrl-C reaches the worker too) and SIGQUIT: end in order, but sooner."""
        self._grace = QUIT_GRACE
        self.handle_exit(sig, frame)

    def accept(self, listener: Any) -> None:
        """Take what waits at the listener to the poller, where silence costs no thread."""
        for _ in range(32):
            try:
                sock, client = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # The client is gone again, or file descriptors ran out.
                self.log.debug("accept: %s", error)
                self._make_room()
                return
            if not self._admission.enter(address_of(client[0])):
                sock.close()
                self._report_refusal(address_of(client[0]))
                continue
            if self.nr_conns >= self.worker_connections:
                self._make_room()
            self.nr_conns += 1
            conn = Connection(sock, client, listener.getsockname(), self.patience, self.cfg)
            self._park(conn, Need.READ)

    def _report_refusal(self, address: str) -> None:
        refused = self._admission.to_tell(address, time.monotonic())
        if refused:
            self.log.warning(
                "%s has as many connections as --max-connections-per-address allows; refused: %d",
                address,
                refused,
            )

    def _make_room(self) -> None:
        for conn in crowd_out(self._parked, max(1, len(self._parked) // _ROOM)):
            self._drop(conn)

    def _ready(self, conn: Connection, _fileobj: Any) -> None:
        if conn not in self._parked:
            return  # dropped by an event of this same turn
        if conn.deadline <= time.monotonic():
            # A dripping client may be with a thread whenever the deadlines are looked through.
            self._expire(conn)
        else:
            self._advance(conn)

    def _advance(self, conn: Connection) -> None:
        try:
            self._provide(conn, conn.advance())
        except Exception as error:  # noqa: BLE001 - whatever happens to one connection concerns only that one
            self._give_up(conn, error)

    def _provide(self, conn: Connection, need: Need) -> None:
        if need in (Need.READ, Need.WRITE):
            self._park(conn, need)
        elif need is Need.HANDSHAKE:
            self._submit(conn, self._shake_hands)
        elif need is Need.ANSWER:
            self._submit(conn, self._answer)
        elif need is Need.PIECES:
            self._submit(conn, Connection.push)
        else:
            self._drop(conn)

    def _submit(self, conn: Connection, job: Callable[[Connection], Need | None]) -> None:
        self._unpark(conn)
        self._busy += 1
        future = self.tpool.submit(job, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self._after, conn, done))

    def _after(self, conn: Connection, done: Future[Need | None]) -> None:
        self._busy -= 1
        try:
            self._provide(conn, done.result() or conn.advance())
        except Exception as error:  # noqa: BLE001 - as above
            self._give_up(conn, error)

    def _give_up(self, conn: Connection, error: Exception) -> None:
        """Whatever happens to one connection must not end the service for all."""
        if isinstance(error, OSError | NotHttpError):
            self.log.debug("connection of %s: %r", conn.client, error)
        else:
            self.log.error("a connection failed", exc_info=error)
        self._drop(conn)

    def _woken(self, conn: Connection) -> None:
        """A stream has something to say; while it is with a thread, it is seen there."""
        if conn in self._parked and conn.streaming:
            self._submit(conn, Connection.push)

    def _expire(self, conn: Connection) -> None:
        """End what took too long; whose request has begun is told, to send it again."""
        if conn.streaming:
            self._submit(conn, Connection.beat)
            return
        if not conn.begun:
            self._drop(conn)
            return
        conn.refuse(problems.TOO_SLOW("The request came too slowly; send it again."))
        self._advance(conn)

    def _park(self, conn: Connection, need: Need) -> None:
        if not self.alive:
            self._hurry(conn)
        self._held += conn.held - self._parked.get(conn, 0)
        self._parked[conn] = conn.held
        if not conn.events:
            self.poller.register(conn.sock, need.value, partial(self._ready, conn))
        elif conn.events != need.value:
            self.poller.modify(conn.sock, need.value, partial(self._ready, conn))
        conn.events = need.value
        if self._held > self.max_held:
            for hog in relieve(self._parked, self._held - self.max_held * 3 // 4):
                self._drop(hog)

    def _hurry(self, conn: Connection) -> None:
        """Wait no longer for a request, but for an answer to be taken."""
        if not conn.answering:
            conn.deadline = min(conn.deadline, time.monotonic() + STOP_IDLE)

    def _unpark(self, conn: Connection) -> None:
        if conn in self._parked:
            self._held -= self._parked.pop(conn)
            conn.events = 0
            with suppress(KeyError, ValueError, OSError):
                self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        self._unpark(conn)
        if not conn.closed:
            conn.close()
            self.nr_conns -= 1
            self._admission.leave(conn.address)

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

    def occupancy(self) -> Occupancy:
        """What it is at; asked by any thread."""
        return Occupancy(self.nr_conns, self._busy, self.cfg.threads, self._held)

    # -- pool threads ------------------------------------------------------------------

    def _shake_hands(self, conn: Connection) -> Need | None:
        return conn.shake_hands(self.app.ssl_context)

    def _answer(self, conn: Connection) -> None:
        request_id = conn.request_id or new_request_id()
        try:
            self._ask_application(conn, *conn.take(), request_id)
        except OSError:
            raise
        except Problem as problem:
            conn.refuse(problem, request_id)
        except Exception:
            with about(request_id=request_id):
                self.log.exception("a request failed")
            conn.refuse(problems.INTERNAL("The master made a mistake; see its log."), request_id)

    def _ask_application(self, conn: Connection, request: Any, body: bytes, request_id: str) -> None:
        response, environ = gunicorn.http.wsgi.create(request, conn.sock, conn.client, conn.server, self.cfg)
        environ["wsgi.input"] = io.BytesIO(body)
        environ["wsgi.multithread"] = True
        environ[REQUEST_ID] = request_id
        environ[OCCUPANCY] = self.occupancy
        if not self.alive:
            response.force_close()
        pieces = self.wsgi(environ, response.start_response)
        conn.known = bool(environ.get(KNOWN_CALLER))
        conn.answer(response, pieces, partial(self.method_queue.defer, self._woken, conn))
