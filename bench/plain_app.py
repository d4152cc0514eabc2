"""What bench/hostile_clients.py asks for, as the smallest application that answers it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

LARGE = b"x" * 600_000
"""As large as the list of a thousand jobs."""


def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Reads the body, and answers at once."""
    environ["wsgi.input"].read()
    body = LARGE if environ["PATH_INFO"] == "/jobs" else b'{"status": "healthy"}'
    start_response("200 OK", [("Content-Type", "application/json"), ("Content-Length", str(len(body)))])
    return [body]
