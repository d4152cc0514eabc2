"""One request and what is known of it while it is answered, with Flask's request or without one."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from common.model import Role
from common.request_ids import REQUEST_ID_HEADER, new_request_id, well_formed
from master.api.routes import Matched
from master.service import Caller, Farm
from master.worker.request import REQUEST_ID

_ANYONE = Caller(Role.ANYONE)


def key_of(header: str) -> str:
    """Where WSGI has a header of a request."""
    return "HTTP_" + header.upper().replace("-", "_")


_SAID = key_of(REQUEST_ID_HEADER)


class Exchange:
    """See the module. `current()` is the one that is being answered."""

    __slots__ = ("_body", "begun", "caller", "environ", "extensions", "job_id", "matched", "request_id")

    def __init__(
        self, environ: dict[str, Any], extensions: Mapping[str, Any], matched: Matched | None
    ) -> None:
        """A request has come. `extensions`: what the application serves, by name. `matched`: its route; None:
        it has none.
        """
        self.environ = environ
        self.extensions = extensions
        self.matched = matched
        self.request_id: str = environ.get(REQUEST_ID) or well_formed(environ.get(_SAID)) or new_request_id()
        self.begun = time.perf_counter()
        self.caller: Caller = _ANYONE
        """Anyone, until it is found out."""
        self.job_id: str | None = None
        """The job that it turned out to be about."""
        self._body: bytes | None = None

    def took(self) -> float:
        """Seconds that it is being answered."""
        return time.perf_counter() - self.begun

    @property
    def farm(self) -> Farm:
        """What it is about."""
        found: Farm = self.extensions["farm"]
        return found

    @property
    def endpoint(self) -> str | None:
        """Of its route."""
        return None if self.matched is None else self.matched.route.endpoint

    @property
    def template(self) -> str | None:
        """Its address without what a caller wrote into it, such as `/jobs/<job_id>`."""
        return None if self.matched is None else self.matched.rule.rule

    def header(self, name: str) -> str | None:
        """What the request says in a header; None: nothing."""
        found: str | None = self.environ.get(key_of(name))
        return found

    def body(self, most: int) -> bytes | None:
        """Its body, whole, as often as it is asked for; None if it has more than `most` bytes."""
        if self._body is None:
            data = _read(self.environ, most)
            if len(data) > most:
                return None
            self._body = data
        return self._body


CURRENT: ContextVar[Exchange] = ContextVar("exchange")


def current() -> Exchange:
    """The one that this code runs for."""
    return CURRENT.get()


def _read(environ: dict[str, Any], most: int) -> bytes:
    """The body; of one that is too long, a byte more than `most`."""
    length = most + 1
    # Where the server does not say where it ends, only its length does (PEP 3333).
    if not environ.get("wsgi.input_terminated"):
        text = environ.get("CONTENT_LENGTH") or "0"
        length = min(length, int(text) if text.isascii() and text.isdigit() else 0)
    found: bytes = environ["wsgi.input"].read(length)
    return found
