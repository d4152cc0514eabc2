"""An attempt whose encode is over: its files lie in its directory, and nothing has been published."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.files import Files
from agent.produced import Produced
from agent.publish.rules import OutputFailedError, OutputRules
from agent.publish.step import Published, prepare, publish
from agent.task import Assignment, Task, Tools
from agent.workspace import attempt_directory, job_directory
from common.model import ArtifactKind, Value

JOB = "660e8400-e29b-41d4-a716-446655440001"
VIDEO = {"480p-h264.mp4": b"the whole film"}
PIECES = {
    "480p-h264.m3u8": b"#EXTM3U",
    "init.mp4": b"header",
    "720p/0001.m4s": b"first",
    "720p/0002.m4s": b"second",
}


class _NobodyStarts(Spawner):
    def __init__(self) -> None:
        pass


@dataclass
class Attempt:
    """One attempt to publish."""

    work_dir: Path
    output: str | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    roots: Mapping[str, Path] = field(default_factory=dict)
    number: int = 1
    job_id: str = JOB
    store: Files | None = None
    abort: threading.Event = field(default_factory=threading.Event)
    may_work: Callable[[], bool] = lambda: True
    node_id: str = "node-one"

    @contextmanager
    def task(self) -> Iterator[Task]:
        """The attempt, for as long as its directory is there."""
        tools = Tools(
            Toolbox({}),
            _NobodyStarts(),
            lambda *_: None,
            self.abort,
            self.may_work,
            outputs=OutputRules(self.roots),
            files=self.store,
        )
        lease = f"lease-{self.number}"
        given = Assignment(self.job_id, "480p-h264", self.parameters, lease, self.number, output=self.output)
        with (
            job_directory(self.work_dir / self.job_id) as job,
            attempt_directory(job.path, self.node_id, lease) as own,
        ):
            yield Task(given, self.node_id, tools, job.path, own)

    def publishes(
        self, files: Mapping[str, bytes] = VIDEO, *, pieces: bool = False, given: int | None = None
    ) -> Published:
        """What comes of it; both steps, as a job takes them."""
        with self.task() as task:
            prepare(task, pieces=pieces, given=given)
            for name, content in files.items():
                path = task.directory / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(content)
            made = [Produced(name, ArtifactKind.VIDEO, "video/mp4") for name in files]
            return publish(task, made, pieces=pieces, given=given)

    def fails(
        self, files: Mapping[str, bytes] = VIDEO, *, pieces: bool = False, given: int | None = None
    ) -> str:
        """The code that it fails with."""
        try:
            self.publishes(files, pieces=pieces, given=given)
        except OutputFailedError as error:
            self.message = str(error)
            return error.code
        raise AssertionError("it did not fail")


def tree(directory: Path) -> dict[str, bytes]:
    """Each file below a directory, and what is in it."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and path.name != ".ffrtmp.json"
    }
