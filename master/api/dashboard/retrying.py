"""Retrying by a form: one that is sent twice, by a double click or a reload, repeats each job once."""

from __future__ import annotations

import hashlib
import secrets

from marshmallow import validate

from common.fields import StrictString
from master.api.answers import caller, farm
from master.service import JobView, jobs
from master.submission import Key


def form_key() -> StrictString:
    """The field of a form that tells it from all others; see `new_key`."""
    return StrictString(load_default=None, validate=validate.Regexp(r"\A[0-9a-f]{32}\Z"))


def new_key() -> str:
    """What a form that is shown now is told by when it is sent."""
    return secrets.token_hex(16)


def retry(job_id: str, key: str | None) -> JobView:
    """Queue a job that repeats `job_id`, or answer the one that this form has queued before."""
    digest = hashlib.sha256(f"retry {job_id} ".encode()).hexdigest()
    once = None if key is None else Key(f"page-{key}-{job_id}", digest, caller().owner)
    return jobs.retry(farm(), caller(), job_id, once)
