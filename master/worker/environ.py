"""What the application is told of a request (PEP 3333)."""

from __future__ import annotations

from typing import Any, Protocol

import gunicorn.http.wsgi

from master.worker.call import Call
from master.worker.connection import Connection
from master.worker.occupancy import OCCUPANCY, Occupancy
from master.worker.parked import PARKS
from master.worker.request import REQUEST_ID

# gunicorn has no setting for its Server header; this is where each response reads it.
gunicorn.http.wsgi.SERVER = "ffmpeg-rtmp"


class _Server(Protocol):
    cfg: Any

    def occupancy(self) -> Occupancy:
        """What it is at."""


def call_of(conn: Connection, request_id: str, server: _Server) -> Call:
    """The call of the request that has come; its body is left for later."""
    response, environ = gunicorn.http.wsgi.create(
        conn.request, conn.sock, conn.client, conn.server, server.cfg
    )
    environ["wsgi.multithread"] = True
    environ[REQUEST_ID] = request_id
    environ[OCCUPANCY] = server.occupancy
    environ[PARKS] = True
    return Call(request_id, response, environ)
