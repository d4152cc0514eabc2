"""Measures an output against its source: numbers for the result, and a table with every frame."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from agent import steps
from agent.encode import Encoded
from agent.ffmpeg.compare import Comparison, Feed
from agent.ffmpeg.container import picture_file
from agent.ffmpeg.picture import cut, prepare, without_matrix
from agent.ffmpeg.pixels import common_format, depth
from agent.ffmpeg.source import opened, synthetic, to_size
from agent.inputs.measured import MeasuredInput
from agent.passes import from_its_start
from agent.produced import Produced
from agent.quality.compare import Compared, NotMeasuredError, compare
from agent.quality.frames import METHODS, table
from agent.quality.statistics import names, summarize
from agent.task import Task
from common.estimate import Step
from common.model import ArtifactKind, Scalar, Value
from common.settings import EncodeSettings

TABLE = "quality.csv"
_ROW = 64
"""Pixels: ffmpeg rounds rows in memory up to as many."""
_NOTHING = Feed(())
HIGH_RANGE = (
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

    def added_to(self, encoded: Encoded) -> Encoded:
        """The encode with what it is like."""
        return replace(
            encoded,
            files=(*encoded.files, *self.files),
            known={**encoded.known, **self.metrics},
            warnings=(*encoded.warnings, *self.warnings),
        )


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
    found: dict[str, Scalar] = dict.fromkeys(name for method in methods for name in names(method))
    methods, warnings = measurable(methods, encoded)
    if not methods:
        return Quality(found, warnings)
    try:
        compared, model = _compared(task, encoded, given, methods)
    except NotMeasuredError as error:
        return Quality(found, (*warnings, f"the quality was not measured: {error}"))
    frames = compared.frames
    times = [time - frames.output[0] for time in frames.output]
    if "vmaf" in methods:
        found["vmaf_model"] = model
    for method, values in frames.values.items():
        found |= summarize(values, times, max(encoded.probed.duration, times[-1])).metrics(method)
    path = task.directory / TABLE
    path.unlink(missing_ok=True)
    with path.open("x", encoding="ascii", newline="") as file:
        csv.writer(file).writerows(table(frames))
    if compared.high_range and "vmaf" in methods:
        warnings = (*warnings, HIGH_RANGE)
    return Quality(found, warnings, (Produced(TABLE, ArtifactKind.QUALITY, "text/csv"),))


def measurable(methods: Sequence[str], encoded: Encoded) -> tuple[Sequence[str], tuple[str, ...]]:
    """Those of the `methods` that give right numbers for this output, and why the others are left out. Pure.

    ffmpeg's xpsnr takes the length of a row in memory for the picture's width where samples have more
    than 8 bits: of two equal pictures it makes 10 dB. The two are the same in multiples of 64 pixels.
    """
    wanted = comparison(encoded.settings, _NOTHING, _NOTHING, encoded.probed.pixel_format, methods)
    if "xpsnr" not in methods or depth(wanted.pixel_format) == 8 or wanted.width % _ROW == 0:
        return methods, ()
    left = [method for method in methods if method != "xpsnr"]
    why = (
        f"ffmpeg's filter is wrong for {depth(wanted.pixel_format)} bits at a width of {wanted.width} pixels"
    )
    return left, (f"xpsnr was not measured: {why}, which is no multiple of {_ROW}",)


def comparison(
    settings: EncodeSettings, output: Feed, reference: Feed, pixel_format: str | None, methods: Sequence[str]
) -> Comparison:
    """How an output in `pixel_format` is compared: at the source's size, upright, in square pixels. Pure."""
    source = settings.source
    width, height = size(settings)
    source_format = None if source is None or settings.tonemapped else source.pixel_format
    return Comparison(
        output,
        reference,
        width,
        height,
        common_format(source_format, pixel_format)[0],
        tuple(methods),
        "bt709" if without_matrix(settings) else None,
    )


def size(settings: EncodeSettings) -> tuple[int, int]:
    """At which width and height an output is compared with its source. Pure."""
    if settings.source is None:
        return settings.width, settings.height
    width, height = settings.source.shown
    return max(1, round(width)), max(1, round(height))


def expected(settings: EncodeSettings, methods: Sequence[str], frames: int | None = None) -> list[Step]:
    """The step that measuring as many frames, or all, is; none if nothing is measured. Pure."""
    count = settings.frames if frames is None else frames
    return [steps.compare(methods, *size(settings), count, os.cpu_count() or 1)] if methods else []


def _compared(
    task: Task, encoded: Encoded, given: MeasuredInput | None, methods: Sequence[str]
) -> tuple[Compared, str]:
    settings, version = encoded.settings, encoded.ffmpeg.version
    picture = encoded.path.with_name(picture_file(settings, encoded.path.name))
    with opened_file(picture) as own, from_its_start(task, settings, encoded.ffmpeg, given) as theirs:
        wanted = comparison(
            settings,
            Feed((tuple(opened(own, version)),)),
            reference(settings, theirs, version),
            encoded.probed.pixel_format,
            methods,
        )
        return compare(task, wanted, [own, *theirs], settings.frames, encoded.probed.frames), wanted.model


def reference(settings: EncodeSettings, descriptors: Sequence[int], version: str) -> Feed:
    """What `settings` encode, at the source's size: an open input, or the same picture made again. Pure.

    `descriptors`: the input, or the complex clip.
    """
    if descriptors and settings.source is not None:
        return Feed((tuple(opened(descriptors[0], version)),), (*prepare(settings), *cut(settings)))
    silent = replace(settings, audio="none")
    clip = descriptors[0] if descriptors else None
    made = [] if clip is None else to_size(settings)
    return Feed((tuple(synthetic(silent, clip, version)),), (*made, f"trim=end_frame={settings.frames}"))


@contextmanager
def opened_file(path: Path) -> Iterator[int]:
    """A file that ffmpeg wrote, to read, and nothing that a link leads to."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
