"""The picture's way from the source to the encoder, on the command line. Pure."""

from __future__ import annotations

from agent.ffmpeg.timing import duration, frame_rate
from common.settings import EncodeSettings


def picture(settings: EncodeSettings) -> list[str]:
    """The picture of an input, brought to its size and rate."""
    graph = ",".join([*prepared(settings), *scaled(settings)])
    return ["-map", "0:V:0", "-vf", graph, "-t", f"{duration(settings):.6f}"]  # V: no cover picture


def prepared(settings: EncodeSettings) -> list[str]:
    """The filters that bring an input's picture to what is encoded, but for its size."""
    rate = frame_rate(settings.fps)
    # start_time: the picture begins with the file, as the sound does, also where its first one is late.
    return [f"fps={rate}:start_time=0"]


def scaled(settings: EncodeSettings) -> list[str]:
    """The filters that bring a prepared picture to its size."""
    return [f"scale={settings.width}:{settings.height}"]


def cut(settings: EncodeSettings) -> list[str]:
    """The filters that end a prepared picture where an encode of it ends."""
    return [f"trim=duration={duration(settings):.6f}", f"trim=end_frame={settings.frames}"]
