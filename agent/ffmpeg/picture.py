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
    known = _VERSION.match(version)
    number = (int(known[1]), int(known[2])) if known else _DEMUX
    # The input's own clock: to another one times would have to be rounded.
    clock = "demux" if number >= _DEMUX else "-1"
    mode = "-fps_mode" if number >= _FPS_MODE else "-vsync"
    return [*argv, mode, "passthrough", "-enc_time_base:v", clock]


def lasting(settings: EncodeSettings) -> list[str]:
    """Ends the output, with all its tracks."""
    seconds = _length(settings) if settings.every_frame else duration(settings)
    return ["-t", f"{seconds:.6f}"]


def prepare(settings: EncodeSettings) -> list[str]:
    """What an encode has to preserve of an input's picture, as filters, at the input's size.

    ffmpeg itself turns it upright before. What measures quality does the same to its reference.
    """
    filters = []
    if settings.deinterlaced:
        which = "all" if settings.deinterlace == "yes" else "interlaced"
        filters.append(f"bwdif=mode=send_frame:parity=auto:deint={which}")
    if not settings.every_frame:
        # start_time: the picture begins with the file, as the sound does, also where its first one is late.
        filters.append(f"fps={frame_rate(settings.fps)}:start_time=0")
    if settings.tonemapped and settings.source is not None:
        filters += _tonemap(settings.source.colour)
    return filters


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
