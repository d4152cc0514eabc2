"""The rules of tokens: what one is worth, and how it ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from common import problems
from common.model import Now, Role, Token, TokenStatus
from master.lifecycle import commands as c
from master.lifecycle import events as e
from master.lifecycle.view import View

KEPT = timedelta(days=30)
"""How long a token is known that is worth nothing any more: who shows it is told why."""

_REFUSALS = {
    TokenStatus.EXPIRED: (problems.TOKEN_EXPIRED, "has expired"),
    TokenStatus.REVOKED: (problems.TOKEN_REVOKED, "was revoked by an operator"),
    TokenStatus.USED_UP: (problems.TOKEN_USED_UP, "has let in as many nodes as it was made for"),
}


def check(token: Token, now: Now) -> None:
    """`token_expired`, `token_revoked` or `token_used_up` unless it is worth something.

    Only to be called for who has shown its secret: others must not learn that it exists.
    """
    status = token.status(now.wall)
    if status in _REFUSALS:
        refusal, why = _REFUSALS[status]
        raise refusal(f"The token {token.name} {why}. An operator makes another: {how_to_make(token.role)}")


def unknown() -> problems.Problem:
    """The one refusal of a secret that is not known, be it wrong, old or made up."""
    return problems.UNAUTHENTICATED(
        "What was shown (Authorization) is not known here: a token may be cut short, or be of another "
        "master. An agent registers again."
    )


def how_to_make(role: Role) -> str:
    """The command that makes a token of this role."""
    return f"ffrtmp tokens create --role {role}"


def create(_view: View, command: c.CreateToken, now: Now) -> Sequence[e.Event]:
    """Make it."""
    return [e.TokenCreated(command.token, now.wall)]


def revoke(view: View, _command: c.RevokeToken, now: Now) -> Sequence[e.Event]:
    """End it at once; nodes that joined by it stay."""
    token = view.the_token()
    return [] if token.revoked_at is not None else [e.TokenRevoked(token.id, now.wall)]


def forget(view: View, _command: c.ForgetToken, now: Now) -> Sequence[e.Event]:
    """Remove one that has been worth nothing for long."""
    token = view.the_token()
    ended = token.ended_at(now.wall)
    return [] if ended is None or now.wall - ended < KEPT else [e.TokenForgotten(token.id, now.wall)]
