"""What the application is told of a request (PEP 3333)."""

from __future__ import annotations

from typing import Any, Protocol

from gunicorn.http.wsgi import base_environ

from master.worker.call import Call
from master.worker.connection import Connection
from master.worker.occupancy import OCCUPANCY, Occupancy
from master.worker.parked import PARKS
from master.worker.reply import SERVER
from master.worker.request import REQUEST_ID


class _Server(Protocol):
    cfg: Any

    def occupancy(self) -> Occupancy:
        """What it is at."""


def base_of(server: _Server) -> dict[str, Any]:
    """What is the same for all requests."""
    return {
        **base_environ(server.cfg),
        "wsgi.multithread": True,
        "wsgi.url_scheme": "https",
        "SERVER_SOFTWARE": SERVER,
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SCRIPT_NAME": "",
        OCCUPANCY: server.occupancy,
        PARKS: True,
    }


def call_of(base: dict[str, Any], conn: Connection, request_id: str) -> Call:
    """The call of the request that has come; its body is left for later."""
    incoming = conn.incoming
    environ = {
        **base,
        **incoming.environ,
        "gunicorn.socket": conn.sock,
        "REMOTE_ADDR": conn.client[0],
        "REMOTE_PORT": str(conn.client[1]),
        "SERVER_NAME": conn.server[0],
        "SERVER_PORT": str(conn.server[1]),
        "wsgi.url_scheme": "https",
        "wsgi.multithread": True,
        REQUEST_ID: request_id,
    }
    return Call(request_id, incoming.reply(), environ)
