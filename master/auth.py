"""Who asks, and which roles may ask for what.

A caller shows a credential (`Authorization: Bearer …`), comes through the local door
(below), or is anyone. The local door keeps the guide's bare `curl -k https://localhost:8080/…`
working: with `--auth auto` a caller is the operator when nothing speaks against its being a
program of the master's own user, of root, or of a member of the group `ffrtmp`, on this machine.
"""

from __future__ import annotations

import grp
import hmac
import ipaddress
import os
import pwd
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from common import problems
from common.model import Role
from common.trust import write_private
from master.errors import StartError
from master.service import Caller
from master.service.nodes import hash_secret
from master.sockets import owner_of
from master.store.memory import MemoryStore

GROUP = "ffrtmp"
MIN_TOKEN = 32
"""Characters of the operator's token, at least."""
_OPERATOR, _NODE, _ANYONE = Role.OPERATOR, Role.NODE, Role.ANYONE

ROUTES: Mapping[str, frozenset[Role]] = {
    "health.health": frozenset({_OPERATOR, _NODE, _ANYONE}),
    "nodes.register": frozenset({_OPERATOR, _NODE, _ANYONE}),
    "nodes.heartbeat": frozenset({_OPERATOR, _NODE}),
    "nodes.leave": frozenset({_OPERATOR, _NODE}),
    "nodes.all_nodes": frozenset({_OPERATOR}),
    "nodes.one": frozenset({_OPERATOR}),
    "nodes.remove": frozenset({_OPERATOR}),
    "nodes.approve": frozenset({_OPERATOR}),
    "nodes.drain": frozenset({_OPERATOR}),
    "nodes.resume": frozenset({_OPERATOR}),
    "scenarios.all_scenarios": frozenset({_OPERATOR, _NODE}),
    "jobs.submit": frozenset({_OPERATOR}),
    "jobs.submit_batch": frozenset({_OPERATOR}),
    "jobs.page": frozenset({_OPERATOR}),
    "jobs.one": frozenset({_OPERATOR}),
    "jobs.cancel": frozenset({_OPERATOR}),
    "jobs.pause": frozenset({_OPERATOR}),
    "jobs.resume": frozenset({_OPERATOR}),
    "jobs.retry": frozenset({_OPERATOR}),
    "jobs.log": frozenset({_OPERATOR}),
    "jobs.result": frozenset({_OPERATOR}),
    "queue.one": frozenset({_OPERATOR}),
    "queue.pause": frozenset({_OPERATOR}),
    "queue.resume": frozenset({_OPERATOR}),
    "work.next_job": frozenset({_OPERATOR, _NODE}),
    "work.progress": frozenset({_OPERATOR, _NODE}),
    "work.release": frozenset({_OPERATOR, _NODE}),
    "work.report": frozenset({_OPERATOR, _NODE}),
    "results.page": frozenset({_OPERATOR}),
    "results.archived": frozenset({_OPERATOR}),
    "docs.openapi": frozenset({_OPERATOR, _NODE, _ANYONE}),
    "docs.page": frozenset({_OPERATOR, _NODE, _ANYONE}),
    "docs.asset": frozenset({_OPERATOR, _NODE, _ANYONE}),
}
"""Which roles each endpoint serves; a test compares it with the routes that exist."""

_PROXY_HEADERS = ("HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA")
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class Gate:
    """Finds out who calls, from the WSGI environment of a request."""

    def __init__(
        self,
        store: MemoryStore,
        operator_token: str,
        *,
        local_door: bool,
        socket_owner: Callable[[Any], int | None] = owner_of,
    ) -> None:
        """`local_door`: `--auth auto`. `socket_owner` tells the user id at a connection's other end."""
        self._store = store
        self._operator_hash = hash_secret(operator_token)
        self._local_door = local_door
        self._socket_owner = socket_owner
        self._trusted: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()

    def identify(self, environ: Mapping[str, Any], endpoint: str) -> Caller:
        """The caller; `unauthenticated` if it shows a credential that is none, where one is needed."""
        header = environ.get("HTTP_AUTHORIZATION")
        if header is not None:
            caller = self._by_credential(header)
            if caller is not None:
                return caller
            if _ANYONE in ROUTES[endpoint]:
                return Caller(_ANYONE)
            raise problems.UNAUTHENTICATED(
                "The credential is not known here. An agent registers again to get one."
            )
        return Caller(_OPERATOR if self._local_door and self._came_by_the_local_door(environ) else _ANYONE)

    def admit(self, caller: Caller, endpoint: str) -> None:
        """Let the caller in, or refuse: `unauthenticated` for anyone, `forbidden` for a known one."""
        if caller.role in ROUTES[endpoint]:
            return
        if caller.role is _ANYONE:
            raise problems.UNAUTHENTICATED(
                "This needs a credential: on the master's machine call https://localhost as the "
                "master's user; elsewhere send the operator token (Authorization: Bearer …)."
            )
        raise problems.FORBIDDEN(f"The role {caller.role} may not do this.")

    def _by_credential(self, header: str) -> Caller | None:
        scheme, _, secret = header.partition(" ")
        digest = hash_secret(secret.strip())
        if scheme.lower() == "bearer":
            if hmac.compare_digest(digest, self._operator_hash):
                return Caller(_OPERATOR)
            node = self._store.node_with_credential(digest)
            if node is not None:
                return Caller(_NODE, node.id)
        return None

    def _came_by_the_local_door(self, environ: Mapping[str, Any]) -> bool:
        connection = environ.get("gunicorn.socket")
        return (
            connection is not None
            and _is_loopback(connection)
            and _speaks_of_localhost(environ)
            and not any(name in environ for name in _PROXY_HEADERS)
            and not any(name.startswith("HTTP_X_FORWARDED") for name in environ)
            and not _is_cross_site(environ)
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
    return all(_loopback_address(str(end[0])) for end in ends)


def _loopback_address(text: str) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)


def _speaks_of_localhost(environ: Mapping[str, Any]) -> bool:
    host = str(environ.get("HTTP_HOST", "")).lower()
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    return name in _LOCAL_HOSTS


def _is_cross_site(environ: Mapping[str, Any]) -> bool:
    """Whether a browser says that another site's page sends this."""
    if environ.get("HTTP_SEC_FETCH_SITE", "none") not in ("none", "same-origin"):
        return True
    origin = environ.get("HTTP_ORIGIN")
    return origin is not None and origin != f"https://{environ.get('HTTP_HOST')}"


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


def operator_token(state_dir: Path) -> str:
    """The operator's token, made at first start and kept in `operator.token` (mode 0600)."""
    path = state_dir / "operator.token"
    if not path.exists():
        write_private(path, f"{secrets.token_urlsafe(32)}\n".encode())
    token = path.read_text().strip()
    if len(token) < MIN_TOKEN:
        raise StartError(f"{path} holds no token; delete it, and the master makes a new one")
    return token
