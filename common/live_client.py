"""How what happens on a master is followed: streams that outlive broken connections."""

from __future__ import annotations

import json
import logging
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import HTTPError

from common.sse import Event, Parser
from common.transport import ApiError, Transport, id_in_path

log = logging.getLogger(__name__)

SILENCE = 60.0
"""Seconds without a word after which a connection is taken for dead: a master says something every 15 s."""
FIRST_PAUSE = 0.5
"""Seconds before the first try to connect again; each further pause is twice as long."""
LONGEST_PAUSE = 30.0
_SUGGESTED = 10.0
"""A pause that a master asks for is not longer than this, in seconds."""


@dataclass(frozen=True, slots=True)
class Message:
    """One event of a stream; docs/events.md says which there are."""

    name: str
    data: dict[str, Any]
    id: int | None
    """The place to go on from behind it; None: none was said."""


class LiveClient(Transport):
    """The streams of a master.

    They are iterators without an end of their own. A connection that breaks is made again, and the
    stream goes on where it was, so nothing is missed and nothing comes twice. What cannot be told
    any more is said by an event `gap`. Errors of the first connection are raised, and refusals later.
    """

    def events(
        self,
        after: int | None = None,
        names: Iterable[str] = (),
        job_id: str | None = None,
        node_id: str | None = None,
        pause: Callable[[float], object] = time.sleep,
    ) -> Iterator[Message]:
        """All that happens: events of these `names`, of one job, of one node; None or nothing: all.

        `after`: the number of the last event that is known, 0: from the beginning, None: from now on.
        `pause` waits between two tries; it may raise to end the stream.
        """
        wanted = {"event": ",".join(names), "job_id": job_id, "node_id": node_id}
        arguments = {name: value for name, value in wanted.items() if value}
        yield from self._follow("/events", arguments, after, pause)

    def follow_log(
        self, job_id: str, after: int | None = None, pause: Callable[[float], object] = time.sleep
    ) -> Iterator[Message]:
        """A job's log from place `after` on, as it is written: `line` by line; the last event is `end`."""
        for message in self._follow(f"/jobs/{id_in_path(job_id)}/logs", {"follow": "1"}, after, pause):
            yield message
            if message.name == "end":
                return

    def _follow(
        self, path: str, arguments: Mapping[str, str], after: int | None, pause: Callable[[float], object]
    ) -> Iterator[Message]:
        place = "" if after is None else str(after)
        failures, connected = 0, False
        while True:
            parser = Parser(place)
            wait: float | None = None
            try:
                for event in self._connection(path, arguments, parser):
                    connected, failures = True, 0
                    if event is not None:
                        yield _message(event)
            except (ApiError, requests.RequestException, HTTPError) as error:
                if not connected or (isinstance(error, ApiError) and not error.temporary):
                    raise
                log.debug("the stream %s broke off: %s", path, error)
                if isinstance(error, ApiError):
                    wait = _SUGGESTED
            place = parser.last_id
            pause(wait or _pause(failures))
            failures += 1

    def _connection(self, path: str, arguments: Mapping[str, str], parser: Parser) -> Iterator[Event | None]:
        """The events of one connection; None for whatever else says that it lives."""
        headers = {"Accept": "text/event-stream", "Accept-Encoding": "identity"}
        if parser.last_id:
            headers["Last-Event-ID"] = parser.last_id
        answer = self._answer("GET", path, headers=headers, params=arguments, stream=True, timeout=SILENCE)
        with closing(answer):
            for piece in answer.iter_content(None):
                yield None
                yield from parser.feed(piece)


def _message(event: Event) -> Message:
    return Message(event.name, json.loads(event.data), int(event.id) if event.id else None)


def _pause(failures: int) -> float:
    """Seconds: twice as long with each failure, and not the same for all who lost the same master."""
    return min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures, 10)) * random.uniform(0.5, 1.0)  # noqa: S311 - nothing secret
