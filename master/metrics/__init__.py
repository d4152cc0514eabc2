"""What Prometheus is told of the farm; docs/metrics.md lists it."""

from master.metrics.measures import Measures
from master.metrics.page import exposition
from master.metrics.standing import Files, NodeStanding, Standing

__all__ = ["Files", "Measures", "NodeStanding", "Standing", "exposition"]
