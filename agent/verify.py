"""Whether an output is what was asked for: that ffmpeg ended with code 0 proves nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent.ffmpeg.colour import output_colour
from agent.ffmpeg.sound import tracks
from agent.ffmpeg.timing import duration, frame_rate
from agent.probed import Probe
from common.settings import AudioTrack, EncodeSettings

_ROUNDING = 0.003
"""Seconds that the time between two frames may change by, as containers round both."""
_SLACK = 0.05
"""Seconds that a length may differ by at least."""


def verify(probed: Probe, settings: EncodeSettings, fewer: int = 0, *, of_input: bool = False) -> str | None:
    """A sentence that says in what the output differs from what was asked; None if it does not.

    The rate may differ by 0.1 % (containers round it), a length by one frame or 50 ms,
    whichever is more; everything else must be equal. `fewer`: frames that may be missing at
    the end of an input. `of_input`: it was made of one, whose sound may end before its picture.
    """
    wrong = [*_picture(probed, settings, fewer), *_times(probed, settings, fewer, of_input=of_input)]
    wrong += _sound(probed.audio, settings)
    return _sentence(wrong)


def verify_sound(found: Sequence[AudioTrack], settings: EncodeSettings) -> str | None:
    """The same of tracks of sound that are in a file of their own."""
    return _sentence(list(_sound(found, settings)))


def _sentence(wrong: Sequence[str]) -> str | None:
    return f"the output is not what was asked for: {'; '.join(wrong)}" if wrong else None


def _picture(probed: Probe, settings: EncodeSettings, fewer: int) -> Iterator[str]:
    frames = probed.frames if 0 <= settings.frames - probed.frames <= fewer else settings.frames
    found = (probed.pixel_format or "unknown").replace("yuvj", "yuv")  # j: a range of colours, as a format
    for name, is_, asked in (
        ("the size", f"{probed.width}x{probed.height}", f"{settings.width}x{settings.height}"),
        ("the codec", probed.codec, settings.codec),
        ("the pixel format", found, settings.pixel_format),
        ("the number of frames", probed.frames, frames),
        ("the rotation", f"{probed.rotation} degrees", "0 degrees"),
    ):
        if is_ != asked:
            yield f"{name} is {is_} instead of {asked}"
    if probed.sample_aspect[0] != probed.sample_aspect[1]:
        yield f"its pixels are {probed.sample_aspect[0]}:{probed.sample_aspect[1]}, and no squares"
    asked_colour = output_colour(settings)
    if asked_colour.hdr and probed.colour.transfer != asked_colour.transfer:
        yield f"the transfer is {probed.colour.transfer or 'unknown'} instead of {asked_colour.transfer}"
    if settings.tonemapped and (probed.colour.hdr or probed.mastering or probed.light):
        yield "it still says that its dynamic range is high"


def _times(probed: Probe, settings: EncodeSettings, fewer: int, *, of_input: bool) -> Iterator[str]:
    asked_rate = float(frame_rate(settings.fps))
    length = duration(settings)
    slack = max((1 + fewer) / asked_rate, _SLACK)
    if settings.every_frame:
        span = None if settings.source is None else settings.source.span
        if span is not None and probed.span is not None and abs(probed.span - span) > _ROUNDING:
            yield f"the last frame comes {_round(probed.span)} s after the first instead of {_round(span)} s"
        return
    if probed.frame_rate is None or abs(probed.frame_rate - asked_rate) > asked_rate / 1000:
        yield f"the frame rate is {_round(probed.frame_rate)} instead of {_round(asked_rate)}"
    if abs(probed.duration - length) > slack:
        yield f"the duration is {_round(probed.duration)} s instead of {_round(length)} s"
    silence = 0.0 if probed.audio_duration is None else length - probed.audio_duration
    if silence < -slack or (silence > slack and not of_input):
        yield f"the sound lasts {_round(probed.audio_duration)} s instead of {_round(length)} s"


def _sound(audio: Sequence[AudioTrack], settings: EncodeSettings) -> Iterator[str]:
    copied = settings.audio == "copy"
    wanted = [track.codec if copied else settings.audio for _, track in tracks(settings)]
    found = [track.codec for track in audio]
    if found != wanted:
        yield f"the sound is {', '.join(found) or 'none'} instead of {', '.join(wanted) or 'none'}"


def _round(value: float | None) -> str:
    return "unknown" if value is None else f"{round(value, 3):g}"
