"""What is answered: marshmallow schemas for every document of the API.

They describe (`master.api.documents` makes the documents, by hand, since pages of a thousand jobs
must be quick), and tests load real answers with them: no field is missing, none is unknown.
"""

from common.documents.farm import (
    AuditEntrySchema,
    AuditSchema,
    FieldErrorSchema,
    HealthSchema,
    ProblemSchema,
    QueueSchema,
    ScenarioSchema,
    ScenariosSchema,
    StatusSchema,
)
from common.documents.files import FileDocumentSchema, FilesSchema, UploadSchema
from common.documents.jobs import (
    AttemptSchema,
    BatchDocumentSchema,
    ClaimedSchema,
    ClaimSchema,
    FailureSchema,
    FullJobSchema,
    JobSchema,
    JobsSchema,
    LogSchema,
    PartSchema,
    ProgressDocumentSchema,
    RenewedSchema,
)
from common.documents.nodes import HeardSchema, NodeSchema, NodesSchema, RegisteredSchema, TermsSchema
from common.documents.results import (
    ReportedSchema,
    ReportOutcomeSchema,
    ReportOutcomesSchema,
    ReportTakenSchema,
    ResultSchema,
    ResultsSchema,
)
from common.documents.tokens import MadeTokenSchema, TokenDocumentSchema, TokensSchema
from common.documents.webhooks import (
    DeliveriesSchema,
    DeliverySchema,
    MadeWebhookSchema,
    MessageSchema,
    RotatedSchema,
    WebhookDocumentSchema,
    WebhooksSchema,
)

__all__ = [
    "AttemptSchema",
    "AuditEntrySchema",
    "AuditSchema",
    "BatchDocumentSchema",
    "ClaimSchema",
    "ClaimedSchema",
    "DeliveriesSchema",
    "DeliverySchema",
    "FailureSchema",
    "FieldErrorSchema",
    "FileDocumentSchema",
    "FilesSchema",
    "FullJobSchema",
    "HealthSchema",
    "HeardSchema",
    "JobSchema",
    "JobsSchema",
    "LogSchema",
    "MadeTokenSchema",
    "MadeWebhookSchema",
    "MessageSchema",
    "NodeSchema",
    "NodesSchema",
    "PartSchema",
    "ProblemSchema",
    "ProgressDocumentSchema",
    "QueueSchema",
    "RegisteredSchema",
    "RenewedSchema",
    "ReportOutcomeSchema",
    "ReportOutcomesSchema",
    "ReportTakenSchema",
    "ReportedSchema",
    "ResultSchema",
    "ResultsSchema",
    "RotatedSchema",
    "ScenarioSchema",
    "ScenariosSchema",
    "StatusSchema",
    "TermsSchema",
    "TokenDocumentSchema",
    "TokensSchema",
    "UploadSchema",
    "WebhookDocumentSchema",
    "WebhooksSchema",
]
