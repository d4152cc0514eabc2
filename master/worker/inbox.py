"""What has come of one client's requests, and where the next one ends."""

from __future__ import annotations

import io
from typing import Any

from master.worker.framing import end_of_head
from master.worker.request import Incoming


class Inbox:
    """Bytes that were received and are not answered yet. What comes behind a request stays for later."""

    __slots__ = ("_cfg", "_client", "data", "incoming")

    def __init__(self, cfg: Any, client: Any) -> None:
        """`cfg` and `client` are gunicorn's."""
        self._cfg = cfg
        self._client = client
        self.data = bytearray()
        self.incoming: Incoming | None = None
        """The request whose head is here; its body may still be coming."""

    def __len__(self) -> int:
        return len(self.data)

    @property
    def begun(self) -> bool:
        """Whether a part of a request has come."""
        return bool(self.data) or self.incoming is not None

    def whole(self) -> bool:
        """Whether a whole request is here. Raises the Problem that refuses it."""
        incoming = self.incoming
        if incoming is None:
            data = self.data
            # Empty lines before a request are to be ignored (RFC 9112, section 2.2).
            while data.startswith(b"\r\n"):
                del data[:2]
            end = end_of_head(data) if data else None
            if end is None:
                return False
            head = bytes(data[:end])
            del data[:end]
            incoming = self.incoming = Incoming(self._cfg, self._client, head)
        return incoming.end_of_body(self.data) is not None

    def wants_continue(self) -> bool:
        """Whether its sender waits to be told that it may send the body; it is told once."""
        incoming = self.incoming
        wants = incoming is not None and incoming.wants_continue
        if wants and incoming is not None:
            incoming.wants_continue = False
        return wants

    def take_body(self) -> io.BytesIO:
        """The body of the whole request, which is over with this. Raises a Problem."""
        incoming, self.incoming = self.incoming, None
        end = None if incoming is None else incoming.end_of_body(self.data)
        if incoming is None or not end:
            return io.BytesIO()
        data = bytes(memoryview(self.data)[:end])
        del self.data[:end]
        return io.BytesIO(incoming.body(data))

    def clear(self) -> None:
        """Forget all of it."""
        self.incoming = None
        self.data.clear()
