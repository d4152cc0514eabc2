"""The input that another job makes, `job:JOB_ID/PATH`: its grammar, pure.

The master alone knows it: a node is told which file of the file store that is, when it gets the job.
In a batch `JOB_ID` may be `#3`: the job at that place of the batch, counted from 0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from common.inputs import MAX_NAME, InputError
from common.paths import HIDDEN

JOB = "job:"
"""How such an input begins."""
MAX_PATH = 1024
"""Characters of the path of an artifact."""
JOB_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
PLACE = re.compile(r"#(0|[1-9][0-9]{0,4})", re.ASCII)
"""A job of the same batch, by its place in it."""
_HALF = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class JobFile:
    """An artifact of another job."""

    job_id: str
    """The job's id, or its place in the batch as `#3`."""
    path: str
    """As the result of that job has it: names with `/` between; none is empty, `.` or `..`."""

    def __str__(self) -> str:
        return f"{JOB}{self.job_id}/{self.path}"


def parse_job_file(text: str) -> JobFile:
    """The artifact that `job:JOB_ID/PATH` names; `InputError` if it is none."""
    job_id, slash, path = text.removeprefix(JOB).partition("/")
    if not (JOB_ID.fullmatch(job_id) or PLACE.fullmatch(job_id)):
        raise InputError("write job:JOB_ID/PATH with the whole id of a job, or in a batch job:#PLACE/PATH")
    if not slash or not path:
        raise InputError("the path is missing; write job:JOB_ID/PATH, as the result of that job has it")
    if len(path) > MAX_PATH:
        raise InputError(f"the path is longer than {MAX_PATH} characters")
    if HIDDEN.search(path) or _HALF.search(path):
        raise InputError("the path has a control character, or half a character, in it")
    names = path.split("/")
    if any(name in ("", ".", "..") for name in names):
        raise InputError("no name in the path may be empty, . or ..")
    if any(len(name.encode()) > MAX_NAME for name in names):
        raise InputError(f"a name in the path is longer than {MAX_NAME} bytes")
    return JobFile(job_id, path)


def job_file(text: str | None) -> JobFile | None:
    """The artifact that an input names; None if it is an input of another kind, or none at all."""
    return parse_job_file(text) if text is not None and text.startswith(JOB) else None
