"""Signatures, as Standard Webhooks 1.0.0 has them: HMAC-SHA256 of `id.timestamp.body`. Pure, but for the key.

A secret follows from the master's key, the webhook and its generation, so no record holds one.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from common.model import Webhook
from common.trust import write_private
from master.errors import StartError

KEY_FILE = "webhooks.key"
_KEY_BYTES = 32


def load_key(directory: Path) -> bytes:
    """The master's key, made at first use and kept in `webhooks.key` (mode 0600).

    StartError if the file holds none.
    """
    path = directory / KEY_FILE
    if not path.exists():
        write_private(path, f"{secrets.token_hex(_KEY_BYTES)}\n".encode())
    try:
        key = bytes.fromhex(path.read_text().strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise StartError(
            f"{path} holds no key; restore it from a backup, or delete it and give receivers new secrets "
            "(ffrtmp webhooks rotate)"
        )
    return key


def secret(key: bytes, webhook_id: str, generation: int) -> bytes:
    """The 256 bits that requests to a webhook are signed with."""
    return hmac.digest(key, f"webhook:{webhook_id}:{generation}".encode(), "sha256")


def render(signing_secret: bytes) -> str:
    """A secret as receivers' libraries take it."""
    return "whsec_" + base64.b64encode(signing_secret).decode()


def valid_secrets(key: bytes, webhook: Webhook, now: datetime) -> list[bytes]:
    """Those that requests are signed with at `now`, the newest first."""
    holds = webhook.replaced_until is not None and now < webhook.replaced_until
    first = webhook.oldest if holds else webhook.generation
    return [secret(key, webhook.id, each) for each in range(webhook.generation, first - 1, -1)]


def headers(signing_secrets: Sequence[bytes], message_id: str, seconds: int, body: bytes) -> dict[str, str]:
    """The three headers of a request that is sent at `seconds` since 1970 (UTC)."""
    signed = f"{message_id}.{seconds}.".encode() + body
    made = (base64.b64encode(hmac.digest(each, signed, "sha256")).decode() for each in signing_secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(seconds),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in made),
    }
