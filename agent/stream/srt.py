"""SRT, which ffmpeg speaks: one that copies, and neither decodes nor encodes, has the network for it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from functools import partial

from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.limits import GIB, Limits
from agent.ffmpeg.log import reason
from agent.ffmpeg.process import Ended, run
from agent.stream import command, flv
from agent.stream.dial import Door
from agent.stream.flv import Tag
from agent.stream.wire import SILENCE, LostError, Wire
from agent.task import FailedError, Task
from common.model import Progress
from common.streams import SrtStream

_FIRST_SECONDS = 20.0
"""In which the first picture must be through."""
_FOREVER = 10 * 86_400.0
_MEMORY = 1 * GIB


def limits(total: float = _FOREVER, output_bytes: int = 0) -> Limits:
    """What an ffmpeg that only copies may take."""
    return Limits(
        first=_FIRST_SECONDS,
        stall=SILENCE,
        last=SILENCE,
        total=total,
        grace=1.0,
        memory=_MEMORY,
        cpu_seconds=round(total),
        output_bytes=output_bytes,
    )


def ffmpeg_for_srt(task: Task) -> FFmpeg:
    """The ffmpeg here that speaks SRT; `encoder_missing` if none does."""
    ffmpeg = task.tools.toolbox.srt
    if ffmpeg is None:
        raise FailedError("encoder_missing", "no ffmpeg of this node speaks SRT")
    return ffmpeg


def address_of(stream: SrtStream, door: Door) -> str:
    """The address to call. ForbiddenError, LostError."""
    return door.addresses(stream.origin)[0]


class SrtSink:
    """An ffmpeg that is handed FLV and sends it."""

    def __init__(
        self,
        task: Task,
        ffmpeg: FFmpeg,
        stream: SrtStream,
        door: Door,
        wanted: Callable[[], bool],
    ) -> None:
        """It is started. ForbiddenError, LostError."""
        self.arrived = 0
        self._ended: Ended | None = None
        self._cut = threading.Event()
        ours, its = socket.socketpair()
        self._wire = Wire(ours, wanted)
        argv = command.srt_pusher(str(ffmpeg.path), stream, address_of(stream, door), its.fileno())
        tools = task.tools
        started = partial(
            run,
            tools.spawner,
            argv,
            task.directory,
            limits=limits(),
            abort=self._cut,
            on_progress=self._on_progress,
            sandbox=tools.sandbox,
            descriptors=[its.fileno()],
            network=True,
        )
        self._thread = threading.Thread(target=self._run, args=(started, its), name="srt", daemon=True)
        self._thread.start()
        try:
            self._wire.send(flv.FILE_HEADER)
        except BaseException:
            self.close()
            raise

    def send(self, tag: Tag) -> None:
        """One more."""
        self.listen()
        self._wire.send(tag.encode())

    def listen(self) -> None:
        """LostError if it has ended."""
        if self._ended is not None:
            raise LostError(reason(self._ended.log) or "the connection ended")

    def finish(self) -> None:
        """Let it send what it has, and end."""
        self._wire.close()
        self._thread.join(SILENCE)
        self.close()

    def close(self) -> None:
        """At once."""
        self._cut.set()
        self._wire.close()
        self._thread.join()

    def _run(self, started: Callable[[], Ended], its: socket.socket) -> None:
        with its:
            self._ended = started()

    def _on_progress(self, progress: Progress, _: list[str]) -> None:
        self.arrived = progress.frame or 0
