"""A receiver of webhooks on loopback, and its own opinion of signatures."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Request:
    """What came."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    @property
    def seq(self) -> int:
        return int(self.document["data"]["seq"])

    @property
    def type(self) -> str:
        return str(self.document["type"])


Answer = int | tuple[int, Mapping[str, str]]
"""A status, and headers with it."""


class Receiver:
    """Answers what it is told to: the next of `answers`, and 204 when there are none left."""

    def __init__(self, scheme: str, port: int) -> None:
        self.scheme, self.port = scheme, port
        self.url = f"{scheme}://127.0.0.1:{port}/hook"
        self.got: list[Request] = []
        self.answers: list[Answer] = []
        self.always: Answer = 204
        self.connections = 0
        self.hangs_up = False
        """After each answer, without a word."""
        self.hold: Callable[[], object] = lambda: None
        """Called before each answer."""

    def answer(self) -> tuple[int, Mapping[str, str]]:
        found = self.answers.pop(0) if self.answers else self.always
        return (found, {}) if isinstance(found, int) else found

    @property
    def seqs(self) -> list[int]:
        return [request.seq for request in self.got]

    @property
    def types(self) -> list[str]:
        return [request.type for request in self.got]


@contextmanager
def receiving(context: ssl.SSLContext | None = None, port: int = 0) -> Iterator[Receiver]:
    """A receiver, with TLS if there is a context."""

    class Handler(BaseHTTPRequestHandler):
        timeout = 20
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # a killed sender: nothing was told
                self.close_connection = True
                return
            receiver.got.append(Request(self.path, dict(self.headers), body))
            receiver.hold()
            status, headers = receiver.answer()
            self.send_response(status)
            for name, value in {**({} if status == 204 else {"Content-Length": "0"}), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = self.close_connection or receiver.hangs_up

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def get_request(self) -> Any:
            plain, address = super().get_request()
            receiver.connections += 1
            if context is not None:
                plain = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
            return plain, address

        def handle_error(self, *_: Any) -> None:
            pass  # clients go away

    with Server(("127.0.0.1", port), Handler) as server:
        receiver = Receiver("http" if context is None else "https", server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


def is_signed(request: Request, secret: str) -> bool:
    """Whether one of the signatures is right; written from the specification, and from nothing of ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = b".".join([request.id.encode(), request.headers["webhook-timestamp"].encode(), request.body])
    right = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return right in request.headers["webhook-signature"].split(" ")
