"""Samples of an input: where they are, how they are cut to the frame, and how they are encoded. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.ffmpeg.begin import begin
from agent.ffmpeg.compare import Feed, joined
from agent.ffmpeg.picture import bring_to_size, cut, prepare
from agent.ffmpeg.source import opened, synthetic, to_size
from agent.ffmpeg.timing import frame_rate
from agent.ffmpeg.video import video
from common.settings import EncodeSettings

COUNT, SECONDS = 5, 2.0
_SHORT = 2 * COUNT * SECONDS
"""Seconds: of an input that is no longer all is encoded."""
_SYNTHETIC_SPAN = 120.0
"""Seconds from the start of a picture that ffmpeg makes: it has to be made from there on, each time."""
FILE = "samples.mkv"
_CLOCK = "1:90000"
"""Of frames at their own times: joined samples have none of their input's. The container rounds them more."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What of an input is encoded to find a CRF."""

    starts: tuple[float, ...]
    """Seconds. Empty: all of it."""
    seconds: float
    """Of all of them together."""


def choose(duration: float, *, made: bool) -> Samples:
    """Five samples of two seconds, each in the middle of a fifth; `made`: of a picture that ffmpeg makes."""
    if duration <= _SHORT:
        return Samples((), duration)
    span = min(duration, _SYNTHETIC_SPAN) if made else duration
    part = span / COUNT
    return Samples(tuple(round(part * (i + 0.5) - SECONDS / 2, 3) for i in range(COUNT)), COUNT * SECONDS)


def feed(settings: EncodeSettings, samples: Samples, descriptors: Sequence[int], version: str) -> Feed:
    """The samples, prepared but not scaled. `descriptors`: the input, opened once for each sample (and
    once for all of it), or the complex clip; none: a picture that ffmpeg makes.

    An input is decoded from a key frame before each sample, and what is before the sample is dropped.
    """
    if settings.source is None:
        clip = descriptors[0] if descriptors else None
        made = tuple(synthetic(replace(settings, audio="none"), clip, version))
        sized = [] if clip is None else to_size(settings)
        return Feed((made,), (*sized, *_picked(settings, samples)))
    if not samples.starts:
        return Feed((tuple(opened(descriptors[0], version)),), (*prepare(settings), *cut(settings)))
    inputs = tuple(
        ("-ss", f"{start:.3f}", "-t", f"{SECONDS:g}", *opened(descriptor, version))
        for start, descriptor in zip(samples.starts, descriptors, strict=True)
    )
    return Feed(inputs, tuple(prepare(settings)))


def encode(ffmpeg: str, settings: EncodeSettings, source: Feed) -> list[str]:
    """The argv that encodes the samples as `settings` say, without sound, into `FILE`."""
    argv = begin(ffmpeg)
    argv += [word for words in source.inputs for word in words]
    graph = f"{joined(source, 0, [*source.filters, *bring_to_size(settings)])}[samples]"
    argv += ["-filter_complex", graph, "-map", "[samples]", *video(replace(settings, container="mkv"))]
    if settings.every_frame:
        argv += ["-fps_mode", "passthrough", "-enc_time_base:v", _CLOCK]
    return [*argv, "-protocol_whitelist", "file", "-f", "matroska", "-y", f"file:{FILE}"]


def _picked(settings: EncodeSettings, samples: Samples) -> list[str]:
    """The samples' frames out of all that are made, one after the other."""
    if not samples.starts:
        return [f"trim=end_frame={settings.frames}"]
    rate = frame_rate(settings.fps)
    length = round(SECONDS * rate)
    firsts = [round(start * rate) for start in samples.starts]
    picked = "+".join(f"between(n\\,{first}\\,{first + length - 1})" for first in firsts)
    # Counted in whole frames: N / rate / TB would fall short of some by a rounding.
    numbered = [f"settb={rate.denominator}/{rate.numerator}", "setpts=N"]
    return [f"trim=end_frame={firsts[-1] + length}", f"select={picked}", *numbered]
