"""What the output says of its colours, on the command line. Pure."""

from __future__ import annotations

from agent.ffmpeg.picture import without_matrix
from common.settings import Colour, EncodeSettings, MasteringDisplay

_SDR = Colour("bt709", "bt709", "bt709", "tv")
_TOLD = {
    "h264": ("mastering-display", "cll"),
    "h265": ("master-display", "max-cll"),
    "av1": ("mastering-display", "content-light"),
}
"""By codec, what its encoder calls the display and the light of the content."""


def output_colour(settings: EncodeSettings) -> Colour:
    """The input's, unless it is mapped to the usual one; a made picture says nothing."""
    source = settings.source
    if source is None:
        return Colour()
    if settings.tonemapped:
        return _SDR
    colour = source.colour
    return Colour(colour.primaries, colour.transfer, "bt709", "tv") if without_matrix(settings) else colour


def colours(settings: EncodeSettings) -> list[str]:
    """The options that every encoder knows."""
    colour = output_colour(settings)
    named = (
        ("-color_primaries", colour.primaries),
        ("-color_trc", colour.transfer),
        ("-colorspace", colour.matrix),
        ("-color_range", colour.range),
    )
    return [word for option, value in named if value is not None for word in (option, value)]


def light(settings: EncodeSettings, *, of_piece: bool = False) -> dict[str, str]:
    """What x265 and SVT-AV1 are told of an HDR picture; others pass that on by themselves.

    `of_piece`: x264 is told too, as a piece of an input has lost what the input's container said.
    """
    source = settings.source
    if source is None or settings.tonemapped or not source.colour.hdr:
        return {}
    if settings.codec not in _TOLD or (settings.codec == "h264" and not of_piece):
        return {}
    display, levels = _TOLD[settings.codec]
    told = {}
    if source.mastering is not None:
        told[display] = (_svt if settings.codec == "av1" else _x26x)(source.mastering)
    if source.light is not None:
        told[levels] = f"{source.light.most},{source.light.average}"
    return told


def _x26x(display: MasteringDisplay) -> str:
    """In units of 0.00002 and of 0.0001 cd/m² (H.265, D.3.28)."""

    def point(xy: tuple[float, float]) -> str:
        return f"({round(xy[0] * 50_000)},{round(xy[1] * 50_000)})"

    colours = f"G{point(display.green)}B{point(display.blue)}R{point(display.red)}WP{point(display.white)}"
    return f"{colours}L({round(display.most * 10_000)},{round(display.least * 10_000)})"


def _svt(display: MasteringDisplay) -> str:
    def point(xy: tuple[float, float]) -> str:
        return f"({xy[0]:.5f},{xy[1]:.5f})"

    colours = f"G{point(display.green)}B{point(display.blue)}R{point(display.red)}WP{point(display.white)}"
    return f"{colours}L({display.most:.4f},{display.least:.4f})"
