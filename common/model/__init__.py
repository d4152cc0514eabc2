"""The vocabulary: every word the farm uses, explained where it is defined.

Code, API, logs and documents use these words and no others. All records are
frozen; they change only by an event (`master.lifecycle.apply`).
"""

from common.model.access import MASTER, TOKEN_ROLES, Actor, Role, Token, TokenStatus
from common.model.files import UploadStatus
from common.model.findings import NO_FINDINGS, Artifact, ArtifactKind, CrfProbe, Findings, Repeat
from common.model.job import Attempt, Constraints, Failure, Job, Progress, Report, runs_alone
from common.model.node import FarmState, Hardware, Load, Node
from common.model.split import MOST_CUTS, Cut, Divisible, Window
from common.model.webhooks import Webhook, WebhookStatus
from common.model.words import (
    Confidence,
    EnergySource,
    JobStatus,
    NodeStatus,
    NodeType,
    Now,
    Outcome,
    Priority,
    Scalar,
    Stage,
    Value,
)

__all__ = [
    "MASTER",
    "MOST_CUTS",
    "NO_FINDINGS",
    "TOKEN_ROLES",
    "Actor",
    "Artifact",
    "ArtifactKind",
    "Attempt",
    "Confidence",
    "Constraints",
    "CrfProbe",
    "Cut",
    "Divisible",
    "EnergySource",
    "Failure",
    "FarmState",
    "Findings",
    "Hardware",
    "Job",
    "JobStatus",
    "Load",
    "Node",
    "NodeStatus",
    "NodeType",
    "Now",
    "Outcome",
    "Priority",
    "Progress",
    "Repeat",
    "Report",
    "Role",
    "Scalar",
    "Stage",
    "Token",
    "TokenStatus",
    "UploadStatus",
    "Value",
    "Webhook",
    "WebhookStatus",
    "Window",
    "runs_alone",
]
