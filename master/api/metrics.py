"""What Prometheus is told of the farm; docs/metrics.md lists it."""

from __future__ import annotations

import time
from dataclasses import replace

from flask import Blueprint, Flask, Response, current_app, g, request

from master.api.answers import farm
from master.api.described import describe
from master.metrics import exposition
from master.service import Farm, gauges
from master.service.webhooks import Desk
from master.worker.occupancy import OCCUPANCY

blueprint = Blueprint("metrics", __name__)


@blueprint.get("/metrics")
@describe(media_type="text/plain", slow=True)
def scrape() -> Response:
    """How the farm stands and what happened since the master started, for Prometheus.

    With `Accept: application/openmetrics-text` in the format of OpenMetrics, else in Prometheus' own.
    """
    occupancy = request.environ.get(OCCUPANCY)
    desk: Desk | None = current_app.extensions.get("webhooks")
    now = replace(gauges.get(farm()), webhooks=[] if desk is None else desk.gauges())
    page, media_type = exposition(
        farm().measures, now, occupancy and occupancy(), request.headers.get("Accept", "")
    )
    return Response(page, content_type=media_type)


def time_requests(app: Flask) -> None:
    """Time every request that has an answer: by its route's template, since addresses may be anything."""

    @app.before_request
    def _begin() -> None:
        g.begun = time.perf_counter()

    @app.after_request
    def _end(response: Response) -> Response:
        measured: Farm = current_app.extensions["farm"]
        route = None if request.url_rule is None else request.url_rule.rule
        took = time.perf_counter() - g.begun
        measured.measures.answered(route, request.method, response.status_code, took)
        return response
