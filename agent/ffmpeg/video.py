"""The video encoder's part of the command line: rate control, presets, threads. Pure."""

from __future__ import annotations

from common.settings import EncodeSettings


def video(settings: EncodeSettings) -> list[str]:
    """The encoder and all that it is told."""
    argv = ["-c:v", settings.encoder]
    if settings.encoder == "libvpx-vp9":
        argv += ["-deadline", "realtime", "-cpu-used", settings.preset, "-row-mt", "1"]
    else:
        argv += ["-preset", settings.preset]
    argv += [*_rate_control(settings), "-g", str(settings.gop), "-pix_fmt", settings.pixel_format]
    if settings.codec == "h265" and settings.container == "mp4":
        argv += ["-tag:v", "hvc1"]  # ffmpeg's own choice, hev1, does not play on Apple's devices
    return argv + _threads(settings)


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


def _threads(settings: EncodeSettings) -> list[str]:
    if settings.threads is None:
        return []
    count = str(settings.threads)
    # These two keep pools of their own, which -threads does not bound.
    if settings.encoder == "libx265":
        return ["-x265-params", f"pools={count}"]  # -threads would set its frame threads, 16 at most
    if settings.encoder == "libsvtav1":
        return ["-svtav1-params", f"lp={count}"]
    return ["-threads", count]
