"""Where pictures begin anew, on the command line. Pure."""

from __future__ import annotations

from common.settings import CONTAINERS, EncodeSettings, hardware_of

_NONE_BY_CHANCE = {"libx264": ["-sc_threshold", "0"], "libx265": ["-forced-idr", "1"]}
_LENGTHS = r"setts=pts=PTS:dts=DTS:duration=if(eq(NEXT_DTS\,NOPTS)\,DURATION\,NEXT_DTS-DTS)"
"""Each packet lasts until the next one."""


def keyframes(settings: EncodeSettings) -> list[str]:
    """Key frames at least every `gop` frames; in a stream of pieces at the start of each, and none by chance.

    So all encodes of one input are cut at the same moments.
    """
    argv = ["-g", str(settings.gop)]
    if not CONTAINERS[settings.container].pieces:
        return argv
    argv += ["-force_key_frames", f"expr:gte(t,n_forced*{settings.segment_seconds:g})"]
    argv += _NONE_BY_CHANCE.get(settings.encoder, [])
    if hardware_of(settings.encoder) == "nvenc":
        argv += ["-forced-idr", "1", "-no-scenecut", "1"]
    if settings.every_frame and settings.source is not None and settings.source.variable:
        # The muxers of pieces take a piece's first time from the end of the one before: that is its time only
        # if lengths are true, which they cannot be where pictures come in another order than they are shown.
        argv += ["-bf", "0", "-bsf:v", _LENGTHS]
    return argv


def closed(settings: EncodeSettings) -> dict[str, str]:
    """What x265 has to be told besides."""
    if settings.encoder == "libx265" and CONTAINERS[settings.container].pieces:
        return {"scenecut": "0", "open-gop": "0"}
    return {}
