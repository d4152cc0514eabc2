"""The audit: who did what, when."""

from __future__ import annotations

from flask import Blueprint

from common import problems
from common.documents import AuditSchema
from master.api.answers import Answer, farm, json_answer, query
from master.api.described import describe
from master.api.queries import AuditQuery
from master.service import audit as service
from master.store.journal import JournalError
from master.store.trail import Wanted

blueprint = Blueprint("audit", __name__)


@blueprint.get("/audit")
@describe(AuditSchema, query=AuditQuery, slow=True)
def page() -> Answer:
    """What happened, newest first; a page of it.

    A page looks through a bounded part of the audit: it may be empty and have a `next` all the same.
    """
    asked = query()
    before, limit = asked.pop("after"), asked.pop("limit")
    try:
        found = service.page(farm(), before, limit, Wanted(**asked))
    except JournalError as error:
        raise problems.INTERNAL(f"{error}.") from error
    following = None if found.next is None else str(found.next)
    return json_answer({"entries": found.entries, "next": following, "damaged": found.damaged})
