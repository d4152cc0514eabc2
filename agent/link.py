"""The way to the master: who we are there, and how to go on when it is away or has forgotten us."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import requests

from agent import identity
from common import trust
from common.client import ApiError, MasterClient

log = logging.getLogger(__name__)

MIN_DELAY, MAX_DELAY = 0.5, 30.0
"""Seconds between two tries while the master cannot be reached; doubling, with jitter."""

T = TypeVar("T")


class RefusedError(Exception):
    """The master will not have this agent; the message says why and what to do."""


class Link:
    """Registers, and registers again when the master does not know us any more."""

    def __init__(self, client: MasterClient, who: identity.Identity, description: Mapping[str, Any]) -> None:
        """`description`: what is registered beside the identity."""
        self.client = client
        self.terms: Mapping[str, Any] = {}
        """How long the master waits for signs of life, as its newest answer has it."""
        self._description = description
        self._lock = threading.Lock()
        self._registrations = 0
        self._who = who
        client.credential = who.credential

    @property
    def node_id(self) -> str:
        """Our id at this master."""
        return self._who.node_id

    def register(self) -> None:
        """Make ourselves known. `RefusedError`, `ApiError` or `requests.RequestException` if that fails."""
        who = self._who
        fields = {**self._description, "id": who.node_id, "credential": who.credential}
        try:
            self.terms = self.client.register(fields)
        except ApiError as error:
            if error.status < 500:
                raise RefusedError(f"the master refuses this agent: {error}") from error
            raise
        self._registrations += 1
        log.info("Registered with %s as node %s", self.client.address.url, self.node_id)
        if self.terms["status"] == "unapproved":
            log.warning(
                "This node waits for an operator's approval. On the master's machine: "
                "ffrtmp nodes approve %s",
                self.node_id,
            )

    def leave(self) -> None:
        """Say goodbye. `ApiError` or `requests.RequestException` if the master does not hear it."""
        self.client.leave(self.node_id, self._description["instance"])

    def call(self, action: Callable[[], T]) -> T:
        """`action`, once more after registering again if the master does not know us.

        Everything else that goes wrong is raised.
        """
        seen = self._registrations
        try:
            return action()
        except ApiError as error:
            if error.slug not in ("unknown_node", "unauthenticated"):
                raise
        with self._lock:
            if self._registrations == seen:
                log.warning("The master does not know this node any more; registering again")
                self.register()
        return action()

    def persist(self, action: Callable[[], T], what: str, stop: threading.Event) -> T | None:
        """`call`, again and again while the master is away; see `retry`."""
        return self.retry(lambda: self.call(action), what, stop)

    def retry(
        self,
        action: Callable[[], T],
        what: str,
        stop: threading.Event,
        fatal: tuple[type[Exception], ...] = (),
    ) -> T | None:
        """`action`, at least once, and again while the master is away; None if `stop` is set before it works.

        `ApiError` and `RefusedError` are raised if the master refuses for good, and so is `fatal`.
        """
        delay = MIN_DELAY
        while True:
            try:
                answer = action()
                if delay > MIN_DELAY:
                    log.info("The master answers again")
                return answer  # noqa: TRY300 - an else would stand behind two handlers
            except fatal:
                raise
            except (requests.RequestException, ApiError) as error:
                if isinstance(error, ApiError) and error.status < 500:
                    raise
                log.warning("Cannot %s: %s; trying again", what, _short(error))
            # Full jitter: agents that lost the master together do not come back together.
            if stop.wait(random.uniform(delay / 2, delay)):  # noqa: S311 - jitter is no secret
                return None
            delay = min(MAX_DELAY, delay * 2)


def _short(error: Exception) -> str:
    """One line for the log."""
    if isinstance(error, ApiError):
        return str(error)
    if isinstance(error, requests.exceptions.SSLError):
        return trust.explain(error)
    if isinstance(error, requests.exceptions.Timeout):
        return "the master did not answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "the master cannot be reached"
    return f"{type(error).__name__}: {error}"
