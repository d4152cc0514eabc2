"""The video encoder's part of the command line: rate control, presets, threads. Pure."""

from __future__ import annotations

from common.settings import EncodeSettings

PASS_LOGS = "passes"
"""The directory, within that of the attempt, where a first pass leaves what it found."""
_LEAST_GOOD_SPEED = 5
"""libvpx has no faster `-cpu-used` where it looks twice."""


def video(settings: EncodeSettings, which_pass: int | None = None) -> list[str]:
    """The encoder and all that it is told. `which_pass`: 1 or 2 of two; None: there is one."""
    argv = ["-c:v", settings.encoder]
    if settings.encoder == "libvpx-vp9":
        argv += [*_speed_of_vp9(settings, which_pass), "-row-mt", "1"]
    else:
        argv += ["-preset", settings.preset]
    argv += [*_rate_control(settings), "-g", str(settings.gop), "-pix_fmt", settings.pixel_format]
    if settings.codec == "h265" and settings.container == "mp4" and which_pass != 1:
        argv += ["-tag:v", "hvc1"]  # ffmpeg's own choice, hev1, does not play on Apple's devices
    return argv + _threads_and_pass(settings, which_pass)


def _speed_of_vp9(settings: EncodeSettings, which_pass: int | None) -> list[str]:
    """Two passes need the deadline `good`: with `realtime` libvpx keeps nothing of the first one."""
    if which_pass is None:
        return ["-deadline", "realtime", "-cpu-used", settings.preset]
    return ["-deadline", "good", "-cpu-used", str(min(int(settings.preset), _LEAST_GOOD_SPEED))]


def _rate_control(settings: EncodeSettings) -> list[str]:
    """A bitrate, or a quality, which may have a cap: then no second takes more than two of the cap's."""
    rate = settings.rate
    x26x = settings.encoder in ("libx264", "libx265")
    if rate.bitrate is not None:
        argv = ["-b:v", str(rate.bitrate)]
        if x26x:
            argv += ["-maxrate", str(rate.bitrate * 3 // 2), "-bufsize", str(rate.bitrate * 2)]
        return argv
    argv = ["-crf", f"{rate.crf or 0.0:g}"]
    if settings.encoder == "libvpx-vp9":  # its cap is its bitrate, and without the 0 it would have one
        return ["-b:v", str(rate.maxrate or 0), *argv]
    if rate.maxrate is not None:
        argv += ["-maxrate", str(rate.maxrate)]
        if x26x:  # SVT-AV1 takes no size of a buffer with a crf
            argv += ["-bufsize", str(rate.maxrate)]
    return argv


def _threads_and_pass(settings: EncodeSettings, which_pass: int | None) -> list[str]:
    argv: list[str] = []
    count = None if settings.threads is None else str(settings.threads)
    if settings.encoder == "libx265":  # it has its own words for both, in one option
        words = [] if count is None else [f"pools={count}"]  # -threads: its frame threads, 16 at most
        if which_pass is not None:
            words += [f"pass={which_pass}", f"stats={PASS_LOGS}/x265.log"]
        return ["-x265-params", ":".join(words)] if words else []
    if which_pass is not None:
        argv += ["-pass", str(which_pass), "-passlogfile", f"{PASS_LOGS}/ffmpeg"]
    if count is not None:
        # SVT-AV1 keeps a pool of its own, which -threads does not bound.
        argv += ["-svtav1-params", f"lp={count}"] if settings.encoder == "libsvtav1" else ["-threads", count]
    return argv
