"""One live stream in: what a server sends is written to a file as it is, for a while."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import BinaryIO

from agent import steps
from agent.ffmpeg.log import reason
from agent.ffmpeg.process import run
from agent.inputs.measured import MeasuredInput, measured_file
from agent.inputs.media import reopen
from agent.inputs.rules import InputFailedError, InputRules
from agent.probe import Probe
from agent.stream import command, flv
from agent.stream.dial import Door, ForbiddenError, dial
from agent.stream.flv import Tag
from agent.stream.patience import Patience
from agent.stream.rtmp import Session, Target
from agent.stream.srt import address_of, ffmpeg_for_srt, limits
from agent.stream.wire import SILENCE, TICK, CutError, LostError
from agent.task import AbortedError, FailedError, Task
from common.model import Progress
from common.streams import RtmpStream, SrtStream, parse_stream

_NEARLY = 0.5
"""Seconds that may be missing of a whole recording of SRT, where packets are cut off, and not pictures."""
_LATE = 10.0
"""Seconds that a recording may take longer than it is to last."""


@dataclass(slots=True)
class Recording:
    """What was recorded so far."""

    file: BinaryIO
    seconds: float
    """How long it is to be."""
    max_size: int
    pictures: int = 0
    ended: str | None = None
    """Why it is over; None: it goes on."""
    is_whole: bool = False
    """Whether it lasts as long as it was to."""
    _first: int | None = None
    _size: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more is recorded."""
        return self.ended is not None

    def add(self, tag: Tag) -> None:
        """Write a tag, with its time counted from the first picture that a decoder can begin with."""
        if tag.is_header:
            self._write(tag.at(0))
            return
        if self._first is None:
            if not tag.is_key:
                return
            self._first = tag.timestamp
        time_ = tag.timestamp - self._first
        if tag.is_picture and time_ >= 1000 * self.seconds:
            self.ended, self.is_whole = "it lasts as long as it was to", True
        elif time_ >= 0:
            self._write(tag.at(time_))
            self.pictures += tag.is_picture

    def _write(self, tag: Tag) -> None:
        data = tag.encode() if self._size else flv.FILE_HEADER + tag.encode()
        self._size += len(data)
        if self._size > self.max_size:
            raise _too_large(self.max_size)
        self.file.write(data)


def record_rtmp(stream: RtmpStream, door: Door, recording: Recording, abort: threading.Event) -> None:
    """Play the stream until the recording is over. Where there is none yet, it is waited for.

    `stream_unreachable` if none comes, `input_refused` if it may not be had; AbortedError.
    """
    patience = Patience(time.monotonic())
    problem = "nobody publishes it"
    while not recording.is_over:
        now = time.monotonic()
        if patience.is_over(now):
            raise FailedError(
                "stream_unreachable", f"no picture of the stream came for {patience.seconds:g} s: {problem}"
            )
        if not patience.may_try(now):
            if abort.wait(TICK):
                raise AbortedError
            continue
        try:
            _play(stream, door, recording, abort, patience)
        except ForbiddenError as error:
            raise InputFailedError("input_refused", str(error)) from error
        except CutError as error:
            raise AbortedError from error
        except LostError as error:
            problem = str(error)
            patience.failed(time.monotonic())
            if recording.pictures:
                recording.ended = problem


def _play(
    stream: RtmpStream, door: Door, recording: Recording, abort: threading.Event, patience: Patience
) -> None:
    wire = dial(stream.origin, door, lambda: not abort.is_set())
    try:
        session = Session(wire, Target(stream.url, stream.app, stream.key))
        session.play()
        begun: float | None = None
        heard = time.monotonic()
        while True:
            tags = session.received(TICK)
            for tag in tags:
                recording.add(tag)
                if recording.is_over:
                    return
            now = time.monotonic()
            heard = now if tags else heard
            if begun is None and recording.pictures:
                begun = now
            if begun is None and patience.is_over(now):
                raise LostError("the server sent no picture")
            if begun is not None and (now - heard > SILENCE or now - begun > recording.seconds + _LATE):
                raise LostError("the server sent nothing more")
    finally:
        wire.close()


def record_srt(task: Task, stream: SrtStream, door: Door, recording: Recording, descriptor: int) -> None:
    """The same, for SRT."""
    ffmpeg = ffmpeg_for_srt(task)
    try:
        address = address_of(stream, door)
    except ForbiddenError as error:
        raise InputFailedError("input_refused", str(error)) from error
    except LostError as error:
        raise FailedError("stream_unreachable", str(error)) from error
    argv = command.srt_recorder(str(ffmpeg.path), stream, address, descriptor, recording.seconds)
    most = recording.seconds + 2 * SILENCE + _LATE
    patience = Patience(time.monotonic())
    told: list[Progress] = [Progress()]
    while True:
        ended = run(
            task.tools.spawner,
            argv,
            task.directory,
            limits=limits(most, recording.max_size),
            abort=task.tools.abort,
            on_progress=lambda progress, _: told.append(progress),
            sandbox=task.tools.sandbox,
            descriptors=[descriptor],
            network=True,
        )
        if ended.why == "aborted":
            raise AbortedError
        if ended.why == "output_too_large":
            raise _too_large(recording.max_size)
        if told[-1].frame:
            recording.pictures = told[-1].frame
            recording.is_whole = (told[-1].out_time or 0) >= recording.seconds - _NEARLY
            recording.ended = reason(ended.log) or "the publisher left"
            return
        patience.failed(time.monotonic())
        if patience.is_over(time.monotonic()):
            why = reason(ended.log) or "the server sent no picture"
            raise FailedError("stream_unreachable", f"no picture of the stream came: {why}")
        if task.tools.abort.wait(1.0):
            raise AbortedError


@contextmanager
def recorded_input(task: Task, seconds: float, measure: Callable[[int], Probe]) -> Iterator[MeasuredInput]:
    """The job's input, a live stream, recorded and measured; open for as long as the block lasts.

    `FailedError`, `InputFailedError`, `AbortedError`; OSError if it cannot be written.
    """
    rules, stream = task.tools.inputs, parse_stream(str(task.assignment.input))
    with (task.directory / "input").open("x+b") as file:
        (task.directory / "input").unlink()
        recording = Recording(file, seconds, rules.max_size)
        task.tools.course.begin(steps.record(seconds))
        if isinstance(stream, SrtStream):
            record_srt(task, stream, _door(rules), recording, file.fileno())
        else:
            record_rtmp(stream, _door(rules), recording, task.tools.abort)
        file.flush()
        descriptor = reopen(file.fileno())
    try:
        given = measured_file(descriptor, measure)
        yield given if recording.is_whole else replace(given, warnings=(_early(recording, given.probed),))
    finally:
        os.close(descriptor)


def _door(rules: InputRules) -> Door:
    return Door(rules.hosts, rules.allow_private, "--input-host", "--allow-private-inputs")


def _early(recording: Recording, probed: Probe) -> str:
    return (
        f"the stream ended early: {probed.frames} frames, {probed.end:.1f} s of {recording.seconds:g} s, "
        f"were recorded ({recording.ended})"
    )


def _too_large(most: int) -> InputFailedError:
    return InputFailedError("input_invalid", f"the stream is larger than {most} bytes (--max-input-size)")
