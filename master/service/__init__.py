"""A function for each verb: look up, let the lifecycle decide, record, answer.

Every verb reads the clock once, runs one transaction, and answers with records.
"""

from master.service.farm import Farm
from master.service.views import Caller, JobView, NodeView

__all__ = ["Caller", "Farm", "JobView", "NodeView"]
