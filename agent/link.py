"""The way to the master: who we are there, and how to go on when it is away or has forgotten us."""

from __future__ import annotations

import errno
import logging
import math
import random
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import requests

from agent import identity
from agent.instance import Instance
from agent.running import lease_clock
from common import trust
from common.address import Address
from common.client import CONNECT_TIMEOUT, ApiError, MasterClient

log = logging.getLogger(__name__)

MIN_DELAY, MAX_DELAY = 0.5, 30.0
"""Seconds between two tries while the master cannot be reached; doubling, with jitter."""

_EXPELLED = (
    "identity_in_use",
    "protocol_mismatch",
    "credential_expired",
    "credential_revoked",
    "node_revoked",
)
_NO_ROUTE = (errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)

T = TypeVar("T")


class RefusedError(Exception):
    """The master will not have this agent; the message says why and what to do.

    `slug` is that of the problem (`common.problems`).
    """

    def __init__(self, refusal: ApiError) -> None:
        super().__init__(f"the master refuses this agent: {refusal}")
        self.slug = refusal.slug


class Link:
    """Registers, and registers again when the master does not know us any more."""

    def __init__(
        self,
        client: MasterClient,
        who: identity.Identity,
        run: Instance,
        description: Mapping[str, Any],
        join_token: str | None = None,
    ) -> None:
        """`client` has the credentials of `who`; `run`: which of its agents this is; `description`: what else
        is registered; `join_token`: the secret of one.
        """
        self.client = client
        self.who = who
        self.instance = run.id
        self._replaces = run.replaces
        self.terms: Mapping[str, Any] = {}
        """How long the master waits for signs of life, as its newest answer has it."""
        self.on_master_down: Callable[[float], None] = lambda _sent: None
        """Told when a request was sent that showed the master to be down, on the clock of leases."""
        self.on_answer: Callable[[], None] = lambda: None
        """Is told whenever the master answers a call."""
        self.on_expelled: Callable[[str], None] = lambda _why: None
        """Told why, when the master has another agent under this identity, or does not understand us."""
        self._description = description
        self._lock = threading.Lock()
        self._registrations = 0
        self._join_token = join_token

    @property
    def node_id(self) -> str:
        """Our id at this master."""
        return self.who.node_id

    @property
    def registered(self) -> bool:
        """Whether the master has taken this agent."""
        return self._registrations > 0

    @property
    def term(self) -> float:
        """Seconds of silence after which the master may give our jobs away."""
        terms = (self.terms.get(name) for name in ("heartbeat_timeout", "lease"))
        return min((float(term) for term in terms if term), default=math.inf)

    def register(self) -> None:
        """Make ourselves known. `RefusedError`, `ApiError` or `requests.RequestException` if that fails."""
        self.client.introduce(self.instance)
        try:
            self.terms = self._present_ourselves()
        except ApiError as error:
            if error.temporary:
                raise
            raise RefusedError(error) from error
        self._registrations += 1
        log.info("Registered with %s as node %s", self.client.address.url, self.node_id)
        if self.terms["status"] == "unapproved":
            log.warning(
                "This node waits for an operator's approval. On the master's machine: "
                "ffrtmp nodes approve %s",
                self.node_id,
            )

    def _present_ourselves(self) -> dict[str, Any]:
        """Register by the newest credential, or by the one before if the master knows only that one."""
        who = self.who
        if who.joined and self._join_token is not None:
            log.debug("The node has joined already; the join token is not needed, and not sent")
        try:
            answer = self._present(who.credential)
        except ApiError as error:
            if error.slug != "forbidden" or who.previous is None:
                raise
            answer = self._present(who.previous)
            self.client.show(who.previous, spare=who.credential)
        else:
            self.client.show(who.credential, spare=who.previous)
        return answer

    def _present(self, credential: str) -> dict[str, Any]:
        ours = {"id": self.node_id, "credential": credential, "instance": self.instance}
        fields, token = {**self._description, **ours}, self._join_token
        try:
            return self.client.register(fields, self._replaces, None if self.who.joined else token)
        except ApiError as error:
            if error.slug != "credential_expired" or token is None or not self.who.joined:
                raise
            return self.client.register(fields, self._replaces, token)

    def leave(self) -> None:
        """Say goodbye. `ApiError` or `requests.RequestException` if the master does not hear it."""
        self.client.leave(self.node_id, self.instance)

    def call(self, action: Callable[[], T]) -> T:
        """`action`, once more after registering again if the master does not know us.

        Everything else that goes wrong is raised; see also `on_master_down` and `on_expelled`.
        """
        sent = lease_clock()
        try:
            answer = self._call_known(action)
            self.on_answer()
            return answer  # noqa: TRY300 - an else would stand behind three handlers
        except requests.ConnectionError as error:
            if nobody_listens(self.client.address, error):
                self.on_master_down(sent)
            raise
        except (ApiError, RefusedError) as error:
            if error.slug in _EXPELLED:
                self.on_expelled(str(error))
            raise

    def _call_known(self, action: Callable[[], T]) -> T:
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
        return retry(lambda: self.call(action), what, stop)


def retry(
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
            if isinstance(error, ApiError) and not error.temporary:
                raise
            log.warning("Cannot %s: %s; trying again", what, _short(error))
        # Jitter: agents that lost the master together do not come back together.
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


def nobody_listens(address: Address, error: BaseException) -> bool:
    """Whether a request failed with `error` because no process has the master's port.

    The master's name may have several addresses, and the error tells of the last one only:
    each must refuse, but those that this machine has no route to.
    """
    if not any(isinstance(cause, ConnectionRefusedError) for cause in trust.causes(error)):
        return False
    refused = 0
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
        for family, kind, _, _, peer in found:
            with socket.socket(family, kind) as probe:
                probe.settimeout(CONNECT_TIMEOUT)
                outcome = probe.connect_ex(peer)
            if outcome == errno.ECONNREFUSED:
                refused += 1
            elif outcome not in _NO_ROUTE:
                return False
    except OSError:
        return False
    return refused > 0
