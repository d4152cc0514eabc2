"""The line that the log has of each request."""

from __future__ import annotations

import logging

from common.model import Role
from master.api.exchange import Exchange

log = logging.getLogger(__name__)

_PEOPLE = frozenset(Role) - {Role.NODE, Role.JOIN, Role.ANYONE}
_READING = frozenset({"GET", "HEAD", "OPTIONS"})


def level_of(method: str, status: int, role: Role) -> int:
    """How much a request matters: an idle farm is quiet, and what people change is seen.

    Agents call all the time; what they bring about is in the audit. Mistakes of the master are logged
    where they are made.
    """
    changes = method not in _READING and role in _PEOPLE
    return logging.INFO if changes and status < 500 else logging.DEBUG


def log_end(exchange: Exchange, status: int, took: float) -> None:
    """Log how a request ended, after `took` seconds, if it matters enough.

    Without what a caller wrote into the address: it may be anything, and a secret too.
    """
    method, who = exchange.environ["REQUEST_METHOD"], exchange.caller
    level = level_of(method, status, who.role)
    if not log.isEnabledFor(level):
        return
    name, matched = who.actor.name, exchange.matched
    # An id in the address, if the master knew it: else it is only what somebody wrote there.
    known = {} if matched is None or status >= 400 else matched.arguments
    log.log(
        level,
        "%s %s by %s: %d in %.0f ms",
        method,
        exchange.template,
        name,
        status,
        took * 1000,
        extra={
            "event": "request",
            "method": method,
            "route": str(exchange.template),
            "status": status,
            "caller": name,
            "address": exchange.environ.get("REMOTE_ADDR"),
            "duration_seconds": round(took, 6),
            "job_id": exchange.job_id or known.get("job_id"),
            "node_id": who.node_id or known.get("node_id"),
        },
    )
