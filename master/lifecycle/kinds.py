"""Which jobs are divided, and how: the one table."""

from __future__ import annotations

from common.model import Job
from common.split import asked
from master.lifecycle.ladders import LADDER
from master.lifecycle.parts import Kind
from master.lifecycle.probes import PROBES
from master.lifecycle.splits import SPLIT

_BY_PARAMETER = {"ladder": LADDER, "target_vmaf": PROBES}
"""A job with one of these parameters is divided, or may be."""


def kind_of(job: Job) -> Kind | None:
    """How `job` is divided; None: it is not, or it is a part already."""
    if job.parent_id is not None:
        return None
    if asked(job.parameters) is not None:
        return SPLIT  # its chunks have the target_vmaf
    return next((kind for name, kind in _BY_PARAMETER.items() if job.parameters.get(name)), None)
