"""What may be sent: marshmallow schemas for every body of the API.

Types are strict (no "5" for 5, no true for 1), unknown fields are refused, and each
schema loads into the plain values that the service takes.
"""

from common.schema.access import SignInSchema, TokenSchema
from common.schema.base import MAX_NUMBER, NothingSchema, Strict, flatten, is_id
from common.schema.files import FileSchema, is_sha256
from common.schema.findings import ArtifactSchema, CrfProbeSchema, FindingsSchema, RepeatSchema
from common.schema.jobs import (
    MAX_BATCH,
    MAX_DEPENDENCIES,
    BatchJobSchema,
    BatchSchema,
    ConstraintsSchema,
    ParametersSchema,
    SubmitSchema,
)
from common.schema.nodes import (
    MAX_REASON,
    CredentialSchema,
    HeartbeatSchema,
    LeaveSchema,
    LoadSchema,
    RegisterSchema,
)
from common.schema.split import MAX_SOURCE, CutSchema, DivisibleSchema, WindowSchema
from common.schema.webhooks import ReplaySchema, RotateSchema, WebhookSchema
from common.schema.work import (
    MAX_LOG_LINES,
    MAX_REPORTS,
    MAX_TEXT,
    ErrorSchema,
    FailureField,
    ProgressSchema,
    ReleaseSchema,
    ReportSchema,
    ReportsSchema,
    is_scalar,
    is_usual,
)

__all__ = [
    "MAX_BATCH",
    "MAX_DEPENDENCIES",
    "MAX_LOG_LINES",
    "MAX_NUMBER",
    "MAX_REASON",
    "MAX_REPORTS",
    "MAX_SOURCE",
    "MAX_TEXT",
    "ArtifactSchema",
    "BatchJobSchema",
    "BatchSchema",
    "ConstraintsSchema",
    "CredentialSchema",
    "CrfProbeSchema",
    "CutSchema",
    "DivisibleSchema",
    "ErrorSchema",
    "FailureField",
    "FileSchema",
    "FindingsSchema",
    "HeartbeatSchema",
    "LeaveSchema",
    "LoadSchema",
    "NothingSchema",
    "ParametersSchema",
    "ProgressSchema",
    "RegisterSchema",
    "ReleaseSchema",
    "RepeatSchema",
    "ReplaySchema",
    "ReportSchema",
    "ReportsSchema",
    "RotateSchema",
    "SignInSchema",
    "Strict",
    "SubmitSchema",
    "TokenSchema",
    "WebhookSchema",
    "WindowSchema",
    "flatten",
    "is_id",
    "is_scalar",
    "is_sha256",
    "is_usual",
]
