"""The complex clip: made once, kept in the agent's state directory, and handed to ffmpeg as an open file."""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent.ffmpeg.begin import begin
from agent.ffmpeg.content import CLIP_BYTES, CLIP_FRAMES, CLIP_SHA256, clip
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.log import reason
from agent.ffmpeg.process import run
from agent.inputs.media import reopen
from agent.task import AbortedError, FailedError, Task
from common.settings import EncodeSettings

log = logging.getLogger(__name__)

_NAME = "complex.yuv"
_CHUNK = 1024 * 1024
_making = threading.Lock()
_checked: dict[tuple[int, int, int], str] = {}
"""The hash of each file that was read once, by what it is: device, inode, time of change."""


@dataclass(frozen=True, slots=True)
class Clip:
    """The clip, open."""

    descriptor: int
    sha256: str

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know before results are compared."""
        if self.sha256 == CLIP_SHA256:
            return ()
        return (
            f"the complex clip of this node is not the usual one (SHA-256 {self.sha256[:16]}..., usual "
            f"{CLIP_SHA256[:16]}...): its ffmpeg makes it differently, so "
            "compare with results of this node only",
        )


@contextmanager
def clip_for(task: Task, settings: EncodeSettings, ffmpeg: FFmpeg, *, given: bool) -> Iterator[Clip | None]:
    """The clip, if that is what is to be encoded, for as long as the block lasts; made first if it has to be.

    `FailedError` if it cannot be made; `AbortedError`; OSError: `disk_full` among them.
    """
    if given or settings.content != "complex":
        yield None
        return
    file = _open(task, ffmpeg)
    try:
        yield file
    finally:
        os.close(file.descriptor)


def _open(task: Task, ffmpeg: FFmpeg) -> Clip:
    directory = task.directory if task.tools.clips is None else task.tools.clips
    path = directory / _NAME
    with _making:  # by one job, while others that want it wait
        try:
            found = _checked_clip(path)
        except FileNotFoundError:
            found = None
        if found is not None and found.sha256 != CLIP_SHA256 and not _made_by(path, ffmpeg):
            os.close(found.descriptor)
            found = None  # another ffmpeg made it, or the disk spoiled it
        if found is None:
            directory.mkdir(parents=True, exist_ok=True)
            _make(task, ffmpeg, path)
            found = _checked_clip(path)
    return found


def _checked_clip(path: Path) -> Clip:
    """What is there, whole, with its hash."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    about = os.fstat(descriptor)
    key = (about.st_dev, about.st_ino, about.st_ctime_ns)
    if key not in _checked:
        digest = hashlib.sha256()
        own = reopen(descriptor)
        try:
            while chunk := os.read(own, _CHUNK):
                digest.update(chunk)
        finally:
            os.close(own)
        _checked[key] = digest.hexdigest()
    return Clip(descriptor, _checked[key])


def _made_by(path: Path, ffmpeg: FFmpeg) -> bool:
    """Whether this ffmpeg has made it as it is: making it again would change nothing."""
    try:
        noted = path.with_suffix(".txt").read_text()
    except (OSError, UnicodeDecodeError):
        return False
    return noted == f"{ffmpeg.version} {_checked_clip_hash(path)}"


def _checked_clip_hash(path: Path) -> str:
    clip = _checked_clip(path)
    os.close(clip.descriptor)
    return clip.sha256


def _make(task: Task, ffmpeg: FFmpeg, path: Path) -> None:
    log.info("Making the complex clip, once (%d MB)", CLIP_BYTES // 1_000_000)
    own = Path(tempfile.mkdtemp(prefix="making-", dir=path.parent))
    try:
        argv = [*begin(str(ffmpeg.path)), "-protocol_whitelist", "file,pipe"]
        argv += ["-f", "lavfi", "-i", clip(), "-frames:v", str(CLIP_FRAMES), "-pix_fmt", "yuv420p"]
        argv += ["-protocol_whitelist", "file,pipe", "-f", "rawvideo", "-y", f"file:{_NAME}"]
        tools = task.tools
        limits = Limits(output_bytes=2 * CLIP_BYTES, total=600, cpu_seconds=600)
        ended = run(tools.spawner, argv, own, limits=limits, abort=tools.abort, sandbox=tools.sandbox)
        if ended.why == "aborted":
            raise AbortedError
        made = own / _NAME
        if ended.returncode != 0 or not made.is_file() or made.stat().st_size != CLIP_BYTES:
            full = any("No space left on device" in line for line in ended.log)
            why = reason(ended.log) or "it is not whole"
            raise FailedError(
                "disk_full" if full else "encoder_error", f"the complex clip could not be made: {why}"
            )
        made.replace(path)
        path.with_suffix(".txt").write_text(f"{ffmpeg.version} {_checked_clip_hash(path)}")
    finally:
        shutil.rmtree(own, ignore_errors=True)
