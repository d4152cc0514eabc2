"""One job in, one report out: encode, probe, verify, publish; or say why not."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from agent.ffmpeg import command
from agent.ffmpeg.discover import FFmpeg, Toolbox
from agent.ffmpeg.limits import Limits, limits_for
from agent.ffmpeg.log import reason
from agent.ffmpeg.process import Ended, run
from agent.ffmpeg.spawner import Spawner
from agent.inputs.measured import MeasuredInput, measured_input
from agent.inputs.rules import InputFailedError, InputRules
from agent.probe import Probe, ProbeError, probe, probe_open, verify
from agent.sandbox import Sandbox
from agent.workspace import job_directory, part_of, publish
from common.analyzer import analyze
from common.model import Failure, JobStatus, Progress, Report, Scalar
from common.result import metrics
from common.scenarios import SCENARIOS
from common.settings import EncodeSettings, Source, UnsuitableError, resolve

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_NO_SPACE = "No space left on device"
_UNREADABLE = (
    "Cannot determine format of input",
    "Error opening input",
    "Invalid data found when processing input",
)
"""What ffmpeg says of an input that it cannot read or decode."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_NO_SANDBOX = Sandbox()
_NO_INPUTS = InputRules()
_MAX_MESSAGE = 500
"""Characters of a failure's message."""

OnProgress = Callable[[Progress, list[str]], None]
"""Gets the newest progress and the log lines since the last call."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job as the master gave it to this node."""

    job_id: str
    scenario: str
    parameters: Mapping[str, Scalar]
    lease_id: str
    attempt: int
    input: str | None = None
    """What is encoded (`common.inputs`); None: a picture that ffmpeg makes."""


class _FailedError(Exception):
    """The attempt failed; carries what the report says of it."""

    def __init__(self, code: str, message: str, known: Mapping[str, Scalar] | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(code, message[:_MAX_MESSAGE])
        self.known = known or {}


def run_job(
    assignment: Assignment,
    node_id: str,
    toolbox: Toolbox,
    spawner: Spawner,
    work_dir: Path,
    on_progress: OnProgress,
    abort: threading.Event,
    *,
    may_work: Callable[[], bool] = lambda: True,
    limits: Callable[[EncodeSettings], Limits] = limits_for,
    sandbox: Sandbox = _NO_SANDBOX,
    inputs: InputRules = _NO_INPUTS,
) -> Report | None:
    """Runs the job in the sandbox to its end; None if `abort` ended it. Never raises.

    Its ffmpeg is suspended while `may_work`, which is asked again and again, is false.

    The output is `work_dir/<job id>/<scenario>.<container>`, there only when it is whole
    and verified; after a failure or an abort nothing of this attempt is left. `on_progress` is called
    about once a second and once at the end, from this thread.
    """
    failure: Failure | None = None
    known: Mapping[str, Scalar] | None = None
    try:
        known = _run(
            assignment,
            node_id,
            toolbox,
            spawner,
            work_dir,
            on_progress,
            abort,
            may_work,
            limits,
            sandbox,
            inputs,
        )
    except _FailedError as error:
        failure, known = error.failure, error.known
    except InputFailedError as error:
        failure, known = Failure(error.code, str(error)[:_MAX_MESSAGE]), {}
    except OSError as error:
        code = "disk_full" if error.errno in _FULL else "agent_error"
        failure, known = Failure(code, f"the agent could not run the job: {error}"), {}
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the master must hear of it
        failure, known = Failure("agent_error", f"the agent failed: {type(error).__name__}: {error}"), {}
    if known is None or (failure is not None and abort.is_set()):
        return None  # nobody waits for this attempt any more
    return _report(assignment, node_id, failure, known)


def _report(
    assignment: Assignment, node_id: str, failure: Failure | None, known: Mapping[str, Scalar]
) -> Report:
    return Report(
        job_id=assignment.job_id,
        node_id=node_id,
        status=JobStatus.COMPLETED if failure is None else JobStatus.FAILED,
        lease_id=assignment.lease_id,
        attempt=assignment.attempt,
        error=failure,
        metrics=known,
        analyzer_output=analyze(known) if known else {},
    )


def _run(
    assignment: Assignment,
    node_id: str,
    toolbox: Toolbox,
    spawner: Spawner,
    work_dir: Path,
    on_progress: OnProgress,
    abort: threading.Event,
    may_work: Callable[[], bool],
    limits: Callable[[EncodeSettings], Limits],
    sandbox: Sandbox,
    inputs: InputRules,
) -> dict[str, Scalar] | None:
    """The metrics of the published output; None if aborted."""
    settings = _settings(assignment)
    ffmpeg = toolbox.ffmpeg_for(settings.encoder)
    if ffmpeg is None:
        why = toolbox.failed.get(settings.encoder, "no ffmpeg here lists it")
        raise _FailedError(
            "encoder_missing", f"this node cannot use {settings.encoder}: {why}", metrics(settings)
        )
    with (
        job_directory(work_dir.absolute() / _plain(assignment.job_id)) as directory,
        _input(assignment, inputs, directory.path, node_id, spawner, sandbox, abort) as given,
    ):
        if given is not None:
            settings = _settings(assignment, given.source)
        fewer = 0 if given is None else given.uncertain(settings)
        whole = directory.path / f"{assignment.scenario}.{settings.container}"
        part = part_of(whole, node_id, assignment.lease_id)
        try:
            descriptor = None if given is None else given.descriptor
            argv = command.build(str(ffmpeg.path), settings, part.name, descriptor, ffmpeg.version)
            ended = run(
                spawner,
                argv,
                directory.path,
                limits=limits(settings if given is None else given.burden(settings)),
                abort=abort,
                may_work=may_work,
                total_frames=settings.frames,
                on_progress=on_progress,
                sandbox=sandbox,
                descriptors=[] if descriptor is None else [descriptor],
            )
            if ended.why == "aborted":
                return None
            known = _known(settings, ffmpeg, argv, ended)
            if directory.vanished():
                raise _FailedError("agent_error", f"{directory.path} was removed during the encode", known)
            probed = _accept(settings, ended, known, partial(probe, part, spawner, sandbox), fewer)
            publish(part, whole)
            return _known(settings, ffmpeg, argv, ended, probed, whole)
        finally:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)


def _input(
    assignment: Assignment,
    rules: InputRules,
    directory: Path,
    node_id: str,
    spawner: Spawner,
    sandbox: Sandbox,
    abort: threading.Event,
) -> contextlib.AbstractContextManager[MeasuredInput | None]:
    """The job's input, open and measured for as long as the block lasts; None if it has none."""
    if assignment.input is None:
        return contextlib.nullcontext()
    unfinished = part_of(directory / "input", node_id, assignment.lease_id)
    measure = partial(probe_open, name="the input", spawner=spawner, sandbox=sandbox, abort=abort)
    return measured_input(assignment.input, rules, unfinished, measure, abort)


def _known(
    settings: EncodeSettings,
    ffmpeg: FFmpeg,
    argv: list[str],
    ended: Ended,
    probed: Probe | None = None,
    whole: Path | None = None,
) -> dict[str, Scalar]:
    return metrics(
        settings,
        command=argv,
        ffmpeg_version=ffmpeg.version,
        wall_seconds=ended.wall_seconds,
        cpu_seconds=ended.cpu_seconds,
        peak_memory_bytes=ended.peak_memory_bytes,
        probed=probed,
        # Paths may be any bytes, JSON may not.
        output_path=None if whole is None else os.fsencode(whole).decode("utf-8", "replace"),
    )


def _settings(assignment: Assignment, source: Source | None = None) -> EncodeSettings:
    scenario = SCENARIOS.get(assignment.scenario)
    if scenario is None:  # a newer master may know more; another node may, too
        raise _FailedError(
            "agent_error", f"this agent does not know the scenario {assignment.scenario!r}; update it"
        )
    try:
        return resolve(scenario, assignment.parameters, source)
    except UnsuitableError as error:
        if source is not None:  # without what is known of the input all did fit
            raise _FailedError("input_invalid", f"the input cannot be encoded: {error}") from error
        raise _FailedError("encoder_error", f"{error.field}: {error}") from error


def _plain(job_id: str) -> str:
    """The job's id, once it is sure that it names something in the work directory."""
    if not _PLAIN_NAME.fullmatch(job_id):
        raise _FailedError("agent_error", f"the job id {job_id[:80]!r} is not a plain name; nothing was run")
    return job_id


def judge(ended: Ended) -> Failure | None:
    """Why the encode failed, from how ffmpeg ended; None if it ended well. Pure."""
    wall = f"{ended.wall_seconds:.0f} s"
    last = reason(ended.log) or "it logged nothing"
    if ended.why == "time_limit":
        return Failure("time_limit", f"ffmpeg was ended after {wall}, which is its time limit")
    if ended.why == "stalled":
        return Failure("encoder_stalled", f"ffmpeg made no progress and was ended after {wall}: {last}")
    if ended.why == "memory_limit":
        return Failure("memory_limit", f"ffmpeg needed more memory than its limit allows: {last}")
    if ended.why == "cpu_limit":
        return Failure("cpu_limit", f"ffmpeg was ended after {ended.cpu_seconds:.0f} s of CPU time: {last}")
    if ended.why == "output_too_large":
        return Failure("output_too_large", f"ffmpeg wrote more than its limit of file size allows: {last}")
    if ended.returncode == 0:
        return None
    if any(_NO_SPACE in line for line in ended.log):
        return Failure("disk_full", f"no space was left for the output: {last}")
    # ffmpeg catches TERM and INT: it ends by itself with code 255 and says so.
    if ended.signal is not None or any("received signal" in line for line in ended.log):
        number = "a signal" if ended.signal is None else f"signal {ended.signal}"
        return Failure("encoder_killed", f"ffmpeg was ended by {number} from outside or crashed: {last}")
    return Failure("encoder_error", f"ffmpeg failed with exit code {ended.returncode}: {last}")


def _accept(
    settings: EncodeSettings,
    ended: Ended,
    known: Mapping[str, Scalar],
    measure: Callable[[], Probe],
    fewer: int,
) -> Probe:
    """What the output is, if ffmpeg ended well and it is what was asked for."""
    failure = judge(ended)
    if failure is not None:
        unreadable = fewer and any(sign in line for line in ended.log for sign in _UNREADABLE)
        code = "input_invalid" if failure.code == "encoder_error" and unreadable else failure.code
        raise _FailedError(code, failure.message, known)
    try:
        probed = measure()
    except (ProbeError, FileNotFoundError) as error:
        raise _FailedError("output_invalid", f"the output cannot be used: {error}", known) from error
    if fewer and probed.frames < settings.frames - fewer:
        what = f"it has pictures for {probed.frames} frames, and should have for {settings.frames}"
        raise _FailedError("input_invalid", f"the input is damaged or cut off: {what}", known)
    wrong = verify(probed, settings, fewer)
    if wrong is not None:
        raise _FailedError("output_invalid", wrong, known)
    return probed
