"""Tokens: what an operator hands to others, so that they may do something here."""

from __future__ import annotations

from flask import Blueprint

from common import problems
from common.documents import MadeTokenSchema, TokensSchema
from common.schema import TokenSchema
from master.api.answers import Answer, body, caller, farm, json_answer, no_body
from master.api.described import Link, describe
from master.api.documents import token_document
from master.service import tokens as service

blueprint = Blueprint("tokens", __name__)


@blueprint.post("/tokens")
@describe(
    MadeTokenSchema,
    status=201,
    takes=TokenSchema,
    optional=True,
    problems=(problems.INVALID,),
    links=(Link("tokens.revoke", {"token_id": "/id"}),),
)
def create() -> Answer:
    """Make a token; this answer is the only one that has its text."""
    token, text = service.create(farm(), caller(), body())
    return json_answer({**token_document(token, farm().clock().wall), "token": text}, 201)


@blueprint.get("/tokens")
@describe(TokensSchema)
def all_tokens() -> Answer:
    """All tokens, without their secrets."""
    now = farm().clock().wall
    tokens = [token_document(token, now) for token in service.all_tokens(farm())]
    return json_answer({"tokens": tokens, "count": len(tokens)})


@blueprint.delete("/tokens/<token_id>")
@describe(status=204, problems=(problems.UNKNOWN_TOKEN,))
def revoke(token_id: str) -> Answer:
    """End a token at once."""
    no_body()
    service.revoke(farm(), caller(), token_id)
    return Answer()
