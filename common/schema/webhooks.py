"""What is sent to make webhooks, and to steer them."""

from __future__ import annotations

from marshmallow import validate

from common.fields import Matches, ShortList, StrictFloat, StrictInteger, StrictString, says
from common.inputs import MAX_URL
from common.schema.base import MAX_NUMBER, Strict, text
from common.timestamps import TIMESTAMP

MOST_OVERLAP = 30 * 86400.0
"""Seconds that a secret may hold on after another took its place."""
_is_moment = Matches(TIMESTAMP.pattern[1:-1], "Must be a time in UTC, such as 2025-12-29T19:45:00Z.")


class WebhookSchema(Strict):
    """`POST /webhooks`."""

    url = text(
        MAX_URL,
        required=True,
        **says(
            "where requests are sent: `https://HOST/PATH`, without user, password or `#`; `http` and private "
            "addresses with `--allow-private-webhooks` only"
        ),
    )
    name = StrictString(
        load_default=None, validate=validate.Length(1, 63), **says("for people; the host if left out")
    )
    events = ShortList(
        StrictString(validate=validate.Length(1, 63)),
        most=64,
        load_default=list,
        **says(
            "what it is told of: [names of the audit](#get-audit) that begin with `job_` or `node_`; "
            "all of these if left out or empty"
        ),
    )


class RotateSchema(Strict):
    """`POST /webhooks/{id}/rotate`."""

    overlap = StrictFloat(
        load_default=86400.0,
        validate=validate.Range(0, MOST_OVERLAP),
        **says("seconds that requests are signed with the secret before, too; a day if left out"),
    )


class ReplaySchema(Strict):
    """`POST /webhooks/{id}/replay`. One of the three."""

    since_seq = StrictInteger(
        validate=validate.Range(1, MAX_NUMBER),
        **says("tell everything anew from this number of the history on"),
    )
    since = StrictString(
        validate=_is_moment, **says("tell everything anew that happened at this time or later")
    )
    delivery_id = StrictInteger(
        validate=validate.Range(1, MAX_NUMBER),
        **says("send once more what this delivery was about, once"),
    )
