"""Webhooks: who is told of what happens, by requests that the master sends."""

from __future__ import annotations

from flask import Blueprint

from common import problems
from common.documents import (
    DeliveriesSchema,
    MadeWebhookSchema,
    MessageSchema,
    RotatedSchema,
    WebhookDocumentSchema,
    WebhooksSchema,
)
from common.schema import ReplaySchema, RotateSchema, WebhookSchema
from master.api.answers import Answer, body, caller, desk, json_answer, no_body, query
from master.api.described import Link, describe
from master.api.documents import delivery_document, webhook_document
from master.api.queries import DeliveriesQuery

blueprint = Blueprint("webhooks", __name__)
_ONE = "/webhooks/<webhook_id>"


@blueprint.post("/webhooks")
@describe(
    MadeWebhookSchema,
    status=201,
    takes=WebhookSchema,
    problems=(problems.INVALID, problems.TOO_MANY),
    links=(Link("webhooks.remove", {"webhook_id": "/id"}),),
    slow=True,
)
def create() -> Answer:
    """Make a webhook; this answer is the only one that has its secret."""
    view, secret = desk().create(caller(), body())
    return json_answer({**webhook_document(view), "secret": secret}, 201)


@blueprint.get("/webhooks")
@describe(WebhooksSchema, slow=True)
def all_webhooks() -> Answer:
    """All webhooks, without their secrets."""
    webhooks = [webhook_document(view) for view in desk().all_webhooks()]
    return json_answer({"webhooks": webhooks, "count": len(webhooks)})


@blueprint.get(_ONE)
@describe(WebhookDocumentSchema, problems=(problems.UNKNOWN_WEBHOOK,), slow=True)
def one(webhook_id: str) -> Answer:
    """One webhook."""
    return json_answer(webhook_document(desk().one(webhook_id)))


@blueprint.delete(_ONE)
@describe(status=204, problems=(problems.UNKNOWN_WEBHOOK,), slow=True)
def remove(webhook_id: str) -> Answer:
    """Remove a webhook, and what is known of its deliveries."""
    no_body()
    desk().remove(caller(), webhook_id)
    return Answer()


@blueprint.post(f"{_ONE}/pause")
@describe(WebhookDocumentSchema, problems=(problems.UNKNOWN_WEBHOOK,), slow=True)
def pause(webhook_id: str) -> Answer:
    """Tell it nothing more until it is resumed; what happens meanwhile waits."""
    no_body()
    return json_answer(webhook_document(desk().pause(caller(), webhook_id)))


@blueprint.post(f"{_ONE}/resume")
@describe(WebhookDocumentSchema, problems=(problems.UNKNOWN_WEBHOOK,), slow=True)
def resume(webhook_id: str) -> Answer:
    """Tell it what it was not told yet, beginning at once."""
    no_body()
    return json_answer(webhook_document(desk().resume(caller(), webhook_id)))


@blueprint.post(f"{_ONE}/rotate")
@describe(RotatedSchema, takes=RotateSchema, optional=True, problems=(problems.UNKNOWN_WEBHOOK,), slow=True)
def rotate(webhook_id: str) -> Answer:
    """Give it another secret; this answer is the only one that has it.

    Until `replaced_until` requests are signed with the secret before, too.
    """
    view, secret = desk().rotate(caller(), webhook_id, body()["overlap"])
    return json_answer({**webhook_document(view), "secret": secret})


@blueprint.post(f"{_ONE}/replay")
@describe(
    MessageSchema,
    status=202,
    takes=ReplaySchema,
    problems=(problems.UNKNOWN_WEBHOOK, problems.TOO_MANY),
    slow=True,
)
def replay(webhook_id: str) -> Answer:
    """Tell it again what happened since a number or a time, or send one delivery once more."""
    view, message_id = desk().replay(caller(), webhook_id, body())
    return json_answer({**webhook_document(view), "message_id": message_id}, 202)


@blueprint.post(f"{_ONE}/test")
@describe(MessageSchema, status=202, problems=(problems.UNKNOWN_WEBHOOK, problems.TOO_MANY), slow=True)
def test(webhook_id: str) -> Answer:
    """Send it a request that tells of nothing, once, whatever its status is."""
    no_body()
    view, message_id = desk().test(webhook_id)
    return json_answer({**webhook_document(view), "message_id": message_id}, 202)


@blueprint.get(f"{_ONE}/deliveries")
@describe(DeliveriesSchema, query=DeliveriesQuery, problems=(problems.UNKNOWN_WEBHOOK,), slow=True)
def deliveries(webhook_id: str) -> Answer:
    """The newest requests to its receiver and what came of them, newest first; 200 are kept."""
    found = [delivery_document(each) for each in desk().deliveries(webhook_id, query()["limit"])]
    return json_answer({"deliveries": found, "count": len(found)})
