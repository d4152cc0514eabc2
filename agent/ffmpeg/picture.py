"""The picture's way from the source to the encoder, on the command line. Pure."""

from __future__ import annotations

import re

from agent.ffmpeg.timing import duration, frame_rate
from common.settings import Colour, EncodeSettings

_ROUNDING = 0.001
"""Seconds by which an input may be longer than it was measured to be."""
_VERSION = re.compile(r"n?(\d{1,3})\.(\d{1,3})")
_FPS_MODE, _DEMUX = (5, 1), (6, 1)
"""The first versions of ffmpeg with `-fps_mode`, and with `demux` for what was -1 before."""
_WITHOUT_MATRIX = ("rgb", "bgr", "gbr", "pal8", "0rgb", "argb", "abgr")
"""How pixel formats begin that are no YUV."""
_NITS = 100
"""cd/m² of what is white on a usual display, to which the rest of a high dynamic range is bent (BT.1886)."""


def picture(settings: EncodeSettings, version: str = "") -> list[str]:
    """The picture of an input, brought to its size, and to its rate if one was asked for."""
    graph = ",".join([*prepare(settings), *bring_to_size(settings)])
    argv = ["-map", "0:V:0", "-vf", graph]  # V: no cover picture
    argv += lasting(settings)
    if not settings.every_frame:
        return argv
    # The input's own clock: to another one times would have to be rounded.
    clock = "demux" if _number(version) >= _DEMUX else "-1"
    return [*argv, *at_their_times(version, clock)]


def at_their_times(version: str, clock: str) -> list[str]:
    """Each frame is encoded once, at its own time, by this clock: a fraction, or what ffmpeg calls one."""
    mode = "-fps_mode" if _number(version) >= _FPS_MODE else "-vsync"
    return [mode, "passthrough", "-enc_time_base:v", clock]


def _number(version: str) -> tuple[int, int]:
    known = _VERSION.match(version)
    return (int(known[1]), int(known[2])) if known else _DEMUX


def lasting(settings: EncodeSettings) -> list[str]:
    """Ends the output, with all its tracks."""
    seconds = _length(settings) if settings.every_frame else duration(settings)
    return ["-t", f"{seconds:.6f}"]


def prepare(settings: EncodeSettings) -> list[str]:
    """What an encode has to preserve of an input's picture, as filters, at the input's size.

    ffmpeg itself turns it upright before. What measures quality does the same to its reference.
    """
    return [*moments(settings), *mapped(settings)]


def moments(settings: EncodeSettings) -> list[str]:
    """The filters for which a frame's neighbours matter: what of an input's frames there is at which time."""
    filters = []
    if settings.deinterlaced:
        which = "all" if settings.deinterlace == "yes" else "interlaced"
        filters.append(f"bwdif=mode=send_frame:parity=auto:deint={which}")
    if not settings.every_frame:
        # start_time: the picture begins with the file, as the sound does, also where its first one is late.
        filters.append(f"fps={frame_rate(settings.fps)}:start_time=0")
    return filters


def mapped(settings: EncodeSettings) -> list[str]:
    """The filters that map a high dynamic range to the usual one."""
    if not settings.tonemapped or settings.source is None:
        return []
    return _tonemap(settings.source.colour)


def bring_to_size(settings: EncodeSettings) -> list[str]:
    """The filters that make of that the picture which is encoded: square pixels, in their format."""
    colours = ":out_color_matrix=bt709" if without_matrix(settings) else ""
    scale = f"scale={settings.width}:{settings.height}{colours}"
    return [scale, "setsar=1", f"format={settings.pixel_format}"]


def cut(settings: EncodeSettings) -> list[str]:
    """The filters that end a prepared picture where an encode of it ends."""
    if settings.every_frame:
        return [f"trim=duration={_length(settings):.6f}"]
    return [f"trim=duration={duration(settings):.6f}", f"trim=end_frame={settings.frames}"]


def _length(settings: EncodeSettings) -> float:
    whole = settings.source is not None and settings.duration >= settings.source.duration
    return settings.duration + (_ROUNDING if whole else 0)


def without_matrix(settings: EncodeSettings) -> bool:
    """Whether the input's picture is no YUV, and is made into that by a matrix of our choice."""
    source = settings.source
    return source is not None and (source.pixel_format or "").startswith(_WITHOUT_MATRIX)


def _tonemap(colour: Colour) -> list[str]:
    """From PQ or HLG to BT.709, by light that is linear (zimg), with Hable's curve."""
    return [
        # What is not said is what goes with such a transfer (BT.2100).
        f"setparams=color_primaries={colour.primaries or 'bt2020'}:color_trc={colour.transfer}"
        f":colorspace={colour.matrix or 'bt2020nc'}:range={colour.range or 'tv'}",
        f"zscale=transfer=linear:npl={_NITS}",
        "format=gbrpf32le",
        "zscale=primaries=bt709",
        "tonemap=tonemap=hable:desat=0",
        "zscale=transfer=bt709:matrix=bt709:range=tv",
        "format=yuv420p10le",
        "sidedata=mode=delete:type=MASTERING_DISPLAY_METADATA",
        "sidedata=mode=delete:type=CONTENT_LIGHT_LEVEL",
    ]
