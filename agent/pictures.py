"""Pictures of an input: a poster, thumbnails, and a sprite sheet with WebVTT for players' seek bars."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from agent import sprite
from agent.accept import judge
from agent.ffmpeg.begin import QUIET
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.picture import prepare
from agent.ffmpeg.source import opened
from agent.inputs.measured import MeasuredInput
from agent.inputs.media import reopen
from agent.produced import Produced
from agent.task import FailedError, Task
from common.model import ArtifactKind
from common.settings import EncodeSettings

DIRECTORY = "pictures"
"""Where they are, below the attempt's directory and the job's output."""
POSTER, SPRITE, VTT = "poster.jpg", "sprite.jpg", "thumbnails.vtt"
POSTER_BOX = (1920, 1920)
"""Pixels that the poster fits into."""
_THUMBNAIL = "thumbnail-%03d.jpg"
_STRETCH = 2.0
"""Seconds around the moment of the poster, of which the most typical frame is taken."""
_FRAMES = 50
"""Of that stretch, at most."""
_EDGE = 0.1
"""The share of the video, at its beginning and at its end, that gives no poster: logos and credits."""
_LONG = 600.0
"""Seconds from which on only key frames are looked at: the others would take as long as an encode."""
_JPEG = ["-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj420p"]
_NAMES = {"poster": ArtifactKind.POSTER, "sprite": ArtifactKind.SPRITE, "thumbnail": ArtifactKind.THUMBNAIL}


def make_pictures(
    task: Task, ffmpeg: FFmpeg, settings: EncodeSettings, given: MeasuredInput
) -> tuple[Path, list[Produced]]:
    """The directory with the pictures of `given`, and what is in it; `FailedError`, `AbortedError`."""
    directory = task.directory / DIRECTORY
    directory.mkdir()
    width, height = shown_size(given)
    plan = sprite.plan(width, height, given.source.duration)
    filters = upright(settings, given)
    _run(task, settings, given, directory, partial(sheets, ffmpeg, plan, filters))
    thumbnails = sorted(directory.glob("thumbnail-*.jpg"))
    if not thumbnails:
        raise FailedError("input_invalid", "no picture could be made of the input: it shows none")
    moment = best_moment([path.stat().st_size for path in thumbnails], plan.interval)
    _run(task, settings, given, directory, partial(poster, ffmpeg, (width, height), moment, filters))
    if not (directory / POSTER).exists():  # nothing could be decoded from there on
        (directory / POSTER).write_bytes(max(thumbnails, key=lambda path: path.stat().st_size).read_bytes())
    text = sprite.vtt(plan, len(thumbnails), given.source.duration, SPRITE)
    (directory / VTT).write_text(text, encoding="ascii")
    return directory, [
        *(
            Produced(path.name, _NAMES[path.name.partition("-")[0].partition(".")[0]], "image/jpeg")
            for path in (directory / POSTER, directory / SPRITE, *thumbnails)
        ),
        Produced(VTT, ArtifactKind.VTT, "text/vtt"),
    ]


def best_moment(sizes: Sequence[int], interval: float) -> float:
    """Seconds from the start to the thumbnail that shows most: of JPEGs of one size it is the largest.

    A black or empty picture is a small file. `sizes`: bytes, one for each `interval`. Pure.
    """
    edge = int(len(sizes) * _EDGE)
    inner = range(edge, len(sizes) - edge)
    return (max(inner, key=lambda number: sizes[number]) + 0.5) * interval


def sheets(ffmpeg: FFmpeg, plan: sprite.Plan, filters: str, given: MeasuredInput) -> list[str]:
    """The argv that makes thumbnails and sprite in one pass over the input. Pure.

    The filter `fps` takes for each stretch the frame in its middle.
    """
    graph = (
        f"[0:V:0]{filters},fps={1 / plan.interval:.9f}:start_time=0,split[a][b];"
        f"[a]scale={_size(plan.thumbnail)},setsar=1[thumbnails];"
        f"[b]scale={_size(plan.tile)},setsar=1,tile={plan.columns}x{plan.rows}[sprite]"
    )
    few = ["-skip_frame", "nokey"] if given.source.duration > _LONG else []
    argv = [*_begin(ffmpeg), *few, *opened(given.descriptor, ffmpeg.version), "-filter_complex", graph]
    argv += [
        "-map",
        "[thumbnails]",
        *_JPEG,
        "-frames:v",
        str(plan.count),
        "-f",
        "image2",
        f"file:{_THUMBNAIL}",
    ]
    return [
        *argv,
        "-map",
        "[sprite]",
        *_JPEG,
        "-frames:v",
        "1",
        "-update",
        "1",
        "-f",
        "image2",
        f"file:{SPRITE}",
    ]


def poster(
    ffmpeg: FFmpeg, size: tuple[int, int], moment: float, filters: str, given: MeasuredInput
) -> list[str]:
    """The argv that makes the poster, of the most typical frame around `moment` (seconds). Pure."""
    begin = max(0.0, moment - _STRETCH / 2)
    graph = f"{filters},thumbnail={_FRAMES},scale={_size(sprite.fit(*size, POSTER_BOX))},setsar=1"
    argv = [*_begin(ffmpeg), "-ss", f"{begin:.3f}", "-t", f"{_STRETCH:.3f}"]
    argv += [*opened(given.descriptor, ffmpeg.version), "-map", "0:V:0", "-vf", graph]
    return [*argv, *_JPEG, "-frames:v", "1", "-update", "1", *_file(POSTER)]


def upright(settings: EncodeSettings, given: MeasuredInput) -> str:
    """Filters that bring the picture to what any screen shows: no comb, no high dynamic range, 8 bits.

    ffmpeg itself turns it, and `scale` to the size that is shown makes its pixels square.
    """
    plain = replace(settings, source=given.source, every_frame=True, deinterlace="auto", hdr="tonemap")
    return ",".join([*prepare(plain), "format=yuv420p"])


def shown_size(given: MeasuredInput) -> tuple[int, int]:
    """Width and height of the input's picture as it is shown, in pixels."""
    width, height = given.source.shown
    return max(1, round(width)), max(1, round(height))


def _begin(ffmpeg: FFmpeg) -> list[str]:
    return [str(ffmpeg.path), *QUIET, "-y"]


def _file(name: str) -> list[str]:
    return ["-f", "image2", f"file:{name}"]


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}:{size[1]}"


def _run(
    task: Task,
    settings: EncodeSettings,
    given: MeasuredInput,
    directory: Path,
    build: Callable[[MeasuredInput], list[str]],
) -> None:
    limits = task.tools.limits(given.burden(settings))
    own = reopen(given.descriptor)  # who reads the file next begins at its beginning
    try:
        ended = task.run(
            build(replace(given, descriptor=own)),
            replace(limits, first=limits.total, stall=limits.total),  # it says nothing meanwhile
            directory=directory,
            descriptors=[own],
        )
    finally:
        os.close(own)
    failure = judge(ended)
    if failure is not None:
        raise FailedError(failure.code, f"the pictures could not be made: {failure.message}")
