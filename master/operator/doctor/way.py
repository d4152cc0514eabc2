"""The way to the master, step by step: name, connection, TLS, trust, token. Nothing is changed by looking."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests
from cryptography import x509

from common.address import Address
from common.checkup import Finding, State
from common.client import ApiError, MasterClient, Trust, establish_trust
from common.clock import Clock
from common.tokens import TokenText
from common.trust import TrustError, ca_of, explain, fetch_chain, fingerprint
from master.operator.doctor.findings import clocks, expiry, skipped, versions

_PATIENCE = 10.0
"""Seconds for each step."""
STEPS = ("name", "connection", "certificate", "trust", "clock", "token", "version")
"""What is looked at, in this order: what follows a step that fails cannot be known."""


@dataclass(frozen=True, slots=True)
class Way:
    """What is looked at."""

    address: Address
    ca_cert: Path | None
    directory: Path
    """Where the pin of this master is, if there is one."""
    token: TokenText | None
    clock: Clock


class _StopError(Exception):
    """A step failed."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.said)
        self.finding = finding


def look(way: Way) -> Iterator[Finding]:
    """What was found at each of `STEPS`."""
    done: set[str] = set()
    try:
        with ExitStack() as opened:
            for finding in _steps(way, opened):
                done.add(finding.name)
                yield finding
    except _StopError as stop:
        yield stop.finding
        done.add(stop.finding.name)
        yield from skipped([name for name in STEPS if name not in done], f"after {stop.finding.name}")


def _steps(way: Way, opened: ExitStack) -> Iterator[Finding]:
    yield _name(way.address)
    yield _connection(way.address)
    chain = _chain(way.address)
    yield expiry(chain[0].not_valid_after_utc, way.clock().wall)
    trusted, finding = _trust(way, chain, opened)
    yield finding
    client = MasterClient(way.address, trusted, way.token.secret if way.token else None)
    theirs = _asked(client.time, "clock")
    yield clocks(None if theirs is None else (way.clock().wall - theirs).total_seconds())
    yield _token(client, way.token is not None)
    yield _version(client)


def _name(address: Address) -> Finding:
    try:
        found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        todo = "is it written right? Look at /etc/hosts and the DNS, or name its address"
        raise _stop("name", f"{address.host} has no address: {_reason(error)}", todo) from error
    addresses = dict.fromkeys(str(each[4][0]) for each in found)
    return Finding("name", State.GOOD, f"{address.host} is {', '.join(addresses)}")


def _connection(address: Address) -> Finding:
    try:
        socket.create_connection((address.host, address.port), _PATIENCE).close()
    except OSError as error:
        refused = isinstance(error, ConnectionRefusedError)
        todo = "is the master running, and the port right?" if refused else "is there a firewall between?"
        raise _stop("connection", f"port {address.port} does not answer: {_reason(error)}", todo) from error
    return Finding("connection", State.GOOD, f"port {address.port} answers")


def _chain(address: Address) -> list[x509.Certificate]:
    try:
        chain = fetch_chain(address.host, address.port, _PATIENCE)
    except (TrustError, OSError) as error:
        todo = "name the port of the master; it speaks HTTPS, also where http:// was written"
        raise _stop("certificate", str(error), todo) from error
    if not chain:
        raise _stop("certificate", "the server sends no certificate", "is it an ffmpeg-rtmp master?")
    return chain


def _trust(way: Way, chain: list[x509.Certificate], opened: ExitStack) -> tuple[Trust, Finding]:
    """Whom to trust from here on. Nothing is pinned: the pin of this look is forgotten with it."""
    expected = way.token.fingerprint if way.token else None
    pinned = (way.directory / "ca.pem").exists()
    directory = way.directory
    if way.ca_cert is None and not pinned:
        directory = Path(opened.enter_context(tempfile.TemporaryDirectory()))
    try:
        trusted = establish_trust(way.address, way.ca_cert, directory, expected)
        if not trusted.first_use:
            MasterClient(way.address, trusted).health()
            by = "by the token" if expected else f"by {trusted.ca_file}" if pinned or way.ca_cert else "here"
            return trusted, Finding("trust", State.GOOD, f"the master is who it should be, {by}")
        said = f"nobody vouches for it yet: its CA is {fingerprint(ca_of(chain))}"
        todo = (
            "compare that with what the master printed at its start; your next command trusts it from then on"
        )
        finding = Finding("trust", State.WARNING, said, todo)
    except requests.exceptions.SSLError as error:
        raise _stop("trust", explain(error), "nothing was sent; see docs/security.md") from error
    except (TrustError, ApiError, OSError) as error:
        raise _stop("trust", str(error), "nothing was sent; see docs/security.md") from error
    if way.token is not None:  # it is not shown to somebody whom nobody vouches for
        raise _StopError(finding)
    return trusted, finding


def _token(client: MasterClient, shown: bool) -> Finding:
    """The most that the token may do, found by asking for what each role may see."""
    allowed: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("operator: it may do everything", client.tokens),
        ("viewer: it sees everything and changes nothing", client.status),
        ("submitter: it queues jobs, and sees its own", lambda: next(client.jobs(most=1), None)),
    )
    what = "the token" if shown else "without a token, you"
    for role, ask in allowed:
        try:
            ask()
        except ApiError as error:
            if error.status == 401:
                todo = "name a token with --token-file, or ask an operator: ffrtmp tokens create"
                return Finding("token", State.BAD, str(error), todo)
            if error.status != 403:
                raise _stop("token", str(error), "try again later") from error
        except (OSError, requests.RequestException) as error:
            raise _stop("token", f"no answer: {_reason(error)}", "try again later") from error
        else:
            return Finding("token", State.GOOD, f"{what} may act as {role}")
    todo = "it is no person's; ask an operator: ffrtmp tokens create --role submitter"
    return Finding("token", State.BAD, f"{what} may do nothing here", todo)


def _version(client: MasterClient) -> Finding:
    try:
        found = _asked(client.status, "version")
    except _StopError:
        return Finding("version", State.SKIPPED, "the master tells it to operators and viewers")
    return versions(found["version"], found["protocol"])


def _asked(ask: Callable[[], Any], name: str) -> Any:
    try:
        return ask()
    except (ApiError, OSError, requests.RequestException) as error:
        raise _stop(name, f"no answer: {_reason(error)}", "try again later") from error


def _stop(name: str, said: str, todo: str) -> _StopError:
    return _StopError(Finding(name, State.BAD, said, todo))


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)
