"""From what was asked for to a job that can run: pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common import problems
from common.inputs import parse_input
from common.model import Constraints, Job, Now
from common.outputs import parse_output
from common.scenarios import SCENARIOS
from common.settings import UnsuitableError, resolve

FINDINGS_SINCE = 4
"""The first protocol with outputs, findings, and any parameter but these."""
_OLD_PARAMETERS = frozenset(
    {"duration", "bitrate", "preset", "crf", "width", "height", "fps", "codec", "threads", "gop"}
    | {"pixel_format", "audio"}
)
NO_PLACE = 0
"""The place in the queue of a job that is not in it yet."""


@dataclass(frozen=True, slots=True)
class Key:
    """What makes a submit safe to repeat: the client's `Idempotency-Key`, and what was sent with it."""

    text: str
    digest: str
    """SHA-256 of the request: its body, and its address where that says what is wanted."""
    owner: str | None = None
    """The submitter that sent it; None: an operator."""

    @property
    def name(self) -> str:
        """What the job keeps. Each submitter's keys are its own: another's are none of its business."""
        return self.text if self.owner is None else f"{self.owner}\n{self.text}"

    def check(self, job: Job) -> None:
        """`key_reused` unless `job` was made by the same request."""
        if job.request_digest != self.digest:
            raise problems.KEY_REUSED(
                f"The Idempotency-Key {self.text!r} belongs to another request, which made job {job.id}. "
                "Use a new key for a new job.",
                job_id=job.id,
            )


def job_from(
    fields: Mapping[str, Any],
    key: Key | None,
    job_id: str,
    max_attempts: int,
    now: Now,
    owner: str | None = None,
) -> Job:
    """The job that a loaded `SubmitSchema` describes; `unknown_scenario` or `invalid` if it cannot run.

    It has no place in the queue yet.
    """
    name = fields["scenario"]
    scenario = SCENARIOS.get(name)
    if scenario is None:
        nearest = difflib.get_close_matches(name, SCENARIOS, n=3, cutoff=0.4)
        hint = f"Did you mean {', '.join(nearest)}?" if nearest else "GET /scenarios lists them."
        raise problems.UNKNOWN_SCENARIO(f"There is no scenario {name!r}. {hint}", nearest=nearest)
    try:
        settings = resolve(scenario, fields["parameters"])
    except UnsuitableError as error:
        raise problems.invalid_field(f"parameters.{error.field}", str(error)) from error
    if settings.audio == "copy" and fields["input"] is None:
        raise problems.invalid_field("parameters.audio", "without an input there is no sound to copy")
    wanted = fields["constraints"]
    return Job(
        id=job_id,
        seq=NO_PLACE,
        scenario=name,
        confidence=fields["confidence"],
        parameters=dict(fields["parameters"]),
        priority=fields["priority"],
        constraints=Constraints(
            labels=tuple(sorted(wanted["labels"].items())),
            encoders=tuple(sorted({settings.encoder, *wanted["encoders"]})),
            gpu=wanted["gpu"],
            input=None if fields["input"] is None else parse_input(fields["input"]).place,
            output=None if fields["output"] is None else parse_output(fields["output"]).place,
            protocol=_protocol(fields),
        ),
        created_at=now.wall,
        max_attempts=max_attempts,
        input=fields["input"],
        output=fields["output"],
        owner=owner,
        idempotency_key=key.name if key else None,
        request_digest=key.digest if key else None,
    )


def _protocol(fields: Mapping[str, Any]) -> int:
    """The least protocol of agents that understand all of it: older ones would leave out what they do not."""
    new = fields["output"] is not None or not _OLD_PARAMETERS.issuperset(fields["parameters"])
    return FINDINGS_SINCE if new else 0


def jobs_from(
    batch: Sequence[Mapping[str, Any]],
    key: Key | None,
    ids: Sequence[str],
    max_attempts: int,
    now: Now,
    owner: str | None = None,
) -> list[Job]:
    """The jobs of a batch; a refusal says which of them cannot run."""
    jobs = []
    for place, (fields, job_id) in enumerate(zip(batch, ids, strict=True)):
        try:
            jobs.append(job_from(fields, key, job_id, max_attempts, now, owner))
        except problems.Problem as problem:
            detail = f"jobs.{place}: {problem.detail} Nothing of this batch was queued."
            raise problem.type(detail, **{**problem.extra, "index": place}) from problem
    return jobs


def repeat_of(old: Job, key: Key | None, job_id: str, max_attempts: int, now: Now) -> Job:
    """A new job that asks for the same; `job_not_finished` while the old one may still succeed."""
    if not old.status.final:
        raise problems.JOB_NOT_FINISHED(
            f"Job {old.id} is {old.status}; only a finished job can be retried. Cancel it first.",
            job_id=old.id,
            job_status=old.status,
        )
    return Job(
        id=job_id,
        seq=NO_PLACE,
        scenario=old.scenario,
        confidence=old.confidence,
        parameters=old.parameters,
        priority=old.priority,
        constraints=old.constraints,
        created_at=now.wall,
        max_attempts=max_attempts,
        input=old.input,
        output=old.output,
        owner=old.owner,
        idempotency_key=key.name if key else None,
        request_digest=key.digest if key else None,
        retry_of=old.id,
    )
