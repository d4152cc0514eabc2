"""What is answered of webhooks."""

from __future__ import annotations

from marshmallow import fields, validate

from common.documents.parts import a_count, a_number, a_text, a_time, many, texts
from common.fields import OneOf, StrictInteger, says
from common.model import WebhookStatus
from common.schema import Strict


class DeliverySchema(Strict):
    """A request to a receiver, and what came of it."""

    id = a_count("the delivery's number")
    message_id = a_text("its `webhook-id`: the same whenever the receiver is told of the event")
    seq = a_count("the number of the event in the history; null: it was a test", allow_none=True)
    event = a_text("the event, or `test`")
    number = a_count("which try it was, from 1")
    sent_at = a_time("when it was sent")
    duration = a_number("seconds until the answer, or until it failed")
    status_code = StrictInteger(
        required=True,
        allow_none=True,
        validate=validate.Range(100, 999),
        **says("the HTTP status; null: no answer came"),
    )
    error = a_text("why it was not taken; null: it was", allow_none=True)
    next_try_at = a_time("when it is tried again; null: it is not", allow_none=True)


class WebhookDocumentSchema(Strict):
    """A webhook, without its secret."""

    id = a_text("the webhook's id")
    name = a_text("for people")
    url = a_text("where requests are sent")
    events = texts("what it is told of; empty: all events of jobs and nodes")
    status = OneOf(WebhookStatus, required=True, **says("whether it is told now"))
    reason = a_text("why it is not; null: it is", allow_none=True)
    created_at = a_time("when it was made")
    replaced_until = a_time(
        "until when the secret before holds; null: there was none, or it never changed", allow_none=True
    )
    told = a_count("its receiver has, or did not want, all events up to this number of the history")
    newest = a_count("the number of the newest event")
    failures = a_count("tries in a row that failed")
    failing_since = a_time("when the first of them was; null: none failed", allow_none=True)
    next_try_at = a_time("when it is tried again; null: at once, or nothing waits", allow_none=True)
    last_delivery = fields.Nested(
        DeliverySchema, required=True, allow_none=True, **says("the newest; null: there was none")
    )


class MadeWebhookSchema(WebhookDocumentSchema):
    """A new webhook, with its secret: it is shown this once."""

    secret = a_text("what its requests are signed with")


class WebhooksSchema(Strict):
    """All webhooks."""

    webhooks = many(WebhookDocumentSchema)
    count = a_count()


class RotatedSchema(WebhookDocumentSchema):
    """A webhook with another secret, which is shown this once."""

    secret = a_text("what its requests are signed with from now on")


class MessageSchema(WebhookDocumentSchema):
    """A webhook, and what will be sent."""

    message_id = a_text(
        "the `webhook-id` of the one request that will be sent; null: there are many", allow_none=True
    )


class DeliveriesSchema(Strict):
    """The newest requests to a receiver."""

    deliveries = many(DeliverySchema)
    count = a_count()
