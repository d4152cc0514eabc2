"""Pictures of an input: a poster, thumbnails, and a sprite sheet with WebVTT for players' seek bars."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from agent import sprite
from agent.encode import judge
from agent.ffmpeg.discover import FFmpeg
from agent.ffmpeg.process import Ended, run
from agent.ffmpeg.source import opened
from agent.inputs.measured import MeasuredInput
from agent.produced import Produced
from agent.task import AbortedError, FailedError, Task
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
    _run(task, settings, given, directory, sheets(ffmpeg, plan, given))
    thumbnails = sorted(directory.glob("thumbnail-*.jpg"))
    if not thumbnails:
        raise FailedError("input_invalid", "no picture could be made of the input: it shows none")
    moment = best_moment([path.stat().st_size for path in thumbnails], plan.interval)
    _run(task, settings, given, directory, poster(ffmpeg, (width, height), moment, given))
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


def sheets(ffmpeg: FFmpeg, plan: sprite.Plan, given: MeasuredInput) -> list[str]:
    """The argv that makes thumbnails and sprite in one pass over the input. Pure.

    The filter `fps` takes for each stretch the frame in its middle.
    """
    graph = (
        f"[0:V:0]{upright(given)},fps={1 / plan.interval:.9f}:start_time=0,split[a][b];"
        f"[a]scale={_size(plan.thumbnail)},setsar=1[thumbnails];"
        f"[b]scale={_size(plan.tile)},setsar=1,tile={plan.columns}x{plan.rows}[sprite]"
    )
    few = ["-skip_frame", "nokey"] if given.source.duration > _LONG else []
    argv = [*_begin(ffmpeg), *few, *opened(given.descriptor, ffmpeg.version), "-filter_complex", graph]
    argv += ["-map", "[thumbnails]", *_JPEG, "-frames:v", str(plan.count), "-f", "image2", f"file:{_THUMBNAIL}"]
    return [*argv, "-map", "[sprite]", *_JPEG, "-frames:v", "1", "-update", "1", "-f", "image2", f"file:{SPRITE}"]


def poster(
    ffmpeg: FFmpeg, size: tuple[int, int], moment: float, given: MeasuredInput
) -> list[str]:
    """The argv that makes the poster, of the most typical frame around `moment` (seconds). Pure."""
    begin = max(0.0, moment - _STRETCH / 2)
    graph = f"{upright(given)},thumbnail={_FRAMES},scale={_size(sprite.fit(*size, POSTER_BOX))},setsar=1"
    argv = [*_begin(ffmpeg), "-ss", f"{begin:.3f}", "-t", f"{_STRETCH:.3f}"]
    argv += [*opened(given.descriptor, ffmpeg.version), "-map", "0:V:0", "-vf", graph]
    return [*argv, *_JPEG, "-frames:v", "1", "-update", "1", "-f", "image2", f"file:{POSTER}"]


def upright(given: MeasuredInput) -> str:
    """Filters that bring the picture to what is shown: 8 bits. ffmpeg turns it by itself."""
    del given
    return "format=yuv420p"


def shown_size(given: MeasuredInput) -> tuple[int, int]:
    """Width and height of the input's picture as it is shown, in pixels."""
    return given.probed.width, given.probed.height


def _begin(ffmpeg: FFmpeg) -> list[str]:
    return [str(ffmpeg.path), "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info", "-y"]


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}:{size[1]}"


def _run(
    task: Task, settings: EncodeSettings, given: MeasuredInput, directory: Path, argv: Sequence[str]
) -> Ended:
    tools = task.tools
    ended = run(
        tools.spawner,
        argv,
        directory,
        limits=tools.limits(given.burden(settings)),
        abort=tools.abort,
        may_work=tools.may_work,
        sandbox=tools.sandbox,
        descriptors=[given.descriptor],
    )
    if ended.why == "aborted":
        raise AbortedError
    failure = judge(ended)
    if failure is not None:
        raise FailedError(failure.code, f"the pictures could not be made: {failure.message}")
    return ended
