"""One request, while it is answered."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context, copy_context
from typing import Any, Protocol

from master.worker.loop import Moment
from master.worker.parked import Parked


class Ticket(Protocol):
    """What an answer that was made without waiting for the disk depends on."""

    @property
    def settled(self) -> bool:
        """Whether it may be sent now. Raises the Problem that is to be sent in its place."""


class Call:
    """A request, what the application is told of it, and how far the answer is."""

    __slots__ = ("context", "environ", "over", "parked", "pieces", "request_id", "response", "ticket")

    def __init__(self, request_id: str, response: Any, environ: dict[str, Any]) -> None:
        self.request_id = request_id
        self.response = response
        self.environ = environ
        self.context: Context = copy_context()
        """What the application keeps for this request stays here, whichever thread goes on with it."""
        self.pieces: Iterable[bytes] = ()
        self.parked: Parked | None = None
        self.over: Moment | None = None
        """When a parked answer goes on in any case."""
        self.ticket: Ticket | None = None

    def ask(self, application: Callable[..., Iterable[bytes]]) -> Iterable[bytes]:
        """What the application answers; a `Parked` if it does so later."""
        return self.context.run(application, self.environ, self.response.start_response)

    def go_on(self) -> Iterable[bytes]:
        """What a parked answer has become."""
        if self.parked is None:
            raise RuntimeError("nothing is parked")
        return self.context.run(self.parked.go_on)

    def close(self) -> None:
        """Nobody waits for the answer any more."""
        parked, self.parked = self.parked, None
        if self.over is not None:
            self.over.cancel()
        if parked is not None:
            self.context.run(parked.close)
