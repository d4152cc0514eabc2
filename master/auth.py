"""Who asks, and which roles may ask for what.

A caller shows a credential (`Authorization: Bearer …`), comes through the local door
(below), or is anyone. The local door keeps the guide's bare `curl -k https://localhost:8080/…`
working: with `--auth auto` a caller is the operator when nothing speaks against its being a
program of the master's own user, of root, or of a member of the group `ffrtmp`, on this machine.
"""

from __future__ import annotations

import grp
import hmac
import os
import pwd
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from common import problems
from common.clock import Clock
from common.ip import parse_ip
from common.model import Role, Token
from common.problems import Problem
from common.tokens import hash_secret, new_secret, secret_part
from common.trust import write_private
from master.errors import StartError
from master.lifecycle import credentials, tokens
from master.origin import is_cross_site, may_use_session
from master.service import Caller
from master.sessions import Sessions
from master.sockets import owner_of
from master.store.interface import Store

GROUP = "ffrtmp"
MIN_TOKEN = 32
"""Characters of the operator's token, at least."""
_OPERATOR, _NODE, _ANYONE = Role.OPERATOR, Role.NODE, Role.ANYONE
_EVERYBODY = frozenset(Role)
_KNOWN = _EVERYBODY - {Role.ANYONE, Role.JOIN}
_READERS = frozenset({Role.OPERATOR, Role.VIEWER})
_USERS = frozenset({Role.OPERATOR, Role.SUBMITTER})
_AT_WORK = frozenset({Role.OPERATOR, Role.NODE})
_SENDERS = _USERS | _AT_WORK
_OPERATORS = frozenset({Role.OPERATOR})

PEOPLE = _READERS | _USERS
"""The roles that may sign in with a browser."""

ROUTES: Mapping[str, frozenset[Role]] = {
    "health.health": _EVERYBODY,
    "nodes.register": frozenset({Role.OPERATOR, Role.NODE, Role.JOIN, Role.ANYONE}),
    "nodes.heartbeat": _AT_WORK,
    "nodes.leave": _AT_WORK,
    "nodes.all_nodes": _READERS,
    "nodes.one": _READERS,
    "nodes.remove": _OPERATORS,
    "nodes.approve": _OPERATORS,
    "nodes.drain": _OPERATORS,
    "nodes.resume": _OPERATORS,
    "nodes.revoke": _OPERATORS,
    "nodes.replace_credential": _AT_WORK,
    "tokens.create": _OPERATORS,
    "tokens.all_tokens": _OPERATORS,
    "tokens.revoke": _OPERATORS,
    "webhooks.create": _OPERATORS,
    "webhooks.all_webhooks": _OPERATORS,
    "webhooks.one": _OPERATORS,
    "webhooks.pause": _OPERATORS,
    "webhooks.resume": _OPERATORS,
    "webhooks.rotate": _OPERATORS,
    "webhooks.replay": _OPERATORS,
    "webhooks.test": _OPERATORS,
    "webhooks.deliveries": _OPERATORS,
    "webhooks.remove": _OPERATORS,
    "scenarios.all_scenarios": _KNOWN,
    "jobs.submit": _USERS,
    "jobs.submit_batch": _USERS,
    "jobs.page": PEOPLE,
    "jobs.one": PEOPLE,
    "jobs.cancel": _USERS,
    "jobs.pause": _USERS,
    "jobs.resume": _USERS,
    "jobs.retry": _USERS,
    "jobs.log": PEOPLE,
    "jobs.result": PEOPLE,
    "jobs.artifact": PEOPLE,
    "docs.openapi": _EVERYBODY,
    "docs.page": _EVERYBODY,
    "docs.asset": _EVERYBODY,
    "dashboard.asset": _EVERYBODY,
    "dashboard.sign_in": _EVERYBODY,
    "dashboard.sign_out": _EVERYBODY,
    "dashboard.home": PEOPLE,
    "dashboard.jobs_page": PEOPLE,
    "dashboard.submit_job": _USERS,
    "dashboard.change_jobs": _USERS,
    "dashboard.change_node": _OPERATORS,
    "dashboard.change_queue": _OPERATORS,
    "dashboard.job": PEOPLE,
    "dashboard.steer_job": _USERS,
    "dashboard.node": _READERS,
    "dashboard.compare": PEOPLE,
    "dashboard.compare_csv": PEOPLE,
    "queue.one": _READERS,
    "queue.status": _READERS,
    "queue.pause": _OPERATORS,
    "queue.resume": _OPERATORS,
    "work.next_job": _AT_WORK,
    "work.progress": _AT_WORK,
    "work.release": _AT_WORK,
    "work.report": _AT_WORK,
    "work.report_batch": _AT_WORK,
    "files.begin": _SENDERS,
    "files.send": _SENDERS,
    "files.upload": _SENDERS,
    "files.abandon": _SENDERS,
    "files.page": PEOPLE,
    "files.content": PEOPLE | _AT_WORK,
    "files.remove": _USERS,
    "results.page": PEOPLE,
    "results.archived": PEOPLE,
    "audit.page": _OPERATORS,
    "events.stream": PEOPLE,
    "metrics.scrape": _READERS,
}
"""Which roles each endpoint serves; a test compares it with the routes that exist."""

_REGISTER, _SIGN_IN = "nodes.register", "dashboard.sign_in"
_PROXY_HEADERS = ("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class Gate:
    """Finds out who calls, from the WSGI environment of a request."""

    def __init__(
        self,
        store: Store,
        operator_token: str,
        clock: Clock,
        *,
        local_door: bool,
        socket_owner: Callable[[Any], int | None] = owner_of,
    ) -> None:
        """`local_door`: `--auth auto`. `socket_owner` tells the user id at a connection's other end."""
        self._store = store
        self._operator_hash = hash_secret(operator_token)
        self._clock = clock
        self._local_door = local_door
        self._socket_owner = socket_owner
        self.sessions = Sessions(store.sessions)
        """Of browsers."""
        self._trusted: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()

    def identify(self, environ: Mapping[str, Any], endpoint: str) -> Caller:
        """The caller. Who shows something that is worth nothing is refused where not everybody is served.

        `unauthenticated` if it is not known; if it is, and has ended, see `tokens.check` and
        `credentials.check`.
        """
        header, address = environ.get("HTTP_AUTHORIZATION"), environ.get("REMOTE_ADDR")
        if header is not None:
            try:
                return self._by_credential(header, address, endpoint)
            except Problem:
                if ROUTES[endpoint] == _EVERYBODY:
                    return Caller(_ANYONE, address=address)
                raise
        signed_in = self._by_session(environ, address)
        if signed_in is not None:
            return signed_in
        local = self._local_door and self._came_by_the_local_door(environ)
        return Caller(_OPERATOR if local else _ANYONE, address=address)

    def admit(self, caller: Caller, endpoint: str) -> None:
        """Let the caller in, or refuse: `unauthenticated` for anyone, `forbidden` for a known one."""
        if caller.role in ROUTES[endpoint]:
            return
        if caller.role is _ANYONE:
            raise problems.UNAUTHENTICATED(
                "This needs a credential: on the master's machine call https://localhost as the "
                "master's user; elsewhere send the operator token (Authorization: Bearer …)."
            )
        if endpoint == _REGISTER:
            raise problems.FORBIDDEN(
                f"A token of the role {caller.role} lets no node in; a join token does. To make one: "
                f"{tokens.how_to_make(Role.JOIN)}"
            )
        raise problems.FORBIDDEN(f"The role {caller.role} may not do this.")

    def sign_in(self, shown: str, address: str | None) -> str:
        """Open a session for a person who shows this; the cookie's value. A `Problem` says why not."""
        digest = hash_secret(secret_part(shown))
        if self._known(digest, address, _SIGN_IN).role not in PEOPLE:
            raise tokens.unknown()
        return self.sessions.begin(digest, self._clock().mono)

    def _by_session(self, environ: Mapping[str, Any], address: str | None) -> Caller | None:
        cookies = environ.get("HTTP_COOKIE")
        if cookies is None or not may_use_session(environ):
            return None
        digest = self.sessions.credential_hash(cookies, self._clock().mono)
        try:
            # Looked up again: a session is worth no more than the secret that opened it.
            return None if digest is None else self._known(digest, address, _SIGN_IN)
        except Problem as problem:
            if problem.type is problems.UNAVAILABLE:
                raise  # whether it still holds is not known
            return None

    def _by_credential(self, header: str, address: str | None, endpoint: str) -> Caller:
        scheme, _, shown = header.partition(" ")
        if scheme.lower() != "bearer":
            raise tokens.unknown()
        return self._known(hash_secret(secret_part(shown.strip())), address, endpoint)

    def _known(self, digest: str, address: str | None, endpoint: str) -> Caller:
        """Secrets are looked up by their hashes: how long it takes tells nothing of those that exist."""
        if hmac.compare_digest(digest, self._operator_hash):
            return Caller(_OPERATOR, address=address)
        token = self._store.token_with_secret(digest)
        if token is not None:
            return self._by_token(token, address, endpoint)
        node = self._store.node_with_credential(digest)
        if node is not None:
            credentials.check(node, digest, self._clock())
            return Caller(_NODE, node.id, digest, address=address)
        if endpoint == _REGISTER:  # it may be the credential that is registered just now
            return Caller(_ANYONE, credential_hash=digest, address=address)
        raise tokens.unknown()

    def _by_token(self, token: Token, address: str | None, endpoint: str) -> Caller:
        # What a join token is worth where it is for, the service finds out: it may be used up by the
        # very node that asks again.
        if token.role is not Role.JOIN or endpoint != _REGISTER:
            tokens.check(token, self._clock())
        return Caller(token.role, token_id=token.id, name=token.name, address=address)

    def _came_by_the_local_door(self, environ: Mapping[str, Any]) -> bool:
        connection = environ.get("gunicorn.socket")
        return (
            connection is not None
            and _is_loopback(connection)
            and _speaks_of_localhost(environ)
            and not any(name in environ for name in _PROXY_HEADERS)
            and not any(name.startswith("HTTP_X_FORWARDED") for name in environ)
            and not is_cross_site(environ)
            and self._is_trusted(connection)
        )

    def _is_trusted(self, connection: Any) -> bool:
        """Looked up once for each connection: its other end does not change hands."""
        if connection not in self._trusted:
            self._trusted[connection] = is_trusted_user(self._socket_owner(connection))
        return self._trusted[connection]


def _is_loopback(connection: Any) -> bool:
    try:
        ends = connection.getpeername(), connection.getsockname()
    except OSError:
        return False
    return all(parse_ip(str(end[0])).is_loopback for end in ends)


def _speaks_of_localhost(environ: Mapping[str, Any]) -> bool:
    host = str(environ.get("HTTP_HOST", "")).lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return name in _LOCAL_HOSTS


def is_trusted_user(uid: int | None) -> bool:
    """Whether the local door is open for this user id: root, the master's own, or the group's."""
    if uid is None:
        return False
    if uid in (0, os.geteuid()):
        return True
    try:
        group, user = grp.getgrnam(GROUP), pwd.getpwuid(uid)
    except KeyError:
        return False
    return user.pw_gid == group.gr_gid or user.pw_name in group.gr_mem


def operator_token(directory: Path) -> str:
    """The operator's token, made at first start and kept in `operator.token` (mode 0600)."""
    path = directory / "operator.token"
    if not path.exists():
        write_private(path, f"{new_secret()}\n".encode())
    token = path.read_text().strip()
    if len(token) < MIN_TOKEN:
        raise StartError(f"{path} holds no token; delete it, and the master makes a new one")
    return token
