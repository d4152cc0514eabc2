"""The vocabulary: every word the farm uses, explained where it is defined.

Code, API, logs and documents use these words and no others. All records are
frozen; they change only by an event (`master.lifecycle.apply`).
"""

from common.model.access import MASTER, Actor, Role, Token, TokenStatus
from common.model.files import UploadStatus
from common.model.job import Attempt, Constraints, Failure, Job, Progress, Report
from common.model.node import FarmState, Hardware, Node
from common.model.words import (
    Confidence,
    JobStatus,
    NodeStatus,
    NodeType,
    Now,
    Outcome,
    Priority,
    Scalar,
)

__all__ = [
    "MASTER",
    "Actor",
    "Attempt",
    "Confidence",
    "Constraints",
    "Failure",
    "FarmState",
    "Hardware",
    "Job",
    "JobStatus",
    "Node",
    "NodeStatus",
    "NodeType",
    "Now",
    "Outcome",
    "Priority",
    "Progress",
    "Report",
    "Role",
    "Scalar",
    "Token",
    "TokenStatus",
    "UploadStatus",
]
