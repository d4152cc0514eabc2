"""What Prometheus is told of the farm; docs/metrics.md lists it."""

from master.metrics.gauges import Files, Gauges, NodeGauges, WebhookGauges
from master.metrics.measures import Measures
from master.metrics.page import exposition

__all__ = ["Files", "Gauges", "Measures", "NodeGauges", "WebhookGauges", "exposition"]
