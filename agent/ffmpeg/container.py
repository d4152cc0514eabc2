"""The container's part of the command line. Pure."""

from __future__ import annotations

from agent.ffmpeg.source import PROTOCOLS
from common.settings import EncodeSettings

_MUXERS = {"mp4": "mp4", "mkv": "matroska", "webm": "webm", "mpegts": "mpegts", "hls": "hls", "dash": "dash"}


def container(settings: EncodeSettings, output: str) -> list[str]:
    """Writes `output`, a name in ffmpeg's working directory."""
    argv = ["-movflags", "+faststart"] if settings.container == "mp4" else []
    return [*argv, *PROTOCOLS, "-f", _MUXERS[settings.container], "-y", f"file:{output}"]
