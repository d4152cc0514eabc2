"""Measures an output against its source: numbers for the result, and a table with every frame."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace

from agent.encode import Encoded
from agent.ffmpeg.compare import Comparison, Feed
from agent.ffmpeg.picture import cut, prepared
from agent.ffmpeg.pixels import common_format
from agent.ffmpeg.source import opened, playlist, synthetic
from agent.inputs.measured import MeasuredInput
from agent.inputs.media import reopen
from agent.passes import from_its_start
from agent.produced import Produced
from agent.quality.compare import Compared, NotMeasuredError, compare
from agent.quality.frames import METHODS, table
from agent.quality.statistics import summarize
from agent.task import Task
from common.model import ArtifactKind, Scalar, Value
from common.settings import CONTAINERS, EncodeSettings

TABLE = "quality.csv"
_HIGH_RANGE = (
    "the picture has a high dynamic range, which VMAF's models do not know: its VMAF can only be compared "
    "with others of the same kind"
)


@dataclass(frozen=True, slots=True)
class Quality:
    """What came of measuring."""

    metrics: Mapping[str, Scalar]
    warnings: tuple[str, ...] = ()
    files: tuple[Produced, ...] = ()
    """In the attempt's directory."""


NOT_ASKED = Quality({})


def asked(parameters: Mapping[str, Value], settings: EncodeSettings) -> tuple[str, ...]:
    """What has to be measured of an output: what was asked for, and VMAF where it is a target. Pure."""
    given = parameters.get("quality") or ()
    wanted = set(given) if isinstance(given, tuple | list) else set()
    if settings.rate.target_vmaf is not None:
        wanted.add("vmaf")
    return tuple(method for method in METHODS if method in wanted)


def measure(task: Task, encoded: Encoded, given: MeasuredInput | None, methods: Sequence[str]) -> Quality:
    """Compares `encoded` with what it was made of, and writes the table into the attempt's directory.

    Where that fails there are no numbers, but a warning: the output is as good as it was. `AbortedError`.
    """
    if not methods:
        return NOT_ASKED
    try:
        compared, model = _compared(task, encoded, given, methods)
    except NotMeasuredError as error:
        return Quality({}, (f"the quality was not measured: {error}",))
    frames = compared.frames
    times = [time - frames.output[0] for time in frames.output]
    found: dict[str, Scalar] = {"vmaf_model": model if "vmaf" in methods else None}
    for method, values in frames.values.items():
        found |= summarize(values, times, max(encoded.probed.duration, times[-1])).metrics(method)
    path = task.directory / TABLE
    path.unlink(missing_ok=True)
    with path.open("x", encoding="ascii", newline="") as file:
        file.write(table(frames))
    warnings = (_HIGH_RANGE,) if compared.high_range and "vmaf" in methods else ()
    return Quality(found, warnings, (Produced(TABLE, ArtifactKind.QUALITY, "text/csv"),))


def source_size(settings: EncodeSettings, given: MeasuredInput | None) -> tuple[int, int]:
    """Width and height at which an output is compared, in pixels."""
    return (settings.width, settings.height) if given is None else (given.probed.width, given.probed.height)


def _compared(
    task: Task, encoded: Encoded, given: MeasuredInput | None, methods: Sequence[str]
) -> tuple[Compared, str]:
    settings, probed = encoded.settings, encoded.probed
    width, height = source_size(settings, given)
    source_format = None if given is None else given.probed.pixel_format
    with _output(encoded) as (output, own), from_its_start(given) as theirs:
        comparison = Comparison(
            output,
            reference(settings, theirs, encoded.ffmpeg.version),
            width,
            height,
            common_format(source_format, probed.pixel_format)[0],
            tuple(methods),
        )
        descriptors = [*own, *theirs]
        readable = [] if own else [encoded.path.parent]
        compared = compare(task, comparison, descriptors, settings.frames, probed.frames, readable)
    return compared, comparison.model


def reference(settings: EncodeSettings, descriptors: Sequence[int], version: str) -> Feed:
    """What `settings` encode, at the source's size: an open input, or the same picture made again. Pure."""
    if descriptors:
        return Feed((tuple(opened(descriptors[0], version)),), (*prepared(settings), *cut(settings)))
    silent = replace(settings, audio="none")
    return Feed((tuple(synthetic(silent)),), (f"trim=end_frame={settings.frames}",))


@contextmanager
def _output(encoded: Encoded) -> Iterator[tuple[Feed, list[int]]]:
    """The output, to be read: one that is in pieces by its list, as the pieces are found by their names."""
    if CONTAINERS[encoded.settings.container].pieces:
        yield Feed((tuple(playlist(encoded.path)),)), []
        return
    with ExitStack() as stack:
        descriptor = os.open(encoded.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        stack.callback(os.close, descriptor)
        yield Feed((tuple(opened(descriptor, encoded.ffmpeg.version)),)), [descriptor]
