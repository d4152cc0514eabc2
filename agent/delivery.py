"""A report on its way to the master: kept until it is answered, and given up only if it is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.link import RefusedError
from agent.outbox import Outbox
from common.client import ApiError
from common.model import Failure, JobStatus, Report

log = logging.getLogger(__name__)

Send = Callable[[Report, Sequence[str]], bool]
"""Sends a report with lines of the job's log until the master answers; False if told to stop first.

`ApiError` or `RefusedError` if it is refused.
"""

_NOT_WANTED = (
    "stale_lease",  # another attempt stands, or none is wanted
    "result_mismatch",
    "unknown_job",
    "unknown_node",  # the master lost its state, and with it the job
    "unauthenticated",
    "forbidden",  # of an identity that was deleted here
    "identity_in_use",  # the agent that has taken over ended all leases
    "credential_revoked",
    "node_revoked",
)
_NOT_YET = (
    "protocol_mismatch",  # another version of the agent may be understood
    "credential_expired",  # it may get another term
)


def deliver(report: Report, log_lines: Sequence[str], outbox: Outbox, send: Send) -> None:
    """Send `report`, which is kept in `outbox` until it is answered."""
    try:
        sent = _send(report, log_lines, send)
    except (ApiError, RefusedError) as error:
        if error.slug in _NOT_YET:
            return
        if isinstance(error, RefusedError) or error.slug in _NOT_WANTED:
            log.warning("The result of job %s is not wanted: %s", report.job_id, error)
        else:
            log.error("The master does not even take the failure of job %s: %s", report.job_id, error)  # noqa: TRY400 - it says it all
        outbox.forget(report)
        return
    if sent:
        outbox.forget(report)
        log.info("Results sent for job %s (status: %s)", report.job_id, report.status)
    else:
        log.warning(
            "The result of job %s could not be sent before the agent ended; its next start sends it",
            report.job_id,
        )


def _send(report: Report, log_lines: Sequence[str], send: Send) -> bool:
    """As `send`; a report that the master does not understand becomes a failure that says so.

    The same report would be refused again, and without any the job would be run again.
    """
    try:
        return send(report, log_lines)
    except ApiError as error:
        if error.slug in (*_NOT_WANTED, *_NOT_YET):
            raise
        log.error("The master refuses the result of job %s: %s", report.job_id, error)  # noqa: TRY400 - it says it all
        reason = Failure("agent_error", f"the master refused the result: {error}"[:500])
        return send(
            replace(report, status=JobStatus.FAILED, error=reason, metrics={}, analyzer_output={}), []
        )
