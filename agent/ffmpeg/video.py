"""The video encoder's part of the command line: rate control, presets, threads. Pure."""

from __future__ import annotations

from agent.ffmpeg import hardware
from agent.ffmpeg.colour import colours, light
from agent.ffmpeg.keyframes import Forced, closed, keyframes
from agent.ffmpeg.timing import frame_rate
from common.settings import EncodeSettings, hardware_of
from common.shares import BEGIN, Buffer

PASSES = "passes"
"""The directory, within that of the attempt, where a first pass leaves what it found."""
_LEAST_GOOD_SPEED = 5
"""libvpx has no faster `-cpu-used` where it looks twice."""
_OWN = {"libx264": "-x264-params", "libx265": "-x265-params", "libsvtav1": "-svtav1-params"}
"""The encoders that have options of their own, all in one word."""
_MOST_FRAME_THREADS = 2
"""Of x265, for a chunk: each that is under way knows less of those before it."""
HOLD_BUFFERS = ("libx264", "libx265")
"""Those that bound peaks by a buffer."""
_POOLS = {"libx265": "pools", "libsvtav1": "lp"}
"""What those call their threads that keep pools of their own."""


def video(settings: EncodeSettings, which_pass: int | None = None, forced: Forced | None = None) -> list[str]:
    """The encoder and all that it is told.

    `which_pass`: 1 or 2 of two; None: there is one. `forced`: of a chunk, where its pictures begin anew.
    """
    if hardware_of(settings.encoder) is not None:
        return [*hardware.encoder(settings), *colours(settings)]
    argv = ["-c:v", settings.encoder]
    if settings.encoder == "libvpx-vp9":
        argv += [*_speed_of_vp9(settings, which_pass), "-row-mt", "1"]
    else:
        argv += ["-preset", settings.preset]
    argv += [*_rate_control(settings), *keyframes(settings, forced), "-pix_fmt", settings.pixel_format]
    argv += colours(settings)
    if settings.codec == "h265" and settings.container in ("mp4", "hls", "dash") and which_pass != 1:
        argv += ["-tag:v", "hvc1"]  # ffmpeg's own choice, hev1, does not play on Apple's devices
    own = {
        **_pools(settings, forced),
        **light(settings, of_piece=forced is not None),
        **closed(settings, forced),
    }
    own |= {**_own_pass(settings, which_pass), **_rate_of_all(settings, forced)}
    if settings.rate.share_of is not None and buffer(settings) is not None:
        own["vbv-init"] = f"{BEGIN:g}"
    if own:
        argv += [_OWN[settings.encoder], ":".join(f"{name}={value}" for name, value in own.items())]
    if settings.threads is not None and settings.encoder not in _POOLS:
        argv += ["-threads", str(settings.threads)]
    if which_pass is not None and settings.encoder != "libx265":
        argv += ["-pass", str(which_pass), "-passlogfile", f"{PASSES}/ffmpeg"]
    return argv


def _rate_of_all(settings: EncodeSettings, forced: Forced | None) -> dict[str, str]:
    """Tells the encoder of a chunk the frame rate of the whole, from which the level in its header follows.

    Where the rate varies, a piece would be taken for another one, and chunks would have other headers.
    """
    if forced is None:
        return {}
    rate = frame_rate(settings.fps)
    if settings.encoder in ("libx264", "libx265"):
        return {"fps": f"{rate.numerator}/{rate.denominator}"}
    if settings.encoder == "libsvtav1":
        return {"fps-num": str(rate.numerator), "fps-denom": str(rate.denominator)}
    return {}


def _own_pass(settings: EncodeSettings, which_pass: int | None) -> dict[str, str]:
    """What x265 calls a pass and its log."""
    if which_pass is None or settings.encoder != "libx265":
        return {}
    return {"pass": str(which_pass), "stats": f"{PASSES}/x265.log"}


def _speed_of_vp9(settings: EncodeSettings, which_pass: int | None) -> list[str]:
    """Two passes need the deadline `good`: with `realtime` libvpx keeps nothing of the first one."""
    if which_pass is None:
        return ["-deadline", "realtime", "-cpu-used", settings.preset]
    return ["-deadline", "good", "-cpu-used", str(min(int(settings.preset), _LEAST_GOOD_SPEED))]


def buffer(settings: EncodeSettings) -> Buffer | None:
    """What bounds the peaks of a bitrate; of a chunk's, they are those of the whole."""
    rate = settings.rate
    if rate.bitrate is None or settings.encoder not in HOLD_BUFFERS:
        return None
    whole = rate.share_of or rate.bitrate
    return Buffer(whole * 3 // 2, whole * 2)


def _rate_control(settings: EncodeSettings) -> list[str]:
    """A bitrate, or a quality, which may have a cap: then no second takes more than two of the cap's."""
    rate = settings.rate
    if rate.bitrate is not None:
        held = buffer(settings)
        peaks = [] if held is None else ["-maxrate", str(held.rate), "-bufsize", str(held.size)]
        return ["-b:v", str(rate.bitrate), *peaks]
    argv = ["-crf", f"{rate.crf or 0.0:g}"]
    if settings.encoder == "libvpx-vp9":  # its cap is its bitrate, and without the 0 it would have one
        return ["-b:v", str(rate.maxrate or 0), *argv]
    if rate.maxrate is not None:
        argv += ["-maxrate", str(rate.maxrate)]
        if settings.encoder in HOLD_BUFFERS:  # SVT-AV1 takes no size of a buffer with a crf
            argv += ["-bufsize", str(rate.maxrate)]
    return argv


def _pools(settings: EncodeSettings, forced: Forced | None) -> dict[str, str]:
    """The threads of the encoders that keep pools of their own, which -threads does not bound.

    x265 has as many frames under way as the machine has cores for, unless it is told: a chunk is the same
    from all machines.
    """
    if settings.threads is None or settings.encoder not in _POOLS:
        return {}
    # For x265, -threads would set its frame threads, 16 at most.
    pools = {_POOLS[settings.encoder]: str(settings.threads)}
    if forced is not None and settings.encoder == "libx265":
        pools["frame-threads"] = str(min(settings.threads, _MOST_FRAME_THREADS))
    return pools
