"""What is measured and how the farm stands, in the format that the one who asks prefers."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from master.metrics.gauges import Gauges, families
from master.metrics.measures import Measures
from master.worker.occupancy import Occupancy


class _All(Collector):
    def __init__(self, measures: Measures, gauges: Gauges, occupancy: Occupancy | None) -> None:
        self._of = measures, gauges, occupancy

    def collect(self) -> Iterator[Metric]:
        measures, gauges, occupancy = self._of
        yield from measures.registry.collect()
        yield from families(gauges, occupancy)


def exposition(
    measures: Measures, gauges: Gauges, occupancy: Occupancy | None, accept: str
) -> tuple[bytes, str]:
    """The page and its media type: OpenMetrics where the `Accept` header asks for it, else Prometheus' text.

    Nodes and webhooks that are gone lose their series first.
    """
    measures.forget_nodes_but({each.node.id for each in gauges.nodes})
    measures.forget_webhooks_but({each.webhook.id for each in gauges.webhooks})
    try:
        encode, media_type = choose_encoder(accept)
    except (TypeError, ValueError):  # it asks for a version that is no number
        encode, media_type = choose_encoder("")
    return encode(_All(measures, gauges, occupancy)), media_type
