"""The picture's way from the source to the encoder, on the command line. Pure."""

from __future__ import annotations

from agent.ffmpeg.timing import duration, frame_rate
from common.settings import EncodeSettings


def picture(settings: EncodeSettings) -> list[str]:
    """The picture of an input, brought to its size and rate."""
    rate = frame_rate(settings.fps)
    # start_time: the picture begins with the file, as the sound does, also where its first one is late.
    graph = f"fps={rate}:start_time=0,scale={settings.width}:{settings.height}"
    return ["-map", "0:V:0", "-vf", graph, "-t", f"{duration(settings):.6f}"]  # V: no cover picture
