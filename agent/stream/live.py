"""One live stream out: encodes in real time, and sends what comes to the server that the job names."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial

from agent import steps
from agent.accept import judge
from agent.encode import ffmpeg_for
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.process import Ended
from agent.inputs.measured import MeasuredInput
from agent.passes import from_its_start
from agent.stream import command
from agent.stream.dial import Door, dial
from agent.stream.flv import FlvError, FlvParser
from agent.stream.push import Pusher, RtmpSink, Sink
from agent.stream.rtmp import Session, Target
from agent.stream.srt import SrtSink, ffmpeg_for_srt
from agent.task import AbortedError, Done, FailedError, Task
from common.model import Findings, Scalar
from common.result import metrics
from common.settings import EncodeSettings, hardware_of
from common.streams import SrtStream, Stream, parse_stream

_CHUNK = 64 * 1024
_SLOWEST = 2.0
"""How many times its own length a stream may take: one that takes longer is live no more."""


def stream_out(task: Task, settings: EncodeSettings, given: MeasuredInput | None) -> Done:
    """Streams `given`, or a picture that ffmpeg makes, to the job's output; the metrics, and warnings.

    `FailedError`; `AbortedError`. While `may_work` is false nothing is sent and no connection is held:
    another node may have the job, and two must not publish under one key.
    """
    tools, target = task.tools, parse_stream(str(task.assignment.output))
    ffmpeg = ffmpeg_for(task, settings)
    pusher = Pusher(partial(_connect, task, target), tools.may_work, tools.abort)
    pusher.open()
    try:
        ended, argv = _encoded(task, settings, given, ffmpeg, pusher)
    finally:
        pusher.finish()
    if tools.abort.is_set():
        raise AbortedError
    known = _known(settings, ffmpeg, argv, ended, pusher)
    if pusher.failure is not None:
        raise FailedError(*pusher.failure, known)
    _verify(settings, given, ended, pusher, known)
    warnings = () if given is None else given.warnings
    return known, Findings(warnings=(*warnings, *_warnings(pusher)))


def _connect(task: Task, stream: Stream, wanted: Callable[[], bool]) -> Sink:
    """ForbiddenError, LostError, CutError."""
    rules = task.tools.outputs
    door = Door(rules.hosts, rules.allow_private, "--output-host", "--allow-private-outputs", rules.world)
    if isinstance(stream, SrtStream):
        return SrtSink(task, ffmpeg_for_srt(task), stream, door, wanted)
    wire = dial(stream.origin, door, wanted)
    try:
        session = Session(wire, Target(stream.url, stream.app, stream.key))
        session.publish()
    except BaseException:
        wire.close()
        raise
    return RtmpSink(wire, session)


def _encoded(
    task: Task, settings: EncodeSettings, given: MeasuredInput | None, ffmpeg: FFmpeg, pusher: Pusher
) -> tuple[Ended, list[str]]:
    """How the encoder ended, and its command line; FailedError if the stream could not even begin."""
    if pusher.failure is not None:
        raise FailedError(*pusher.failure, metrics(settings))
    tools = task.tools
    tools.course.plan(())
    tools.course.begin(steps.stream(settings))
    with _pipe(pusher) as pipe, from_its_start(task, settings, ffmpeg, given) as own:
        descriptor = own[0] if own else None
        argv = command.encoder(str(ffmpeg.path), settings, pipe, descriptor, ffmpeg.version)
        ended = task.run(
            argv,
            in_real_time(tools.limits(settings if given is None else given.burden(settings)), settings),
            descriptors=[pipe, *own],
            total_frames=settings.frames,
            on_progress=tools.on_progress,
            devices=hardware_of(settings.encoder) is not None,
        )
    return ended, argv


def in_real_time(limits: Limits, settings: EncodeSettings) -> Limits:
    """The limits of an encode that takes as long as its pictures last, however fast the machine is."""
    return replace(limits, total=max(limits.total, limits.first + _SLOWEST * settings.duration))


@contextmanager
def _pipe(pusher: Pusher) -> Iterator[int]:
    """A pipe from an encoder to `pusher`, to write to. At the end of the block all of it has been read."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    reader = threading.Thread(target=_read, args=(reading, pusher), name="stream-read", daemon=True)
    reader.start()
    try:
        yield writing
    finally:
        os.close(writing)
        reader.join()


def _read(pipe: int, pusher: Pusher) -> None:
    """Hand on what comes, until it ends or nobody wants it: then the encoder, which cannot write, ends."""
    parser = FlvParser()
    try:
        while pusher.failure is None and (data := os.read(pipe, _CHUNK)):
            pusher.put(list(parser.feed(data)))
    except FlvError as error:
        pusher.failure = "output_invalid", f"the encoder wrote no stream: {error}"
    finally:
        os.close(pipe)


def _known(
    settings: EncodeSettings, ffmpeg: FFmpeg, argv: list[str], ended: Ended, pusher: Pusher
) -> dict[str, Scalar]:
    tally = pusher.tally
    rates, seconds = tally.rates(settings.fps), tally.duration(settings.fps)
    wall = ended.wall_seconds
    return metrics(
        settings,
        command=argv,
        ffmpeg_version=ffmpeg.version,
        wall_seconds=wall,
        cpu_seconds=ended.cpu_seconds,
        peak_memory_bytes=ended.peak_memory_bytes,
        more={
            "frames": tally.frames,
            "duration": round(seconds, 6),
            "fps": round(tally.frames / wall, 3) if wall else None,
            "speed": round(seconds / wall, 3) if wall else None,
            "bitrate": rates.mean,
            "bitrate_deviation": rates.deviation,
            "bitrate_min_second": rates.least,
            "bitrate_max_second": rates.most,
            "width": settings.width,
            "height": settings.height,
            "frame_rate": tally.frame_rate,
            "codec": tally.codec,
            "dropped_frames": tally.frames - min(tally.frames, pusher.arrived),
            "reconnects": pusher.reconnects,
        },
    )


def _verify(
    settings: EncodeSettings,
    given: MeasuredInput | None,
    ended: Ended,
    pusher: Pusher,
    known: dict[str, Scalar],
) -> None:
    """FailedError unless the encoder ended well, made all pictures, and the server had some of them."""
    failure = judge(ended)
    if failure is not None:
        raise FailedError(failure.code, failure.message, known)
    made, codec = pusher.tally.frames, pusher.tally.codec
    fewer = 0 if given is None else given.uncertain(settings)
    if made > settings.frames or made < settings.frames - fewer:
        code = "output_invalid" if given is None else "input_invalid"
        raise FailedError(code, f"the stream had {made} frames instead of {settings.frames}", known)
    if codec != settings.codec:
        raise FailedError("output_invalid", f"the codec was {codec} instead of {settings.codec}", known)
    if not pusher.arrived:
        raise FailedError(
            "stream_unreachable", f"nothing of the stream reached the server: {pusher.problem}", known
        )


def _warnings(pusher: Pusher) -> tuple[str, ...]:
    lost = pusher.tally.frames - min(pusher.tally.frames, pusher.arrived)
    if not lost:
        return ()
    return (f"{lost} of {pusher.tally.frames} frames did not reach the server; it was reached again "
            f"{pusher.reconnects} times",)  # fmt: skip
