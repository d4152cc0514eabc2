"""The text of a token: `ffrtmp1.<SHA-256 of the CA's public key, hex>.<secret>`.

Who holds it can check whom it talks to before it says anything, and then prove who it is. Only
the secret part is secret.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass, field

_PREFIX = "ffrtmp1."
_TOKEN = re.compile(r"ffrtmp1\.([0-9a-f]{64})\.([A-Za-z0-9_-]{43})", re.ASCII)
_SECRET = re.compile(r"[A-Za-z0-9_-]{32,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TokenText:
    """A token as it is handed to people, taken apart."""

    secret: str = field(repr=False)
    fingerprint: str | None = None
    """Of the master's CA (`common.trust.fingerprint`); None: it does not say, as the operator token."""


def new_secret() -> str:
    """256 random bits, in 43 characters."""
    return secrets.token_urlsafe(32)


def hash_secret(secret: str) -> str:
    """How the master keeps secrets: SHA-256 is enough for 256 random bits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def render(fingerprint: str, secret: str) -> str:
    """The text of a token, from the CA's `common.trust.fingerprint` and the secret."""
    return f"{_PREFIX}{fingerprint.removeprefix('sha256:')}.{secret}"


def parse(text: str) -> TokenText:
    """The parts of a token, or of a bare secret; ValueError, which repeats nothing of it, if it is none."""
    text = text.strip()
    if found := _TOKEN.fullmatch(text):
        return TokenText(found[2], f"sha256:{found[1]}")
    if text.startswith(_PREFIX):
        raise ValueError("is a part of a token only, or was changed; copy it whole, in one line")
    if _SECRET.fullmatch(text):
        return TokenText(text)
    raise ValueError("is not a token; one begins with ffrtmp1. and is made by: ffrtmp tokens create")


def secret_part(shown: str) -> str:
    """What proves something in what a caller shows: a token's secret, or all of it."""
    return shown.rpartition(".")[2] if shown.startswith(_PREFIX) else shown
