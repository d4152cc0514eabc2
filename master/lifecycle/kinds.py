"""Which jobs are divided, and how: the one table."""

from __future__ import annotations

from common.model import Job
from master.lifecycle.ladders import LADDER
from master.lifecycle.parts import Kind

_BY_PARAMETER = {"ladder": LADDER}
"""A job with one of these parameters is divided."""


def kind_of(job: Job) -> Kind | None:
    """How `job` is divided; None: it is not, or it is a part already."""
    return next((kind for name, kind in _BY_PARAMETER.items() if job.parameters.get(name)), None)
