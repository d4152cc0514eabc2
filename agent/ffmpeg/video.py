"""The video encoder's part of the command line: rate control, presets, threads. Pure."""

from __future__ import annotations

from agent.ffmpeg.colour import colours, light
from agent.ffmpeg.keyframes import closed, keyframes
from common.settings import EncodeSettings

_OWN = {"libx265": "-x265-params", "libsvtav1": "-svtav1-params"}
"""The encoders that have options of their own, all in one word."""


def video(settings: EncodeSettings) -> list[str]:
    """The encoder and all that it is told."""
    argv = ["-c:v", settings.encoder]
    if settings.encoder == "libvpx-vp9":
        argv += ["-deadline", "realtime", "-cpu-used", settings.preset, "-row-mt", "1"]
    else:
        argv += ["-preset", settings.preset]
    argv += [*_rate_control(settings), *keyframes(settings), "-pix_fmt", settings.pixel_format]
    argv += colours(settings)
    if settings.codec == "h265" and settings.container in ("mp4", "hls", "dash"):
        argv += ["-tag:v", "hvc1"]  # ffmpeg's own choice, hev1, does not play on Apple's devices
    own = {**_pools(settings), **light(settings), **closed(settings)}
    if own:
        argv += [_OWN[settings.encoder], ":".join(f"{name}={value}" for name, value in own.items())]
    if settings.threads is not None and settings.encoder not in _OWN:
        argv += ["-threads", str(settings.threads)]
    return argv


def _rate_control(settings: EncodeSettings) -> list[str]:
    """A bitrate, or a quality. VP9 and AV1 know whole numbers for `crf`: it is rounded."""
    x26x = settings.encoder in ("libx264", "libx265")
    if settings.rate.bitrate is None:
        crf = settings.rate.crf or 0.0
        if settings.encoder == "libvpx-vp9":
            return ["-b:v", "0", "-crf", str(round(crf))]  # without the 0 it would cap the bitrate
        return ["-crf", f"{crf:g}" if x26x else str(round(crf))]
    argv = ["-b:v", str(settings.rate.bitrate)]
    if x26x:
        argv += ["-maxrate", str(settings.rate.bitrate * 3 // 2), "-bufsize", str(settings.rate.bitrate * 2)]
    return argv


def _pools(settings: EncodeSettings) -> dict[str, str]:
    """The threads of the encoders that keep pools of their own, which -threads does not bound."""
    if settings.threads is None:
        return {}
    # For x265, -threads would set its frame threads, 16 at most.
    names = {"libx265": "pools", "libsvtav1": "lp"}
    return {names[settings.encoder]: str(settings.threads)} if settings.encoder in names else {}
