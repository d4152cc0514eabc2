"""The farm at a glance."""

from __future__ import annotations

from typing import Any

from flask import Response

from common.model import Role
from master.api.answers import caller, farm
from master.api.dashboard.page import blueprint, page
from master.api.documents import job_document, node_document
from master.service import jobs, nodes, queue

SHOWN = 25
"""Jobs on the page; `GET /jobs` has all."""


@blueprint.get("/")
def home() -> Response:
    """The farm at a glance."""
    return page("overview.html", **_glance())


def _glance() -> dict[str, Any]:
    shown, _ = jobs.page(farm(), caller(), None, None, SHOWN)
    glance: dict[str, Any] = {"jobs": [job_document(view) for view in shown]}
    if caller().role is not Role.SUBMITTER:
        glance["queue"] = queue.get(farm())
        glance["nodes"] = [node_document(view) for view in nodes.all_nodes(farm())]
    return glance
