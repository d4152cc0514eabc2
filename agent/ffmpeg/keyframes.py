"""Where pictures begin anew, on the command line. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from common.settings import CONTAINERS, EncodeSettings, hardware_of

_NONE_BY_CHANCE = {"libx264": ["-sc_threshold", "0"], "libx265": ["-forced-idr", "1"]}
_LENGTHS = r"setts=pts=PTS:dts=DTS:duration=if(eq(NEXT_DTS\,NOPTS)\,DURATION\,NEXT_DTS-DTS)"
"""Each packet lasts until the next one."""


@dataclass(frozen=True, slots=True)
class Forced:
    """Where the pictures of a chunk begin anew, whatever else is asked for: nothing before is needed then."""

    frame: int
    """Its number, counted from the first that the encoder gets: no time has to be rounded."""
    began: float = 0.0
    """Seconds from the file's start to that first one, and half a tick: no rounding makes them too few."""


def keyframes(settings: EncodeSettings, forced: Forced | None = None) -> list[str]:
    """Key frames at least every `gop` frames; in a stream of pieces at the start of each, and none by chance.

    So all encodes of one input are cut at the same moments.
    """
    argv = ["-g", str(settings.gop)]
    pieces = CONTAINERS[settings.container].pieces
    if forced is not None:
        argv += ["-force_key_frames", f"expr:{_of_chunk(settings, forced, pieces=pieces)}"]
        argv += ["-forced-idr", "1"] if settings.encoder == "libx265" and not pieces else []
    if not pieces:
        return argv
    if forced is None:
        argv += ["-force_key_frames", f"expr:gte(t,n_forced*{settings.segment_seconds:g})"]
    argv += _NONE_BY_CHANCE.get(settings.encoder, [])
    if hardware_of(settings.encoder) == "nvenc":
        argv += ["-forced-idr", "1", "-no-scenecut", "1"]
    if settings.every_frame and settings.source is not None and settings.source.variable:
        # The muxers of pieces take a piece's first time from the end of the one before: that is its time only
        # if lengths are true, which they cannot be where pictures come in another order than they are shown.
        argv += ["-bf", "0", "-bsf:v", _LENGTHS]
    return argv


def _of_chunk(settings: EncodeSettings, forced: Forced, *, pieces: bool) -> str:
    """The frame that was named, and of a stream of pieces each that is the first of its piece."""
    named = [f"eq(n,{forced.frame})"]
    if pieces:
        piece = "floor(({}+{:.9f})/{:g})"
        now, before = (
            piece.format(time, forced.began, settings.segment_seconds) for time in ("t", "prev_forced_t")
        )
        named.append(f"gt({now},{before})")
    return "+".join(named)


def closed(settings: EncodeSettings, forced: Forced | None = None) -> dict[str, str]:
    """What x265 and x264 have to be told besides.

    Chunks have the same headers, whatever was asked of each, and x265's say nothing of that either.
    """
    if forced is not None and settings.encoder == "libx264":
        return {"stitchable": "1"}
    if forced is not None and settings.encoder == "libx265" and not CONTAINERS[settings.container].pieces:
        # Where groups may be open, pictures do not begin anew with a key frame that is forced amid others.
        return {**({} if forced.frame == 0 else {"open-gop": "0"}), "info": "0"}
    if settings.encoder == "libx265" and CONTAINERS[settings.container].pieces:
        return {"scenecut": "0", "open-gop": "0", **({} if forced is None else {"info": "0"})}
    return {}
