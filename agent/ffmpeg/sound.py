"""The sound's part of the command line. Pure."""

from __future__ import annotations

from common.settings import EncodeSettings

AUDIO_RATE = 48_000
"""Hz. The only rate that Opus has, and a usual one for AAC."""

_ENCODERS = {"aac": "aac", "opus": "libopus"}


def sound(settings: EncodeSettings, track: str) -> list[str]:
    """The sound of `track`, as ffmpeg names it, and all that its encoder is told."""
    if settings.audio == "none":
        return []
    argv = ["-map", track, "-c:a", _ENCODERS[settings.audio]]
    return [*argv, "-b:a", str(settings.audio_bitrate), "-ar", str(AUDIO_RATE), "-ac", "2"]
