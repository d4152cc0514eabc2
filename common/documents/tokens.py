"""What is answered of tokens."""

from __future__ import annotations

from common.documents.parts import a_count, a_text, a_time, many
from common.fields import OneOf, says
from common.model import Role, TokenStatus
from common.schema import Strict


class TokenDocumentSchema(Strict):
    """A token, without its secret."""

    id = a_text("the token's id")
    name = a_text("who acts with it")
    role = OneOf(Role, required=True)
    status = OneOf(TokenStatus, required=True, **says("what it is worth now"))
    created_at = a_time("when it was made")
    expires_at = a_time("until when it is valid")
    uses_left = a_count("nodes that may still join by it; null: any number", allow_none=True)
    used_at = a_time("when a node joined by it last", allow_none=True)
    revoked_at = a_time("when an operator ended it", allow_none=True)


class MadeTokenSchema(TokenDocumentSchema):
    """A new token, with its text: it is shown this once."""

    token = a_text("its text, which is secret")


class TokensSchema(Strict):
    """All tokens."""

    tokens = many(TokenDocumentSchema)
    count = a_count()
