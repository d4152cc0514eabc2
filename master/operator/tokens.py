"""`ffrtmp tokens`: what others show to join, to submit, to look, or to operate."""

from __future__ import annotations

from typing import Any

import click

from common.client import MasterClient
from common.model import TOKEN_ROLES, Role
from common.options import DURATION
from master.operator import tables
from master.operator.ids import full_id
from master.operator.talk import talks

_HINTS = {
    Role.JOIN: "On a worker: put it into a file that only the agent can read, and start the agent with "
    "--join-token-file FILE",
    Role.SUBMITTER: "Use it with: ffrtmp --token-file FILE",
}


@click.group()
def tokens() -> None:
    """What others show to join, to submit, to look, or to operate."""


@tokens.command("create")
@click.option(
    "--role", type=click.Choice([str(role) for role in TOKEN_ROLES]), default="join", help="What it is for."
)
@click.option("--name", help="Who acts with it; several tokens may have the same.", show_default="made up")
@click.option(
    "--ttl", type=DURATION, help="How long it is valid.", show_default="24h to join, 90d for the others"
)
@click.option(
    "--uses",
    type=click.IntRange(0, 1_000_000),
    help="Nodes that may join by it; 0: any number.",
    show_default="1",
)
@talks
def create(client: MasterClient, role: str, name: str | None, ttl: float | None, uses: int | None) -> Any:
    """Make a token and print it: this once, since the master keeps its hash only."""
    if uses is not None and role != Role.JOIN:
        raise click.UsageError("--uses is for join tokens only")
    fields: dict[str, Any] = {"role": role}
    if name is not None:
        fields["name"] = name
    if ttl is not None:
        fields["ttl"] = ttl
    if uses is not None:
        fields["uses"] = uses or None
    made = client.create_token(fields)
    click.echo(
        f"Token {made['name']} ({made['role']}), valid until {made['expires_at']}. It is shown this once. "
        f"{_HINTS.get(Role(role), _HINTS[Role.SUBMITTER])}",
        err=True,
    )
    return tables.Answer(made, lambda: click.echo(made["token"]))


@tokens.command("list")
@talks
def list_tokens(client: MasterClient) -> Any:
    """All tokens, without their secrets."""
    return tables.tokens(client.tokens())


@tokens.command("revoke")
@click.argument("token_id")
@talks
def revoke(client: MasterClient, token_id: str) -> Any:
    """End a token at once; nodes that joined by it stay."""
    found = full_id(token_id, client.tokens(), "tokens")
    client.revoke_token(found)
    return tables.said({"id": found}, f"Token {found} is revoked.")
