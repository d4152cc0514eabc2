"""The sound's part of the command line. Pure."""

from __future__ import annotations

from common.settings import AudioTrack, EncodeSettings, Level
from common.settings.tracks import LAYOUTS, channels, sounds

AUDIO_RATE = 48_000
"""Hz. The only rate that Opus has, and a usual one for AAC."""
MADE = AudioTrack("pcm_s16le", 2, AUDIO_RATE)
"""The tone that ffmpeg makes."""

_ENCODERS = {"aac": "aac", "opus": "libopus"}
_PEAK = -1.0
"""dBTP that sound may reach (EBU R 128)."""
_LEAST_RANGE, _MOST_RANGE = 1.0, 50.0
"""LU that `loudnorm` takes."""


def tracks(settings: EncodeSettings) -> list[tuple[str, AudioTrack]]:
    """The tracks of sound that are encoded, as ffmpeg names them and as they are."""
    if settings.audio == "none":
        return []
    if settings.source is None:
        return [("1:a:0", MADE)]
    return [(f"0:a:{track.number}", track) for track in sounds(settings)]


def sound(settings: EncodeSettings) -> list[str]:
    """The tracks of sound, and all that their encoder is told."""
    argv: list[str] = []
    for number, (name, track) in enumerate(tracks(settings)):
        argv += ["-map", name]
        if settings.audio == "copy":
            argv += [f"-c:a:{number}", "copy"]
            continue
        count = channels(track)
        level = settings.levels[number] if number < len(settings.levels) else None
        argv += [f"-c:a:{number}", _ENCODERS[settings.audio]]
        argv += [f"-b:a:{number}", str(settings.audio_bitrate * max(1, count // 2))]
        argv += [f"-filter:a:{number}", ",".join(_filters(settings, level, LAYOUTS[count]))]
    return argv


def _filters(settings: EncodeSettings, level: Level | None, layout: str) -> list[str]:
    filters = []
    if settings.loudness is not None and level is not None:
        filters.append(normalise(settings.loudness, level))
    # async: where a file has gaps in its sound there is silence, so that the rest stays in its place.
    filters.append(f"aresample={AUDIO_RATE}:async=1")
    return [*filters, f"aformat=channel_layouts={layout}"]


def normalise(target: float, level: Level) -> str:
    """One gain for all of a track whose level is known; where its peaks forbid that, a limiter."""
    most = min(_MOST_RANGE, max(_LEAST_RANGE, level.range + 1))
    return (
        f"loudnorm=I={target:g}:TP={_PEAK:g}:LRA={most:g}:linear=true:measured_I={level.loudness:g}"
        f":measured_TP={level.peak:g}:measured_LRA={level.range:g}:measured_thresh={level.threshold:g}"
    )
