"""One attempt at work: what it is to do, with what, and how it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from agent.advance import Advance, OnProgress
from agent.energy.account import Account, Means
from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.limits import Limits, limits_for
from agent.ffmpeg.process import Ended, run
from agent.ffmpeg.spawner import Spawner
from agent.files import Files
from agent.inputs.rules import InputRules
from agent.publish.rules import OutputRules
from agent.sandbox import Sandbox
from common.model import Artifact, Confidence, Failure, Findings, Scalar, Stage, Value, Window
from common.settings import EncodeSettings

MAX_MESSAGE = 500
"""Characters of a failure's message."""


@dataclass(frozen=True, slots=True)
class PartDone:
    """A completed part of a job, or another that it depends on, wherever it was made."""

    name: str
    """Such as `720p`."""
    job_id: str
    metrics: Mapping[str, Scalar]
    artifacts: tuple[Artifact, ...]
    stage: Stage = Stage.ENCODE
    """What it did."""
    window: Window | None = None
    """The frames of a chunk."""


@dataclass(frozen=True, slots=True)
class Assignment:
    """A job as the master gave it to this node."""

    job_id: str
    scenario: str
    parameters: Mapping[str, Value]
    lease_id: str
    attempt: int
    input: str | None = None
    """What is encoded (`common.inputs`); None: a picture that ffmpeg makes."""
    output: str | None = None
    """Where what it makes goes (`common.outputs`); None: it stays here."""
    confidence: Confidence = Confidence.AUTO
    stage: Stage = Stage.ENCODE
    part: str | None = None
    """Which part of its parent it is."""
    parts: tuple[PartDone, ...] = ()
    """What it is to join, or to begin from."""
    request_id: str | None = None
    """The request that submitted the job; None: the master does not say."""
    window: Window | None = None
    """The frames that it encodes, where it is a chunk."""
    source: str | None = None
    """What a plan found out of the whole input (`Divisible.source`), for the parts of a split job and their
    join."""
    parent_id: str | None = None
    """The job of which it is a part."""
    hand_on: bool = False
    """Whether a plan has to put the input into the file store, for other nodes."""

    def heading(self, node_id: str) -> str:
        """The first line that an attempt logs: by it the logs of all programs are found."""
        asked_for = f", asked for by request {self.request_id}" if self.request_id else ""
        return f"Attempt {self.attempt} of job {self.job_id} on node {node_id}{asked_for}"


@dataclass(frozen=True, slots=True)
class Tools:
    """What attempts work with: the same for all of an agent, but for who is told and who ends them."""

    toolbox: Toolbox
    spawner: Spawner
    on_progress: OnProgress
    """Is told of the step under way, what its ffmpeg says of itself."""
    abort: threading.Event
    """Set when nobody waits for the attempt any more."""
    may_work: Callable[[], bool] = lambda: True
    """Whether the lease is known to hold; asked again and again."""
    sandbox: Sandbox = field(default_factory=Sandbox)
    limits: Callable[[EncodeSettings], Limits] = limits_for
    account: Account = field(default_factory=lambda: Account(Means()))
    """Measures what encodes use."""
    inputs: InputRules = field(default_factory=InputRules)
    outputs: OutputRules = field(default_factory=OutputRules)
    course: Advance = field(default_factory=Advance)
    """Is told which steps there are."""
    clips: Path | None = None
    """Where pictures that were made once are kept; None: each attempt makes its own."""
    files: Files | None = None
    """The master's file store; None: there is none here."""


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt."""

    assignment: Assignment
    node_id: str
    tools: Tools
    job_directory: Path
    """Where what it makes is kept."""
    directory: Path
    """Its own, within that: what is left there at its end is removed."""

    def run(
        self,
        argv: Sequence[str],
        limits: Limits,
        *,
        directory: Path | None = None,
        descriptors: Sequence[int] = (),
        total_frames: int | None = None,
        on_progress: OnProgress | None = None,
        devices: bool = False,
    ) -> Ended:
        """Runs an ffmpeg of the attempt to its end, suspended while the lease is not known to hold.

        It works in its own directory, or in `directory`; the rest as `agent.ffmpeg.process.run` has it.
        `AbortedError`.
        """
        tools = self.tools
        ended = run(
            tools.spawner,
            argv,
            directory or self.directory,
            limits=limits,
            abort=tools.abort,
            may_work=tools.may_work,
            total_frames=total_frames,
            on_progress=on_progress,
            sandbox=tools.sandbox,
            descriptors=descriptors,
            devices=devices,
        )
        if ended.why == "aborted":
            raise AbortedError
        return ended


Done = tuple[dict[str, Scalar], Findings]
"""The metrics of an attempt that ended well, and what else came to light."""


class FailedError(Exception):
    """The attempt failed; carries what the report says of it."""

    def __init__(self, code: str, message: str, known: Mapping[str, Scalar] | None = None) -> None:
        super().__init__(message)
        self.failure = Failure(code, message[:MAX_MESSAGE])
        self.known = known or {}


class AbortedError(Exception):
    """`Tools.abort` ended the attempt: there is nothing to report."""
