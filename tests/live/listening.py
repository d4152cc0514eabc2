"""A reader of a stream, in a thread of its own, and what it has heard so far."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from common.address import Address
from common.client import MasterClient, Trust
from common.live_client import Message
from common.sse import Event, Parser
from tests.api.corner import got
from tests.masters import Client, Master, wait_until


def as_client(master: Master, token: str | None = None) -> MasterClient:
    trust = Trust(master.ca, check_hostname=True)
    return MasterClient(Address("localhost", master.port), trust, token)


class Listener:
    """Hears a stream until it ends."""

    def __init__(self, messages: Iterator[Message]) -> None:
        self.heard: list[Message] = []
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._listen, args=(messages,), daemon=True)
        self._thread.start()

    def _listen(self, messages: Iterator[Message]) -> None:
        try:
            for message in messages:
                self.heard.append(message)
        except BaseException as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def hears(self, wanted: Callable[[Message], Any], what: str, seconds: float = 15.0) -> Message:
        """Wait for a message."""
        found: Message = wait_until(lambda: next(filter(wanted, self.heard), None), what, seconds)
        return found

    def hears_of(self, seconds: float = 30.0, **fields: Any) -> Message:
        """Wait for a message with these fields."""
        return self.hears(
            lambda message: fields.items() <= message.data.items(), f"{fields} is heard", seconds
        )

    def ends(self, seconds: float = 15.0) -> list[Message]:
        """All of it, once it has ended."""
        wait_until(lambda: not self._thread.is_alive(), "the stream ends", seconds)
        return self.heard

    @property
    def names(self) -> list[str]:
        return [message.name for message in self.heard]


def past(client: Client, **query: str) -> list[Event]:
    """What `GET /events` tells of what has happened by now."""
    return read(client, "/events", {"follow": "0", "after": "0", **query})


def read(
    client: Client, path: str, query: dict[str, str], headers: dict[str, str] | None = None
) -> list[Event]:
    """All events of a stream that ends."""
    answer = client.get(path, params=query, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    return list(Parser().feed(answer.content))


def token(client: Client, role: str, name: str) -> dict[str, Any]:
    made: dict[str, Any] = got(client.post("/tokens", json={"role": role, "name": name}), 201)
    return made
