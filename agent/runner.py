"""One job in, one report out: encode, probe, verify, publish; or say why not."""

from __future__ import annotations

import errno
import re
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent.advance import Advance, OnProgress
from agent.chunks.encode import encode_chunk
from agent.chunks.look import look
from agent.chunks.sound import encode_sound
from agent.encode import ffmpeg_for
from agent.energy.account import Account, Means
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.limits import Limits, limits_for
from agent.ffmpeg.spawner import Spawner
from agent.files import Files
from agent.hosts.pool import Hosts, family_of
from agent.inputs.measured import MeasuredInput, measured_input
from agent.inputs.rules import InputFailedError, InputRules
from agent.join import join
from agent.paces import Paces
from agent.plan import plan
from agent.probe import probe_open
from agent.probe_part import probe_part
from agent.publish.rules import OutputFailedError, OutputRules
from agent.sandbox import Sandbox
from agent.stream.live import stream_out
from agent.stream.record import recorded_input
from agent.task import MAX_MESSAGE, AbortedError, Assignment, Done, FailedError, Task, Tools
from agent.work import work
from agent.workspace import attempt_directory, job_directory
from common.analyzer import analyze
from common.model import NO_FINDINGS, Failure, JobStatus, Report, Scalar, Stage
from common.scenarios import SCENARIOS
from common.settings import EncodeSettings, Source, UnsuitableError
from common.settings.live import resolve_job
from common.streams import is_stream

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", re.ASCII)
_FULL = (errno.ENOSPC, errno.EDQUOT)
_STAGES = {Stage.ENCODE: work, Stage.PLAN: plan, Stage.PROBE: probe_part, Stage.SOUND: encode_sound}
"""What is done with an input, or a picture that ffmpeg makes."""
_PIECES = {Stage.LOOK: look, Stage.CHUNK: encode_chunk}
"""What is done with a piece of an input."""
_NO_SANDBOX = Sandbox()
_NO_INPUTS = InputRules()
_NO_OUTPUTS = OutputRules()


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
    outputs: OutputRules = _NO_OUTPUTS,
    clips: Path | None = None,
    account: Account | None = None,
    files: Files | None = None,
    paces: Paces | None = None,
    hosts: Hosts | None = None,
) -> Report | None:
    """Runs the job in the sandbox to its end; None if `abort` ended it. Never raises.

    Its ffmpeg is suspended while `may_work`, which is asked again and again, is false.

    The output is where the job wants it (`agent.publish`), there only when it is whole and
    verified; after a failure or an abort nothing of this attempt is left. `on_progress` is called
    every second or two and once at the end, from this thread. `account` measures what it uses; `paces` knows
    how fast earlier attempts went; `hosts` read files for it, where there is a whole sandbox.
    """
    course = Advance(on_progress, paces)
    tools = Tools(
        toolbox,
        spawner,
        course,
        abort,
        may_work,
        sandbox,
        limits,
        inputs=inputs,
        outputs=outputs,
        account=account or Account(Means()),
        course=course,
        clips=clips,
        files=files,
    )
    failure: Failure | None = None
    known: Mapping[str, Scalar] = {}
    findings = NO_FINDINGS
    try:
        with family_of(hosts, assignment, sandbox) as own:
            known, findings = _run(assignment, node_id, work_dir, replace(tools, sandbox=own))
        course.end()
    except AbortedError:
        return None
    except FailedError as error:
        failure, known = error.failure, error.known
    except (InputFailedError, OutputFailedError) as error:
        failure = Failure(error.code, str(error)[:MAX_MESSAGE])
    except OSError as error:
        code = "disk_full" if error.errno in _FULL else "agent_error"
        failure = Failure(code, f"the agent could not run the job: {error}")
    except Exception as error:  # noqa: BLE001 - whatever went wrong, the master must hear of it
        failure = Failure("agent_error", f"the agent failed: {type(error).__name__}: {error}")
    if failure is not None and abort.is_set():
        return None  # nobody waits for this attempt any more
    return Report(
        job_id=assignment.job_id,
        node_id=node_id,
        status=JobStatus.COMPLETED if failure is None else JobStatus.FAILED,
        lease_id=assignment.lease_id,
        attempt=assignment.attempt,
        error=failure,
        metrics=known,
        analyzer_output=analyze(known) if known else {},
        findings=findings,
    )


def _run(assignment: Assignment, node_id: str, work_dir: Path, tools: Tools) -> Done:
    """What the job brought; `FailedError`, `InputFailedError`, `AbortedError`."""
    settings = _settings(assignment, tools.toolbox)
    with (
        job_directory(work_dir.absolute() / _plain(assignment.job_id)) as directory,
        attempt_directory(directory.path, node_id, assignment.lease_id) as own,
    ):
        task = Task(assignment, node_id, tools, directory.path, own)
        if assignment.stage is Stage.JOIN:
            return join(task)
        if assignment.stage in _PIECES:  # neither fetched nor measured whole: the plan has told what it is
            return _PIECES[assignment.stage](task)
        ffmpeg_for(task, settings)  # before an input is fetched in vain
        with _input(task) as given:
            source = None if given is None else given.source
            settings = _settings(assignment, tools.toolbox, source)
            if assignment.output is not None and is_stream(assignment.output):
                return stream_out(task, settings, given)
            return _STAGES[assignment.stage](task, settings, given)


def _input(task: Task) -> AbstractContextManager[MeasuredInput | None]:
    """The job's input, open and measured for as long as the block lasts; None if it has none."""
    tools, text = task.tools, task.assignment.input
    if text is None:
        return nullcontext()
    asked = task.assignment.parameters.get("duration")
    measure = partial(
        probe_open,
        name="the input",
        spawner=tools.spawner,
        sandbox=tools.sandbox,
        abort=tools.abort,
        until=float(asked) if isinstance(asked, int | float) else None,
    )
    if is_stream(text):
        return recorded_input(task, float(str(asked)), measure)
    return measured_input(text, tools.inputs, task.directory / "input", measure, tools.abort, tools.files)


def _settings(assignment: Assignment, toolbox: Toolbox, source: Source | None = None) -> EncodeSettings:
    scenario = SCENARIOS.get(assignment.scenario)
    if scenario is None:  # a newer master may know more; another node may, too
        raise FailedError(
            "agent_error", f"this agent does not know the scenario {assignment.scenario!r}; update it"
        )
    try:
        return resolve_job(
            scenario, assignment.parameters, assignment.input, assignment.output, source, toolbox.encoders
        )
    except UnsuitableError as error:
        if source is not None:  # without what is known of the input all did fit
            raise FailedError("input_invalid", f"the input cannot be encoded: {error}") from error
        raise FailedError("encoder_error", f"{error.field}: {error}") from error


def _plain(job_id: str) -> str:
    """The job's id, once it is sure that it names something in the work directory."""
    if not _PLAIN_NAME.fullmatch(job_id):
        raise FailedError("agent_error", f"the job id {job_id[:80]!r} is not a plain name; nothing was run")
    return job_id
