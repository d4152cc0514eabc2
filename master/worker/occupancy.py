"""What the server is at, for whom the application tells it to."""

from __future__ import annotations

from dataclasses import dataclass

OCCUPANCY = "master.occupancy"
"""In the WSGI environment: a function that answers the worker's `Occupancy`; any thread may call it."""


@dataclass(frozen=True, slots=True)
class Occupancy:
    """At one moment."""

    connections: int
    """That are open."""
    busy: int
    """Requests and handshakes that have a thread, or wait for one."""
    threads: int
    """That serve them."""
    held: int
    """Bytes of requests and answers that wait for their clients."""
