"""A gunicorn worker on threads, in which a thread is only ever held by a whole request.

The main thread accepts, polls and keeps deadlines. A pool thread takes a connection
as far as it goes (handshake, request, answer) and gives it back to the poller when
it would have to wait for the client.
"""

from __future__ import annotations

import re
import selectors
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from enum import Enum
from functools import partial
from typing import Any

import gunicorn.http.wsgi
from gunicorn.http import Request, get_parser
from gunicorn.http.errors import NoMoreData, ParseException
from gunicorn.workers.gthread import ThreadWorker
from werkzeug.exceptions import HTTPException

from common import problems
from master.worker.connection import (
    MAX_READ_AHEAD,
    BodySource,
    Connection,
    HeadTooLargeError,
    Patience,
    Stage,
)
from master.worker.plain import NotHttpError, render

TICK = 0.25
"""Seconds by which a deadline may be missed."""
STOP_IDLE = 0.5
"""Seconds in which a stopping worker still takes a request on an open connection."""
QUIT_GRACE = 2.0
"""Seconds that requests get to end after SIGINT or SIGQUIT (SIGTERM: graceful_timeout)."""

# gunicorn has no setting for its Server header; this is where each response reads it.
gunicorn.http.wsgi.SERVER = "ffmpeg-rtmp"


class Step(Enum):
    """What a connection needs after a pool thread took it as far as it went."""

    READ = selectors.EVENT_READ
    WRITE = selectors.EVENT_WRITE
    FINISH = "finish"
    """All is answered: half-close, and let the client close."""
    DROP = "drop"


class FarmRequest(Request):  # type: ignore[misc]  # gunicorn publishes no types
    """A request whose answer says when the connection ends because the body was left unread."""

    def should_close(self) -> bool:
        """Asked when the answer's head is sent; a body within the read-ahead is here already."""
        reader = self.body.reader
        unread = getattr(reader, "parser", None) is not None or getattr(reader, "length", 0) > MAX_READ_AHEAD
        return unread or bool(super().should_close())


class FarmWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn publishes no types
    """See the module. `self.app` is `master.server.FarmApplication`."""

    alive: bool
    nr_conns: int
    patience = Patience()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._parked: dict[Connection, None] = {}
        """Connections on the poller, the longest waiting first."""
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
        self.wait_for_and_dispatch_events(timeout=wait)
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + wait
        self.notify()
        for conn in [c for c in self._parked if c.deadline <= now]:
            self._drop(conn)

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
            if self.nr_conns >= self.worker_connections:
                self._evict()
            try:
                sock, client = listener.accept()
            except BlockingIOError:
                return
            except OSError as error:
                # The client is gone again, or file descriptors ran out.
                self.log.debug("accept: %s", error)
                self._evict()
                return
            self.nr_conns += 1
            self._park(Connection(sock, client, listener.getsockname(), self.patience), selectors.EVENT_READ)

    def _evict(self) -> None:
        """Make room: whoever has waited longest is least likely to say anything."""
        oldest = next(iter(self._parked), None)
        if oldest is not None:
            self._drop(oldest)

    def _park(self, conn: Connection, events: int) -> None:
        if not self.alive:
            self._hurry(conn)
        self._parked[conn] = None
        self.poller.register(conn.sock, events, partial(self._ready, conn))

    def _hurry(self, conn: Connection) -> None:
        conn.deadline = min(conn.deadline, time.monotonic() + STOP_IDLE)

    def _ready(self, conn: Connection, _fileobj: Any) -> None:
        if conn not in self._parked:
            return  # dropped by an event of this same turn
        if conn.deadline <= time.monotonic():
            # A dripping client may be with a thread whenever the deadlines are looked through.
            self._drop(conn)
            return
        if conn.stage is Stage.LINGER:
            if conn.discard():
                self._drop(conn)
            return
        self._unpark(conn)
        future = self.tpool.submit(self.advance, conn)
        future.add_done_callback(lambda done: self.method_queue.defer(self._after, conn, done))

    def _after(self, conn: Connection, done: Future[Step]) -> None:
        try:
            step = done.result()
            if step is Step.FINISH:
                conn.finish()
                step = Step.READ
            if step is not Step.DROP:
                self._park(conn, step.value)
                return
        except OSError as error:
            self.log.debug("connection of %s: %s", conn.client, error)
        except Exception:
            # Whatever happens to one connection must not end the service for all.
            self.log.exception("a connection failed")
        self._drop(conn)

    def _unpark(self, conn: Connection) -> None:
        if conn in self._parked:
            del self._parked[conn]
            with suppress(KeyError, ValueError, OSError):
                self.poller.unregister(conn.sock)

    def _drop(self, conn: Connection) -> None:
        self._unpark(conn)
        if not conn.closed:
            conn.close()
            self.nr_conns -= 1

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

    # -- pool threads ------------------------------------------------------------------

    def advance(self, conn: Connection) -> Step:
        """Take the connection as far as it goes without waiting for the client."""
        try:
            self._talk(conn)
        except (BlockingIOError, ssl.SSLWantReadError):
            return Step.READ
        except ssl.SSLWantWriteError:
            return Step.WRITE
        except HeadTooLargeError:
            self._refuse(conn, "the request's head is too large")
        except NotHttpError:
            self.log.debug("%s speaks neither TLS nor HTTP", conn.client)
            return Step.DROP
        except (OSError, NoMoreData, StopIteration) as error:
            self.log.debug("connection of %s: %r", conn.client, error)
            return Step.DROP
        return Step.FINISH

    def _talk(self, conn: Connection) -> None:
        """Returns when the last answer is sent."""
        if conn.stage is Stage.SILENT:
            conn.look()
        if conn.stage is Stage.PLAIN:
            conn.redirect()
            return
        if conn.stage is Stage.HELLO:
            conn.shake_hands(self.app.ssl_context)
        while True:
            conn.fill()
            if not self._serve(conn):
                return

    def _serve(self, conn: Connection) -> bool:
        """Answer one request; whether the connection is ready for another."""
        source = BodySource(conn.sock, conn.patience)
        parser = get_parser(self.cfg, source, conn.client)
        parser.mesg_class = FarmRequest
        parser.unreader.unread(conn.take())
        conn.sock.settimeout(conn.patience.send)
        try:
            keep = self.handle_request(next(parser), conn)
            source.stop()
            if not keep or not parser.finish_body():
                return False
        except ParseException as error:
            self._refuse(conn, _fault(error))
            return False
        except HTTPException:
            return False  # the rest of the body did not come in time, or never will
        except (OSError, StopIteration):
            raise
        except Exception:
            self.log.exception("a request failed")
            conn.sock.sendall(render(problems.INTERNAL("The master made a mistake; see its log.")))
            return False
        conn.keep(parser.unreader.take_buffered())
        return True

    def _refuse(self, conn: Connection, reason: str) -> None:
        conn.sock.settimeout(conn.patience.send)
        conn.sock.sendall(render(problems.INVALID(f"This is not a request the master can read: {reason}.")))


def _fault(error: ParseException) -> str:
    """What is wrong with a request: `invalid HTTP version`. gunicorn would repeat it, secrets and all."""
    words = re.findall(r"[A-Z][a-z]+|[A-Z0-9]+(?![a-z])", type(error).__name__)
    return " ".join(word if word.isupper() else word.lower() for word in words)
