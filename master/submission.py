"""From what was asked for to a job that can run: pure."""

from __future__ import annotations

import difflib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common import problems
from common.inputs import parse_input, stored_file
from common.job_files import job_file
from common.ladder import Picture, parse_ladder, rungs
from common.model import Confidence, Constraints, Job, Now, runs_alone
from common.model.changed import changed
from common.outputs import FILES, parse_output
from common.scenarios import SCENARIOS, Scenario
from common.settings import CONTAINERS, EncodeSettings, UnsuitableError, resolve
from common.settings.live import resolve_job
from common.split import asked
from common.streams import is_stream
from master.lifecycle import ladders
from master.split_rules import check_split

FINDINGS_SINCE = 4
"""The first protocol with outputs, findings, stored files, and any parameter but these."""
SPLIT_SINCE = 6
"""The first protocol with jobs that are encoded in chunks."""
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
    request_id: str | None = None,
) -> Job:
    """The job that a loaded `SubmitSchema` describes; `unknown_scenario` or `invalid` if it cannot run.

    It has no place in the queue yet, and what it depends on is not looked up.
    """
    name = fields["scenario"]
    scenario = SCENARIOS.get(name)
    if scenario is None:
        nearest = difflib.get_close_matches(name, SCENARIOS, n=3, cutoff=0.4)
        hint = f"Did you mean {', '.join(nearest)}?" if nearest else "GET /scenarios lists them."
        raise problems.UNKNOWN_SCENARIO(f"There is no scenario {name!r}. {hint}", nearest=nearest)
    try:
        settings = _settings(scenario, fields)
    except UnsuitableError as error:
        raise problems.invalid_field(f"parameters.{error.field}", str(error)) from error
    if settings.audio == "copy" and fields["input"] is None:
        raise problems.invalid_field("parameters.audio", "without an input there is no sound to copy")
    wanted = fields["constraints"]
    output = _output(fields)
    made = job_file(fields["input"])
    first = () if made is None else (made.job_id,)
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
            input=None if fields["input"] is None or made else parse_input(fields["input"]).place,
            output=None if output is None else parse_output(output).place,
            alone=runs_alone(fields["confidence"], fields["parameters"]),
            protocol=_protocol(fields),
        ),
        created_at=now.wall,
        max_attempts=max_attempts,
        input=fields["input"],
        output=output,
        owner=owner,
        request_id=request_id,
        idempotency_key=key.name if key else None,
        request_digest=key.digest if key else None,
        depends_on=tuple(dict.fromkeys((*first, *fields["depends_on"]))),
    )


def _settings(scenario: Scenario, fields: Mapping[str, Any]) -> EncodeSettings:
    """The encode, or for a ladder its lowest rung; `UnsuitableError` if it cannot be."""
    parameters = fields["parameters"]
    if parameters.get("pictures") and fields["input"] is None:
        raise UnsuitableError("pictures", "pictures are made of an input, and the job has none")
    check_split(fields)
    if not parameters.get("ladder"):
        return resolve_job(scenario, parameters, fields["input"], fields["output"])
    _check_ladder(parameters, fields["output"])
    nominal = Picture(3840, 2160, parameters.get("fps", scenario.fps))
    codec = parameters.get("codec", scenario.codec)
    return [
        resolve(scenario, ladders.parameters_of(parameters, rung, nominal.frame_rate))
        for rung in rungs(parameters["ladder"], nominal, codec)
    ][-1]


def _check_ladder(parameters: Mapping[str, Any], output: str | None) -> None:
    """`UnsuitableError` where a parameter says what the rungs say themselves."""
    try:
        parse_ladder(parameters["ladder"])
    except ValueError as error:
        raise UnsuitableError("ladder", str(error)) from error
    for name in ("width", "height", "bitrate", "crf", "target_vmaf"):
        if name in parameters:
            raise UnsuitableError(name, f"each rung of a ladder has its own {name}; leave it out")
    container = parameters.get("container", ladders.usual_container(parameters))
    if not CONTAINERS[container].pieces:
        raise UnsuitableError("container", "a ladder is made as hls or dash")
    if parameters.get("output_mode", "file") != "file":
        raise UnsuitableError("output_mode", "a ladder is made as files, not as a live stream")
    if output is not None and not (output == FILES or output.startswith("media:")):
        raise UnsuitableError("ladder", "a ladder is made as files: its output is files or media:ROOT/PATH")


def _output(fields: Mapping[str, Any]) -> str | None:
    """Where the job's output goes. The rungs of a ladder are made on different nodes: what they make
    must be found where it is joined."""
    output: str | None = fields["output"]
    return FILES if output is None and fields["parameters"].get("ladder") else output


def _protocol(fields: Mapping[str, Any]) -> int:
    """The least protocol of agents that understand all of it: older ones would leave out what they do not."""
    if asked(fields["parameters"]) is not None:
        return SPLIT_SINCE
    wanted = fields["input"] or ""
    new = (
        stored_file(wanted) is not None
        or job_file(wanted) is not None
        or is_stream(wanted)
        or "\\" in wanted  # a path with bytes that older agents know no way to write
        or fields["output"] is not None
        or fields["confidence"] is not Confidence.AUTO
        or not _OLD_PARAMETERS.issuperset(fields["parameters"])
    )
    return FINDINGS_SINCE if new else 0


def jobs_from(
    batch: Sequence[Mapping[str, Any]],
    key: Key | None,
    ids: Sequence[str],
    max_attempts: int,
    now: Now,
    owner: str | None = None,
    request_id: str | None = None,
) -> list[Job]:
    """The jobs of a batch; a refusal says which of them cannot run."""
    jobs = []
    alike: dict[Hashable, Job] = {}
    for place, (fields, job_id) in enumerate(zip(batch, ids, strict=True)):
        wish = _wish(fields)
        job = alike.get(wish)
        if job is None:
            try:
                job = job_from(fields, key, job_id, max_attempts, now, owner, request_id)
            except problems.Problem as problem:
                raise of_batch(problem, place) from problem
            alike[wish] = job
        else:
            job = changed(job, id=job_id)
        jobs.append(job)
    return jobs


def _wish(fields: Mapping[str, Any]) -> Hashable:
    """Equal for jobs of a batch that differ in nothing but their ids. What was loaded once is one object."""
    return (
        *(fields[name] for name in ("scenario", "input", "output", "confidence", "priority")),
        tuple(fields["depends_on"]),
        id(fields["parameters"]),
        id(fields["constraints"]),
    )


def of_batch(problem: problems.Problem, place: int) -> problems.Problem:
    """The refusal of a batch for one of its jobs, counted from 0."""
    detail = f"jobs.{place}: {problem.detail} Nothing of this batch was queued."
    return problem.type(detail, **{**problem.extra, "index": place})


def repeat_of(
    old: Job, key: Key | None, job_id: str, max_attempts: int, now: Now, request_id: str | None = None
) -> Job:
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
        request_id=request_id,
        idempotency_key=key.name if key else None,
        request_digest=key.digest if key else None,
        retry_of=old.id,
        depends_on=old.depends_on,
    )
