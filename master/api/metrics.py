"""What Prometheus is told of the farm; docs/metrics.md lists it."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, request

from master.api.answers import farm
from master.api.described import describe
from master.api.exchange import current
from master.metrics import exposition
from master.service import gauges
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
    desk: Desk | None = current().extensions.get("webhooks")
    now = replace(gauges.get(farm()), webhooks=[] if desk is None else desk.gauges())
    page, media_type = exposition(
        farm().measures, now, occupancy and occupancy(), request.headers.get("Accept", "")
    )
    return Response(page, content_type=media_type)
