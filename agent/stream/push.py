"""Sends what the encoder makes to the server, over as many connections as it takes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Protocol

from agent.stream.backlog import Backlog
from agent.stream.dial import ForbiddenError
from agent.stream.flv import Tag
from agent.stream.patience import Patience
from agent.stream.rtmp import Session
from agent.stream.tally import Tally
from agent.stream.wire import TICK, CutError, LostError, Wire

LAST_SECONDS = 10.0
"""That what is left at the end may take."""


class Sink(Protocol):
    """One connection to a server that takes a stream. Each method may raise LostError and CutError."""

    @property
    def arrived(self) -> int:
        """Pictures that the server's machine has."""

    def send(self, tag: Tag) -> None:
        """One more."""

    def listen(self) -> None:
        """See what the server says, without waiting."""

    def finish(self) -> None:
        """End the stream in good order, and the connection with it."""

    def close(self) -> None:
        """End the connection at once; never raises."""


class RtmpSink:
    """An RTMP session that publishes."""

    def __init__(self, wire: Wire, session: Session) -> None:
        self._wire, self._session = wire, session
        self._on_the_way: deque[int] = deque()
        """After how many bytes of the connection each picture ends that has not arrived."""
        self.arrived = 0

    def send(self, tag: Tag) -> None:
        """One more."""
        self._session.send(tag)
        if tag.is_picture:
            self._on_the_way.append(self._wire.written)

    def listen(self) -> None:
        """See what the server says, and what it has acknowledged."""
        self._count()
        self._session.listen()

    def finish(self) -> None:
        """End the stream in good order."""
        self._session.unpublish()
        self._count()
        self._wire.finish()

    def close(self) -> None:
        """At once."""
        self._wire.close()

    def _count(self) -> None:
        arrived = self._wire.arrived
        while self._on_the_way and self._on_the_way[0] <= arrived:
            self._on_the_way.popleft()
            self.arrived += 1


Connect = Callable[[Callable[[], bool]], Sink]
"""Makes a connection that ends when what it is handed becomes false. LostError, CutError, ForbiddenError."""


class Pusher:
    """Takes tags without ever waiting, and sends them from a thread of its own."""

    def __init__(
        self,
        connect: Connect,
        may_send: Callable[[], bool],
        abort: threading.Event,
    ) -> None:
        """Nothing is connected yet. While `may_send` is false there is no connection."""
        self.tally = Tally()
        self.failure: tuple[str, str] | None = None
        """Why it gave up: a code of `common.failures`, and a sentence."""
        self.reconnects = 0
        self._connect, self._may_send, self._abort = connect, may_send, abort
        self._patience = Patience(time.monotonic())
        self._backlog = Backlog()
        self._changed = threading.Condition()
        self._last_moment: float | None = None
        self._sink: Sink | None = None
        self._connections = 0
        self._begun = False
        """Whether this connection has been sent the headers."""
        self._arrived = 0
        self.problem = "it took nothing"
        """Why the newest connection broke, or could not be had."""
        self._thread = threading.Thread(target=self._run, name="stream-push", daemon=True)

    @property
    def arrived(self) -> int:
        """Pictures that the server's machine has."""
        return self._arrived + (self._sink.arrived if self._sink else 0)

    def open(self) -> None:
        """Connect for the first time, then go on in a thread; returns at the latest when patience is over."""
        while not self._is_at_an_end() and self._sink is None:
            self._step()
        self._thread.start()

    def put(self, tags: Iterable[Tag]) -> None:
        """The encoder made these."""
        with self._changed:
            for tag in tags:
                self.tally.add(tag)
                self._backlog.put(tag)
            self._changed.notify_all()

    def finish(self) -> None:
        """Nothing more comes: send what is left, for a while, and end."""
        with self._changed:
            self._last_moment = time.monotonic() + LAST_SECONDS
            self._changed.notify_all()
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._is_at_an_end():
                self._step()
            if self._sink is not None and not self._abort.is_set() and self.failure is None:
                self._sink.finish()
        except (LostError, CutError):
            pass  # the stream is over in any case
        except Exception as error:  # noqa: BLE001 - whatever went wrong, the job must not go on as if nothing had
            self.failure = "agent_error", f"the stream could not be sent: {type(error).__name__}: {error}"
        finally:
            self._drop()

    def _is_at_an_end(self) -> bool:
        if self._abort.is_set() or self.failure is not None:
            return True
        with self._changed:
            if self._last_moment is None:
                return False
            return self._backlog.is_empty or time.monotonic() > self._last_moment

    def _step(self) -> None:
        """A connection, or the next tag, or a short wait."""
        now = time.monotonic()
        if not self._may_send():
            self._drop()
            self._patience.stands(now)
            self._wait()
        elif self._sink is not None:
            self._send(self._sink)
        elif self._patience.is_over(now):
            seconds = f"{self._patience.seconds:g} s"
            self.failure = "stream_unreachable", f"the server could not be had for {seconds}: {self.problem}"
        elif self._patience.may_try(now):
            self._try()
        else:
            self._wait()

    def _try(self) -> None:
        try:
            self._sink = self._connect(self._is_wanted)
        except CutError:
            return
        except ForbiddenError as error:
            self.failure = "output_refused", str(error)
            return
        except LostError as error:
            self._lost(error)
            return
        self._connections += 1
        self.reconnects = self._connections - 1
        with self._changed:
            self._backlog.connected()
        self._begun = False

    def _send(self, sink: Sink) -> None:
        try:
            with self._changed:
                if not self._begun and self._backlog.headers:
                    tags, self._begun = self._backlog.headers, True
                else:
                    tags = [tag] if self._begun and (tag := self._backlog.take()) else []
                if not tags and self._last_moment is None:
                    self._changed.wait(TICK)
            before = sink.arrived
            for tag in tags:
                sink.send(tag)
            sink.listen()
            if sink.arrived > before:
                self._patience.arrived(time.monotonic())
        except CutError:
            self._drop()
        except LostError as error:
            self._lost(error)

    def _is_wanted(self) -> bool:
        last = self._last_moment
        in_time = last is None or time.monotonic() < last
        return in_time and self._may_send() and not self._abort.is_set()

    def _lost(self, error: LostError) -> None:
        self.problem = str(error)
        self._patience.failed(time.monotonic())
        self._drop()

    def _drop(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._arrived += self._sink.arrived
            self._sink = None
            with self._changed:
                self._backlog.disconnected()

    def _wait(self) -> None:
        with self._changed:
            if self._last_moment is None:
                self._changed.wait(TICK)
                return
        time.sleep(TICK / 10)  # the end is near, and nothing is notified any more
