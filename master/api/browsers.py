"""What keeps a browser from being a way in: whose name it calls, whose page sends it, what it may do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from common import problems
from common.model import Role
from master.hosts import Hosts
from master.origin import is_cross_site, is_visit
from master.service import Caller

POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of every answer that is no page: nothing in it is to be carried out."""

_HEADERS = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    # Not `no-referrer`: browsers then send `Origin: null` with our own forms too (Fetch, section 3.2).
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cache-Control", "no-store"),
    ("Content-Security-Policy", POLICY),
)


def refuse_strange_hosts(hosts: Hosts, environ: Mapping[str, Any], caller: Caller) -> None:
    """`unknown_host` if the request calls the master by a name that is not its own.

    A caller that shows its own credential may use any name: no page has that to send.
    """
    if "HTTP_AUTHORIZATION" in environ and caller.role is not Role.ANYONE:
        return
    host = environ.get("HTTP_HOST", "")
    if not hosts.knows(host):
        raise problems.UNKNOWN_HOST(
            f"This master does not go by the name {host[:100]!r}. Use its address or one of its names; to "
            "give it this one, start it with --server-name."
        )


def refuse_other_sites(environ: Mapping[str, Any]) -> None:
    """`cross_site` if a page of another site sends the request; who follows a link there is let in."""
    if is_cross_site(environ) and not is_visit(environ):
        raise problems.CROSS_SITE(
            "A page of another web site sent this request; the master takes none of those."
        )


def secure(headers: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Say with every answer what a browser may do with it: nothing, unless a page says otherwise.

    `headers` are those of an answer, as WSGI has them: Flask's own object takes ten times as long.
    """
    said = {name.lower() for name, _ in headers}
    return [*headers, *(each for each in _HEADERS if each[0].lower() not in said)]
