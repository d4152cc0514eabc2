"""Who is signed in with a browser.

A session stands for the secret that was shown once: it ends when that is revoked or expires, and with its own
life. The cookie is a random name for it. The store keeps what is open: in the master's process, with which it
ends, or for all masters that share a database.
"""

from __future__ import annotations

from werkzeug.http import parse_cookie

from common.tokens import hash_secret, new_secret
from master.store.sessions import SessionBook

COOKIE = "__Host-ffrtmp"
"""The prefix makes browsers refuse it without TLS, from a subdomain, or for a part of the site only."""
LIFE = 12 * 3600.0
"""Seconds that a session holds."""


class Sessions:
    """The open sessions, by their cookies."""

    def __init__(self, book: SessionBook) -> None:
        """`book`: what is open."""
        self._book = book

    def begin(self, credential_hash: str, now: float) -> str:
        """Open a session for who showed this secret, at monotonic `now`; the cookie's value."""
        value = new_secret()
        self._book.begin(hash_secret(value), credential_hash, LIFE, now)
        return value

    def credential_hash(self, cookies: str, now: float) -> str | None:
        """What the session in a `Cookie` header stands for; None if there is none, or it has ended."""
        return self._book.credential_hash(_name(cookies), now)

    def end(self, cookies: str) -> None:
        """Close the session in a `Cookie` header, if there is one."""
        self._book.end(_name(cookies))


def _name(cookies: str) -> str:
    # Kept hashed, as every secret is; and so no time tells how much of a guess was right.
    return hash_secret(parse_cookie(cookies).get(COOKIE, ""))
