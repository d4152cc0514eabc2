"""How requests reach a master: sessions, credentials, trust, and what is sent again.

It speaks TLS only, follows no redirects, and listens to nothing in the environment (no
proxies, no CA bundles, no .netrc): where it connects, and whom it trusts, is decided here.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

import requests
from urllib3.exceptions import NewConnectionError

from common import trust
from common.address import Address
from common.history import History, parse_history
from common.request_ids import REQUEST_ID_HEADER, new_request_id, well_formed
from common.version import PROTOCOL, VERSION

CONNECT_TIMEOUT = 20.0
"""Seconds for each step of reaching the master: to connect, and for each flight of the TLS
handshake. A way that takes 5 s in each direction, with jitter, is slow and no reason to give up."""
READ_TIMEOUT = 30.0
"""Seconds to wait for an answer, beyond the time that a poll asks to be parked."""


RESEND_AFTER = (0.5, 2.0)
"""Seconds of pause before a request is sent again that got no answer."""
PROTOCOL_HEADER = "Ffrtmp-Protocol"
"""On every request: the protocol that its sender speaks (`common.version`)."""
INSTANCE_HEADER = "Ffrtmp-Instance"
"""On an agent's requests: which process speaks, since no two may work under one identity."""
REPLACES_HEADER = "Ffrtmp-Replaces"
"""When an agent registers: the instance that it knows to have ended on this very machine."""
HISTORY_HEADER = "Ffrtmp-History"
"""On answers: how many events the master's disk holds, and which start of it says so. On an agent's
requests: what it was told last. So a master that was restored from an older copy learns of it."""


class ApiError(Exception):
    """The master refused: a problem with its slug, its HTTP status, and what to do."""

    def __init__(self, status: int, problem: Mapping[str, Any], request_id: str | None = None) -> None:
        super().__init__(str(problem.get("detail") or problem.get("title") or f"HTTP status {status}"))
        self.status = status
        self.problem = problem
        self.slug = str(problem.get("type", "")).rpartition(":")[2]
        self.request_id = request_id
        """By which the master's log has it; None: the answer did not say."""

    @property
    def temporary(self) -> bool:
        """Whether the same request may be taken later: nothing is wrong with it."""
        return self.status >= 500 or self.status in (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS)


@dataclass(frozen=True, slots=True)
class Trust:
    """Which CA a master must prove itself with."""

    ca_file: Path
    check_hostname: bool
    fingerprint: str | None = None
    """Of a pin; None for a CA that was named."""
    first_use: bool = False
    """Whether the pin was made just now."""


def establish_trust(
    address: Address, ca_cert: Path | None, directory: Path, expected: str | None = None
) -> Trust:
    """Trust the CA that was named, else the one pinned in `directory`, else the one that is met now.

    `expected` is the fingerprint that a token names: no other CA is trusted then. `TrustError` if it
    cannot be trusted, OSError if the master cannot be reached.
    """
    patience = 2 * CONNECT_TIMEOUT
    if ca_cert is not None:
        if expected is not None:
            trust.expect(address.host, address.port, ca_cert, expected, patience)
        return Trust(ca_cert, check_hostname=True)
    pin = trust.pin(address.host, address.port, directory / "ca.pem", patience, expected)
    return Trust(pin.ca_file, check_hostname=False, fingerprint=pin.fingerprint, first_use=pin.first_use)


def id_in_path(text: str) -> str:
    """An id as a part of a path, whatever was typed for it."""
    if not text:
        raise ApiError(404, {"detail": "The id is empty; is a variable unset?"})
    return quote(text, safe="")


def _may_have_arrived(error: requests.RequestException) -> bool:
    """Whether the master may have carried a request out that got no answer."""
    reason = getattr(error.args[0] if error.args else None, "reason", None)
    never = isinstance(error, requests.exceptions.SSLError | requests.exceptions.ConnectTimeout)
    return not never and not isinstance(reason, NewConnectionError)


class Transport:
    """The way to a master. It may be used by several threads.

    Every request raises `ApiError` if the master refuses, and `requests.RequestException`
    if it cannot be reached.
    """

    def __init__(
        self, address: Address, trusted: Trust, credential: str | None = None, spare: str | None = None
    ) -> None:
        """`credential`: the node's own, or a token; None for the local door. `spare`: see `show`."""
        self.address = address
        self._credential = credential
        self._spare = spare
        self._swapping = threading.Lock()
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["User-Agent"] = f"ffrtmp/{VERSION}"
        self._session.headers[PROTOCOL_HEADER] = str(PROTOCOL)
        self._instance: str | None = None
        self._heard: History | None = None
        self._session.mount("https://", trust.PinnedAdapter(trusted.ca_file, trusted.check_hostname))

    def introduce(self, instance: str) -> None:
        """Say with every request which agent's process speaks, and what it was told before."""
        self._instance = instance

    @property
    def credential(self) -> str | None:
        """What is shown now."""
        return self._credential

    def show(self, credential: str, spare: str | None) -> None:
        """Show `credential` from now on; and `spare` in its place if the master does not take it.

        A node whose credential was replaced, and that does not know whether the master heard of it, has two.
        """
        with self._swapping:
            self._credential, self._spare = credential, spare

    def _can_show_another_than(self, refused: str | None) -> bool:
        """Whether there is another credential than the one that was refused; it is shown from now on."""
        with self._swapping:
            if self._credential == refused and self._spare is not None:
                self._credential, self._spare = self._spare, self._credential
            return self._credential != refused

    def _once(self, path: str, key: str | None = None, **content: Any) -> dict[str, Any]:
        """A request that makes something, sent again if no answer came: its key tells the master.

        It does not say our protocol: an older master drops what it does not know of a newer caller,
        and a job without its input is not the job. So it refuses it.
        """
        headers = {
            "Idempotency-Key": key or str(uuid.uuid4()),
            PROTOCOL_HEADER: None,
            REQUEST_ID_HEADER: new_request_id(),
        }
        for pause in RESEND_AFTER:
            try:
                return self._call("POST", path, headers=headers, **content)
            except (requests.ConnectionError, requests.Timeout) as error:
                if not _may_have_arrived(error):
                    raise
                time.sleep(pause)
        return self._call("POST", path, headers=headers, **content)

    def _hear(self, told: History | None) -> None:
        """Keep the newest: of one start the longest, and of another start whatever it says."""
        heard = self._heard
        if told is not None and (heard is None or told.start != heard.start or told > heard):
            self._heard = told

    def _pages(self, path: str, key: str, arguments: dict[str, str]) -> Iterator[dict[str, Any]]:
        for page in self._whole_pages(path, arguments):
            yield from page[key]

    def _whole_pages(self, path: str, arguments: dict[str, str]) -> Iterator[dict[str, Any]]:
        while True:
            page = self._call("GET", path, params=arguments)
            yield page
            if page["next"] is None:
                return
            arguments = {**arguments, "after": page["next"]}

    def _call(self, method: str, path: str, **content: Any) -> dict[str, Any]:
        """The JSON that the master answers."""
        response = self._answer(method, path, **content)
        document = _document(response)
        if document is None:
            raise ApiError(response.status_code, {}, _request_id(response))
        return document

    def _answer(
        self,
        method: str,
        path: str,
        *,
        anonymous: bool = False,
        headers: Mapping[str, str | None] | None = None,
        **content: Any,
    ) -> requests.Response:
        """The answer; asked for once more with another credential if there is one and this one is refused.

        However often it is sent, it is one request, with one id.
        """
        shown = None if anonymous else self._credential
        headers = {REQUEST_ID_HEADER: new_request_id(), **(headers or {})}
        try:
            return self._send(method, path, shown, headers, **content)
        except ApiError as error:
            refused = error.slug in ("unauthenticated", "credential_expired") and not anonymous
            if not refused or not self._can_show_another_than(shown):
                raise
        return self._send(method, path, self._credential, headers, **content)

    def _send(
        self,
        method: str,
        path: str,
        credential: str | None,
        more: Mapping[str, str | None],
        *,
        timeout: float = READ_TIMEOUT,
        **content: Any,
    ) -> requests.Response:
        headers = dict(more)  # None: without the session's own
        if credential is not None:
            headers["Authorization"] = f"Bearer {credential}"
        if self._instance is not None:
            headers[INSTANCE_HEADER] = self._instance
            if self._heard is not None:
                headers[HISTORY_HEADER] = self._heard.header()
        response = self._session.request(
            method,
            f"{self.address.url}{path}",
            headers=headers,
            timeout=(CONNECT_TIMEOUT, timeout),
            allow_redirects=False,
            **content,
        )
        self._hear(parse_history(response.headers.get(HISTORY_HEADER)))
        if not 200 <= response.status_code < 300:
            raise ApiError(response.status_code, _document(response) or {}, _request_id(response))
        return response


def _request_id(response: requests.Response) -> str | None:
    """What the master calls the request; None if it is an older one, which does not say."""
    return well_formed(response.headers.get(REQUEST_ID_HEADER))


def _document(response: requests.Response) -> dict[str, Any] | None:
    """The JSON object in an answer, also in none at all; None if there is something else."""
    try:
        document = response.json() if response.content else {}
    except requests.exceptions.JSONDecodeError:
        return None
    return document if isinstance(document, dict) else None
