"""The verbs of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from common import problems
from common.model import Role, Token
from common.tokens import hash_secret, new_secret, render
from master.lifecycle import commands
from master.service.again import again
from master.service.farm import Farm, new_id
from master.service.views import Caller

JOIN_TTL = 86400.0
"""Seconds that a join token is valid, unless something else is asked for."""
OTHER_TTL = 90 * 86400.0
"""Seconds that any other token is."""
RESERVED = frozenset({*map(str, Role), "master"})
"""Names that the audit has for others."""


@again
def create(farm: Farm, caller: Caller, fields: Mapping[str, Any]) -> tuple[Token, str]:
    """Make a token; it, and its text, which nobody can have again: only its hash is kept.

    `invalid` if the name is reserved, or another than a join token is to have uses.
    """
    role, now = fields["role"], farm.clock()
    token_id, secret = new_id(), new_secret()
    joins = role is Role.JOIN
    if not joins and "uses" in fields:
        raise problems.invalid_field("uses", "Only a join token has uses.")
    name = fields["name"] or f"{role}-{token_id[:8]}"
    if name in RESERVED:
        raise problems.invalid_field("name", f"Is taken: {name} stands for somebody else.")
    ttl = fields["ttl"] or (JOIN_TTL if joins else OTHER_TTL)
    token = Token(
        id=token_id,
        name=name,
        role=role,
        secret_hash=hash_secret(secret),
        created_at=now.wall,
        expires_at=now.wall + timedelta(seconds=ttl),
        uses_left=fields.get("uses", 1) if joins else None,
    )
    with farm.store.transaction(now, caller.actor) as tx:
        farm.decide(tx, commands.CreateToken(token))
    return token, render(farm.fingerprint, secret)


def all_tokens(farm: Farm) -> list[Token]:
    """All tokens, in the order in which they were made."""
    with farm.store.transaction(farm.clock()) as tx:
        return tx.tokens()


@again
def revoke(farm: Farm, caller: Caller, token_id: str) -> None:
    """End a token at once, or `unknown_token`; nodes that joined by it stay. Asking twice changes nothing."""
    with farm.store.transaction(farm.clock(), caller.actor) as tx:
        token = tx.token(token_id)
        if token is None:
            raise problems.UNKNOWN_TOKEN(f"There is no token {token_id!r}. GET /tokens lists them.")
        farm.decide(tx, commands.RevokeToken(), token=token)


def forget_old(farm: Farm) -> None:
    """Remove the tokens that have been worth nothing for long."""
    with farm.store.transaction(farm.clock()) as tx:
        for token in tx.tokens():
            farm.decide(tx, commands.ForgetToken(), token=token)
