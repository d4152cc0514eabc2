"""Who is signed in with a browser.

A session stands for the secret that was shown once: it ends when that is revoked or expires,
with its own life, and with the master's process. The cookie is a random name for it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from werkzeug.http import parse_cookie

from common.tokens import hash_secret, new_secret

COOKIE = "__Host-ffrtmp"
"""The prefix makes browsers refuse it without TLS, from a subdomain, or for a part of the site only."""
LIFE = 12 * 3600.0
"""Seconds that a session holds."""
MOST = 10_000
"""Sessions at once; beyond, the oldest ends."""


class Sessions:
    """The open sessions, in memory."""

    def __init__(self) -> None:
        self._open: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, credential_hash: str, now: float) -> str:
        """Open a session for who showed this secret, at monotonic `now`; the cookie's value."""
        value = new_secret()
        with self._lock:
            self._open[hash_secret(value)] = (credential_hash, now + LIFE)
            if len(self._open) > MOST:
                self._open.popitem(last=False)
        return value

    def credential_hash(self, cookies: str, now: float) -> str | None:
        """What the session in a `Cookie` header stands for; None if there is none, or it has ended."""
        with self._lock:
            known, until = self._open.get(_key(cookies), ("", now))
        return known if now < until else None

    def end(self, cookies: str) -> None:
        """Close the session in a `Cookie` header, if there is one."""
        with self._lock:
            self._open.pop(_key(cookies), None)


def _key(cookies: str) -> str:
    # Kept hashed, as every secret is; and so no time tells how much of a guess was right.
    return hash_secret(parse_cookie(cookies).get(COOKIE, ""))
