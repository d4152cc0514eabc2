"""Hardware encoders' part of the command line. Pure.

Pictures come from memory and the encoder takes them from there, but for VAAPI's, which wants them uploaded.
"""

from __future__ import annotations

from agent.ffmpeg.keyframes import keyframes
from common.settings import CODECS, EncodeSettings, hardware_of

RENDER_NODE = "/dev/dri/renderD128"
"""The first GPU; VAAPI has to be told which one."""
_WIDE_SCALE = 255
"""AV1's own quantizer, which AMF and VAAPI want; its `crf` ends at 63 like the software's."""


def device(settings: EncodeSettings) -> list[str]:
    """What comes before the inputs."""
    return ["-vaapi_device", RENDER_NODE] if hardware_of(settings.encoder) == "vaapi" else []


def uploaded(argv: list[str], settings: EncodeSettings) -> list[str]:
    """The command line so far, whose pictures end where the encoder takes them."""
    if hardware_of(settings.encoder) != "vaapi":
        return argv
    upload = f"format={_layout(settings)},hwupload"
    if "-vf" not in argv:
        return [*argv, "-vf", upload]
    place = argv.index("-vf") + 1
    return [*argv[:place], f"{argv[place]},{upload}", *argv[place + 1 :]]


def encoder(settings: EncodeSettings) -> list[str]:
    """The encoder and all that it is told."""
    name = hardware_of(settings.encoder)
    preset = {"amf": "-quality"}.get(name or "", "-preset")
    argv = ["-c:v", settings.encoder]
    argv += [preset, settings.preset] if settings.preset else []
    argv += {"nvenc": ["-tune", "hq"], "amf": ["-usage", "transcoding"]}.get(name or "", [])
    argv += _bitrate(name, settings) if settings.rate.bitrate is not None else _quality(name, settings)
    argv += keyframes(settings)
    if name != "vaapi":
        argv += ["-pix_fmt", _layout(settings)]
    if settings.codec == "h265" and settings.container in ("mp4", "hls", "dash"):
        argv += ["-tag:v", "hvc1"]  # as the software encoder's
    return argv


def _layout(settings: EncodeSettings) -> str:
    """How pictures lie in memory: each of these takes two planes, and NVENC the usual three too."""
    if settings.pixel_format == "yuv420p10le":
        return "p010le"
    return "yuv420p" if hardware_of(settings.encoder) == "nvenc" else "nv12"


def _bitrate(name: str | None, settings: EncodeSettings) -> list[str]:
    """A mean, and peaks that are bounded as those of the software encoders are."""
    bitrate = settings.rate.bitrate or 0
    mode = {"nvenc": ["-rc", "vbr"], "vaapi": ["-rc_mode", "VBR"], "amf": ["-rc", "vbr_peak"]}
    argv = [*mode.get(name or "", []), "-b:v", str(bitrate)]
    return [*argv, "-maxrate", str(bitrate * 3 // 2), "-bufsize", str(bitrate * 2)]


def _quality(name: str | None, settings: EncodeSettings) -> list[str]:
    """A constant quality, on the encoder's own scale."""
    crf = settings.rate.crf or 1.0
    most = CODECS[settings.codec].max_crf
    wide = round(crf * _WIDE_SCALE / most) if settings.codec == "av1" else round(crf)
    if name == "nvenc":
        cap = settings.rate.maxrate
        capped = [] if cap is None else ["-maxrate", str(cap), "-bufsize", str(cap * 2)]
        return ["-rc", "vbr", "-cq", f"{crf:g}", "-b:v", "0", *capped]
    if name == "vaapi":
        return ["-rc_mode", "CQP", "-global_quality", str(wide)]
    if name == "amf":
        return ["-rc", "cqp", "-qp_i", str(wide), "-qp_p", str(wide)]
    if name == "videotoolbox":
        return ["-q:v", str(max(1, round(100 * (1 - crf / most))))]  # 1 to 100, and more is better
    return ["-global_quality", str(max(1, round(crf * 51 / most)))]  # QSV's ICQ, 1 to 51 for each codec
