"""A gunicorn worker with one loop, in which no thread is ever held by a client, nor by an answer that waits.

The loop's thread accepts, shakes hands, moves bytes as far as clients send and take them, and keeps the
deadlines. It also runs the application for requests that are answered in no time, which is most of
them. What takes longer a thread of a small pool does. An answer that waits for the disk, or for something
to happen, waits in a list.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from gunicorn.workers.base import Worker

from common import problems
from common.logs import about
from common.problems import Problem
from common.request_ids import new_request_id
from master.pauses import Pause
from master.worker.admission import KNOWN_CALLER, Admission, address_of, crowd_out, relieve
from master.worker.call import Call
from master.worker.connection import Connection, Need, Patience, Stage
from master.worker.environ import call_of
from master.worker.loop import READ, Loop
from master.worker.occupancy import Occupancy
from master.worker.parked import Parked
from master.worker.plain import NotHttpError

TICK = 0.25
"""Seconds by which a deadline may be missed."""
STOP_IDLE = 0.5
"""Seconds in which a stopping worker still takes a request on an open connection."""
QUIT_GRACE = 2.0
"""Seconds that requests get to end after SIGINT or SIGQUIT (SIGTERM: graceful_timeout)."""
LONG_BODY = 32 * 1024
"""Bytes of a body from which on reading it takes too long for the loop."""
_LATE = 64
"""Connections whose time is over that are told so before the others have their turn."""
_ROOM = 64
"""The part of its connections (1/64) that a full worker ends at once, so that choosing them costs little."""


class FarmWorker(Worker):  # type: ignore[misc]  # gunicorn publishes no types
    """See the module. `self.app` is `master.server.FarmApplication`."""

    alive: bool
    patience = Patience()
    max_held = 256 * 1024 * 1024
    """Bytes of requests and answers that may wait in memory for their clients."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.nr_conns = 0
        self._parked: dict[Connection, int] = {}
        """Connections that wait for something, the longest waiting first, and the bytes that each holds."""
        self._unsettled: deque[tuple[Connection, Call]] = deque()
        """Answers that wait for the disk, in the order in which it will have what they depend on."""
        self._held = 0
        self._busy = 0
        self._admission = Admission(self.app.max_per_address)
        self._next_check = 0.0
        self._grace = float(self.cfg.graceful_timeout)

    # -- start and end -------------------------------------------------------------------

    def init_process(self) -> None:
        """In the worker process: what must not be shared with gunicorn's first one."""
        self.loop = Loop()
        self.tpool = ThreadPoolExecutor(self.cfg.threads, thread_name_prefix="slow")
        super().init_process()

    def load_wsgi(self) -> None:
        """Start the application; reading a long journal must not look like hanging."""
        with self._beating():
            super().load_wsgi()
        self._runtime = self.app.runtime
        self._runtime.on_settled(partial(self.loop.call, self._send_settled))

    def run(self) -> None:
        """Serve until told to stop or orphaned, then let the running requests end."""
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
                # The client is gone again, or file descriptors ran out.
                self.log.debug("accept: %s", error)
                self._make_room()
                return
            if not self._admission.enter(address_of(client[0])):
                sock.close()
                self._report_refusal(address_of(client[0]))
                continue
            if self.nr_conns >= self.cfg.worker_connections:
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

    def _ready(self, conn: Connection) -> None:
        if conn not in self._parked:
            # Its request is being answered: it is not to be heard before that.
            self._unwatch(conn)
        elif conn.deadline <= time.monotonic():
            # A dripping client may be busy whenever the deadlines are looked through.
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
            self._provide(conn, conn.shake_hands(self._runtime.ssl_context) or conn.advance())
        elif need is Need.ANSWER:
            self._serve(conn)
        elif need is Need.PIECES:
            self._submit(conn, Connection.push)
        else:
            self._drop(conn)

    def _submit(self, conn: Connection, job: Callable[[Connection], Any]) -> None:
        self._unpark(conn)
        self._unwatch(conn)
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
                self._pause(conn, parked)
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
            self.loop.watch(conn.sock.fileno(), need.value, partial(self._ready, conn))
        elif conn.events != need.value:
            self.loop.change(conn.sock.fileno(), need.value)
        conn.events = need.value
        if self._held > self.max_held:
            for hog in relieve(self._parked, self._held - self.max_held * 3 // 4):
                self._drop(hog)

    def _hurry(self, conn: Connection) -> None:
        """Wait no longer for a request, but for an answer to be made and taken."""
        if not (conn.answering or conn.waiting):
            conn.deadline = min(conn.deadline, time.monotonic() + STOP_IDLE)

    def _unpark(self, conn: Connection) -> None:
        if conn in self._parked:
            self._held -= self._parked.pop(conn)

    def _unwatch(self, conn: Connection) -> None:
        if conn.events:
            conn.events = 0
            self.loop.forget(conn.sock.fileno())

    def _drop(self, conn: Connection) -> None:
        self._unpark(conn)
        self._unwatch(conn)
        if not conn.closed:
            self.nr_conns -= 1
            self._admission.leave(conn.address)
            conn.close()

    def occupancy(self) -> Occupancy:
        """What it is at; asked by any thread."""
        return Occupancy(self.nr_conns, self._busy, self.cfg.threads, self._held)

    # -- requests ------------------------------------------------------------------------

    def _serve(self, conn: Connection) -> None:
        """Have a whole request answered, here or by the pool."""
        self._unpark(conn)
        call = conn.call = call_of(conn, conn.request_id or new_request_id(), self)
        if not self.alive:
            call.response.force_close()
        if conn.length > LONG_BODY or self._runtime.is_slow(call.environ):
            self._submit(conn, self._answer_slowly)
        else:
            self._step(conn, call)

    def _answer_slowly(self, conn: Connection, parked: Parked | None = None) -> Parked | None:
        """In a thread of the pool: from the body, or from a pause, to the first pieces of the answer."""
        call = conn.call
        if call is None:
            raise RuntimeError("there is no request")
        try:
            if parked is None:
                call.environ["wsgi.input"] = conn.body()
                pieces = call.ask(self.wsgi)
            else:
                pieces = call.context.run(parked.go_on)
            if isinstance(pieces, Parked):
                return pieces
            self._send(conn, call, pieces)
        except Exception as error:  # noqa: BLE001 - it is told
            self._refuse(conn, call, error)
        return None

    def _step(self, conn: Connection, call: Call) -> None:
        """In the loop: let the application go on with a request, as far as it goes without waiting."""
        if call.parked is not None and self._runtime.is_slow(call.environ):
            parked, call.parked = call.parked, None
            self._submit(conn, partial(self._answer_slowly, parked=parked))
            return
        try:
            call.ticket = call.context.run(self._runtime.open_ticket)
            if call.parked is None:
                call.environ["wsgi.input"] = conn.body()
                pieces = call.ask(self.wsgi)
            else:
                pieces = call.go_on()
            if isinstance(pieces, Parked):
                self._pause(conn, pieces)
                return
            call.parked, call.pieces = None, pieces
            if call.ticket is not None and not call.ticket.settled:
                self._unsettled.append((conn, call))
                return
            self._send(conn, call, pieces)
        except Exception as error:  # noqa: BLE001 - it is told
            self._refuse(conn, call, error)
        self._after_answer(conn)

    def _pause(self, conn: Connection, parked: Parked) -> None:
        """Leave a request until something happens; its client may give up meanwhile."""
        call = conn.call
        if call is None:
            raise RuntimeError("there is no request")
        call.parked = parked
        if not conn.waiting:
            conn.enter(Stage.WAITING)
        self._park(conn, Need.READ)
        pause = parked.pause
        go_on = partial(self._go_on, conn, call, pause)
        call.over = self.loop.at(time.monotonic() + pause.seconds, go_on)
        pause.bell.hear(partial(self.loop.call, go_on))

    def _go_on(self, conn: Connection, call: Call, pause: Pause) -> None:
        """A pause is over; this is called up to twice."""
        if call.parked is None or call.parked.pause is not pause:
            return
        if call.over is not None:
            call.over.cancel()
        self._unpark(conn)
        if not self.alive:
            call.response.force_close()
        try:
            self._step(conn, call)
        except Exception as error:  # noqa: BLE001 - as above
            self._give_up(conn, error)

    def _send_settled(self) -> None:
        """The disk has more of what answers depend on, or has failed."""
        while self._unsettled:
            conn, call = self._unsettled[0]
            try:
                if call.ticket is not None and not call.ticket.settled:
                    return
                self._send(conn, call, call.pieces)
            except OSError as error:
                self._give_up(conn, error)
            except Exception as error:  # noqa: BLE001 - it is told
                self._refuse(conn, call, error)
            self._unsettled.popleft()
            self._after_answer(conn)

    def _send(self, conn: Connection, call: Call, pieces: Iterable[bytes]) -> None:
        conn.known = bool(call.environ.get(KNOWN_CALLER))
        conn.call = None
        conn.answer(call.response, pieces, partial(self.loop.call, partial(self._woken, conn)))

    def _refuse(self, conn: Connection, call: Call, error: Exception) -> None:
        """Answer with a problem, as the application or the disk failed; OSError is for who gives up."""
        conn.call = None
        if isinstance(error, OSError):
            raise error
        if isinstance(error, Problem):
            conn.refuse(error, call.request_id)
            return
        with about(request_id=call.request_id):
            self.log.error("a request failed", exc_info=error)
        conn.refuse(problems.INTERNAL("The master made a mistake; see its log."), call.request_id)

    def _after_answer(self, conn: Connection) -> None:
        """Send what is left, and take the next request in its turn if it is here already."""
        if conn.talkative:
            self.loop.call(partial(self._advance, conn))
        else:
            self._advance(conn)
