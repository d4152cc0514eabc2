"""One client connection, taken as far as it goes without ever waiting for the client.

Every step either completes or raises what a non-blocking socket raises; then the
connection waits on the poller, without a thread, until its deadline.
"""

from __future__ import annotations

import io
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from common.problems import RETRY_AFTER, UNAVAILABLE, Problem
from common.request_ids import new_request_id
from master.worker.admission import address_of
from master.worker.call import Call
from master.worker.inbox import Inbox
from master.worker.outbox import Answer, Outbox, StreamedAnswer
from master.worker.plain import MAX_HEAD as MAX_PLAIN_HEAD
from master.worker.plain import answer_plain, render
from master.worker.reply import Reply
from master.worker.request import Incoming
from master.worker.stages import Need, Patience, Stage, waits
from master.worker.stream import Stream

TLS_HANDSHAKE = 0x16
"""The first byte of every TLS connection (RFC 8446, section 5.1: record type)."""
MAX_UNSENT = 256 * 1024
"""Bytes of an answer that are made before the client takes the first of them, if it comes in pieces."""
MAX_UNSENT_STREAM = 64 * 1024
"""The same of a stream: there may be many."""
_PUSH = 4 * 1024 * 1024
"""Bytes of an answer after which its thread serves others first, however fast the client takes them."""
_RECEIVE = 64 * 1024
"""Bytes asked for at once: more than a TLS record has, so that none stay behind unseen by the poller."""
_TURN = 256 * 1024
"""Bytes after which a connection lets the others have their turn."""
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Connection:
    """A client's socket and what is known of it. `sock`, `client` and `server` are gunicorn's names."""

    def __init__(self, sock: socket.socket, client: Any, server: Any, patience: Patience, cfg: Any) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.client = client
        self.server = server
        self.address = address_of(client[0])
        self.known = False
        """Whether the application knew the caller of its last request."""
        self.events = 0
        """What the loop watches its socket for; 0: it is not watched."""
        self.call: Call | None = None
        """The request that is being answered; None: none, or the answer is on its way."""
        self.closed = False
        self._waits, self._rate = waits(patience), patience.rate
        self._inbox = Inbox(cfg, client)
        self._outbox = Outbox()
        self._answer: Answer | None = None
        self._last = False
        self._unsent = MAX_UNSENT
        self.enter(Stage.SILENT)

    @property
    def held(self) -> int:
        """Bytes received or to be sent that it keeps in memory."""
        return len(self._inbox) + len(self._outbox)

    @property
    def request_id(self) -> str | None:
        """What its sender calls the request that is coming in; None if it does not say, or not well."""
        incoming = self._inbox.incoming
        return None if incoming is None else incoming.request_id

    @property
    def begun(self) -> bool:
        """Whether a part of a request has come."""
        return self.stage is Stage.REQUEST and self._inbox.begun

    @property
    def answering(self) -> bool:
        """Whether an answer is on its way."""
        return self.stage is Stage.SENDING

    @property
    def waiting(self) -> bool:
        """Whether its answer is not there yet, and no thread is at it."""
        return self.stage is Stage.WAITING

    @property
    def talkative(self) -> bool:
        """Whether something has come that may be the next request."""
        return len(self._inbox) > 0

    @property
    def streaming(self) -> bool:
        """Whether its stream has nothing to say now."""
        return self.stage is Stage.STREAMING

    def enter(self, stage: Stage) -> None:
        """Begin to wait for something else; its time counts from now."""
        self.stage = stage
        self.deadline = time.monotonic() + self._waits[stage]

    def advance(self) -> Need:
        """Go on without a thread until something is needed. Raises OSError when the client is gone."""
        try:
            while True:
                need = self._step()
                if need is not None:
                    return need
        except Problem as problem:
            self.refuse(problem)
            return self.advance()
        except (BlockingIOError, ssl.SSLWantReadError):
            return Need.READ
        except ssl.SSLWantWriteError:
            return Need.WRITE

    def shake_hands(self, context: ssl.SSLContext) -> Need | None:
        """The next steps of the TLS handshake; what it needs, or None when it is done."""
        if not isinstance(self.sock, ssl.SSLSocket):
            self.sock = context.wrap_socket(self.sock, server_side=True, do_handshake_on_connect=False)
        try:
            self.sock.do_handshake()
        except ssl.SSLWantReadError:
            return Need.READ
        except ssl.SSLWantWriteError:
            return Need.WRITE
        self.enter(Stage.REQUEST)
        return None

    @property
    def incoming(self) -> Incoming:
        """The whole request that has come."""
        incoming = self._inbox.incoming
        if incoming is None:
            raise RuntimeError("taken before it was whole")
        return incoming

    def body(self) -> io.BytesIO:
        """Its body; to be asked for once. Raises a Problem."""
        return self._inbox.take_body()

    def answer(self, response: Reply, pieces: Any, waker: Callable[[], None] = lambda: None) -> None:
        """Begin to send what the application answers, written by `response`.

        `waker` is called, by any thread, when a stream has something to say again.
        """
        response.sock = self._outbox
        if isinstance(pieces, Stream):
            self._unsent = MAX_UNSENT_STREAM
            self._answer = StreamedAnswer(response, pieces, waker)
        else:
            self._unsent = MAX_UNSENT
            self._answer = Answer(response, pieces)
        self.push()

    def beat(self) -> None:
        """The same as `push` for a stream that has been silent: it says that it lives."""
        if isinstance(self._answer, StreamedAnswer):
            self._write(self._answer.write(self._outbox, self._unsent, beat=True))
        self.push()

    def push(self) -> None:
        """Make and send more of the answer, until it is whole, the client is to take some of it first, or
        it is the turn of others; a stream, until it has nothing to say.
        """
        sent = 0
        while self._answer is not None and len(self._outbox) < self._unsent and sent < _PUSH:
            self._write(self._answer.write(self._outbox, self._unsent))
            sent += self._outbox.flush(self.sock, self._unsent)
            if self._answer is not None and self._answer.idle:
                return

    def _write(self, whole: bool) -> None:
        if whole and self._answer is not None:
            self._last = self._answer.ends_connection
            self._answer = None
        self.enter(Stage.SENDING)

    def refuse(self, problem: Problem, request_id: str | None = None) -> None:
        """Answer with a problem, and let that be the last answer.

        `request_id`: the refused request's; None: that of the one that is coming in.
        """
        if self._answer is not None and self._answer.begun:
            raise ConnectionAbortedError("an answer broke off")
        self._drop_answer()
        request_id = request_id or self.request_id or new_request_id()
        self._inbox.clear()
        headers = {"Retry-After": RETRY_AFTER} if problem.type is UNAVAILABLE else None
        self._outbox.sendall(render(problem, request_id, headers))
        self._last = True
        self.enter(Stage.SENDING)

    def close(self) -> None:
        """Close at once, from any state."""
        self.closed = True
        self._drop_answer()
        call, self.call = self.call, None
        if call is not None:
            call.close()
        with suppress(OSError):
            self.sock.close()

    def _step(self) -> Need | None:
        if self.stage is Stage.SILENT:
            self._look()
        elif self.stage is Stage.HELLO:
            return Need.HANDSHAKE
        elif self.stage is Stage.PLAIN:
            self._redirect()
        elif self.stage is Stage.SENDING:
            return self._send()
        elif self.stage in (Stage.STREAMING, Stage.WAITING):
            self._overhear()
        elif self.stage is Stage.LINGER:
            return self._discard()
        else:
            return self._fill()
        return None

    def _look(self) -> None:
        """Tell TLS from plain HTTP by the first byte, which stays unread."""
        first = self.sock.recv(1, socket.MSG_PEEK)
        if not first:
            raise ConnectionAbortedError("closed before the first byte")
        self.enter(Stage.HELLO if first[0] == TLS_HANDSHAKE else Stage.PLAIN)

    def _redirect(self) -> None:
        """Answer a plain HTTP request with where to go."""
        answer = None
        while answer is None:
            self._receive(MAX_PLAIN_HEAD)
            answer = answer_plain(bytes(self._inbox.data), self.sock.getsockname(), new_request_id())
        self._inbox.clear()
        self._outbox.sendall(answer)
        self._last = True
        self.enter(Stage.SENDING)

    def _fill(self) -> Need:
        """Receive a request; what comes behind it stays for later."""
        received = 0
        while not self._whole():
            if received >= _TURN:
                return Need.READ
            received += self._receive(_RECEIVE)
            if self.stage is Stage.IDLE:
                self.enter(Stage.REQUEST)
        return Need.ANSWER

    def _whole(self) -> bool:
        whole = self._inbox.whole()
        if not whole and self._inbox.wants_continue():
            self._outbox.sendall(_CONTINUE)
            self._outbox.flush(self.sock, _TURN)
        return whole

    def _receive(self, size: int) -> int:
        data = self.sock.recv(size)
        if not data:
            raise ConnectionAbortedError("closed by the client")
        self._inbox.data += data
        self._earn(len(data))
        return len(data)

    def _send(self) -> Need | None:
        self._earn(self._outbox.flush(self.sock, _TURN))
        if self._outbox:
            return Need.WRITE
        if self._answer is not None:
            if not self._answer.idle:
                return Need.PIECES
            self.enter(Stage.STREAMING)
        elif self._last:
            self._finish()
        elif self._inbox.data:
            self.enter(Stage.REQUEST)
        else:
            self.enter(Stage.IDLE)
            # The client has not seen the answer yet. What it may have sent before, the poller tells.
            return Need.READ
        return None

    def _overhear(self) -> None:
        """A client that waits or listens to a stream has little to say; so we hear that it closes."""
        self._receive(_RECEIVE)
        if len(self._inbox) > _RECEIVE:
            raise ConnectionAbortedError("a client talks where it is to listen")

    def _earn(self, count: int) -> None:
        """Wait longer for who sent or took `count` bytes."""
        if self.stage in (Stage.REQUEST, Stage.SENDING):
            longest = time.monotonic() + self._waits[self.stage]
            self.deadline = min(self.deadline + count / self._rate, longest)

    def _finish(self) -> None:
        """Say that nothing more will be sent. What the client still sends is to be discarded.

        Closing at once would reset the connection while the client sends, and it would
        lose the answer (RFC 9112, section 9.6).
        """
        with suppress(OSError, ValueError):
            if isinstance(self.sock, ssl.SSLSocket):
                # Sends close_notify. It raises "want read", as the client's has not come yet.
                self.sock.unwrap()
        self.sock.shutdown(socket.SHUT_WR)
        self.enter(Stage.LINGER)

    def _discard(self) -> Need:
        """Throw away what the client sends, until it closes."""
        return Need.READ if self.sock.recv(_TURN) else Need.NOTHING

    def _drop_answer(self) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer.close()
