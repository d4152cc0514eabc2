"""What is sent to sign in, and to make tokens."""

from __future__ import annotations

from marshmallow import validate

from common.durations import MOST_SECONDS
from common.fields import (
    Matches,
    OneOf,
    StrictFloat,
    StrictInteger,
    StrictString,
    says,
)
from common.model import TOKEN_ROLES, Role
from common.schema.base import (
    Strict,
    text,
)

_is_token_name = Matches(
    r"[A-Za-z][A-Za-z0-9._@-]{0,62}", "Must be 1 to 63 letters, digits, and ._@-, and begin with a letter."
)


class SignInSchema(Strict):
    """What a person signs in with."""

    token = text(2048, required=True, **says("of an operator, a submitter or a viewer"))


class TokenSchema(Strict):
    """`POST /tokens`. What is left out depends on the role (`master.service.tokens`)."""

    role = OneOf(
        Role,
        only=TOKEN_ROLES,
        load_default=Role.JOIN,
        **says("`join` (if left out), `submitter`, `viewer` or `operator`"),
    )
    name = StrictString(
        load_default=None,
        validate=_is_token_name,
        **says(
            "who acts with it, as the audit and the `owner` of a job have it: 1 to 63 letters, "
            "digits and `._@-`; "
            "made up if left out. Several tokens may share one, so that one can take the place of another"
        ),
    )
    ttl = StrictFloat(
        load_default=None,
        validate=validate.Range(1, MOST_SECONDS),
        **says("how long it is valid, in seconds; if left out a day for `join`, and 90 days for the others"),
    )
    uses = StrictInteger(
        allow_none=True,
        validate=validate.Range(1, 1_000_000),
        **says("how many nodes a join token lets in; 1 if left out, null: any number"),
    )
