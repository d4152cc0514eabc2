"""The command line that encodes one chunk, or looks how hard it is, from its piece of the input. Pure.

The picture is what the encode of the whole input would see: frames have their times since the file's start
when the filters get them, and what a piece has lost that the input's container said is said again.
"""

from __future__ import annotations

from agent.chunks.alike import forced
from agent.ffmpeg.begin import begin
from agent.ffmpeg.picture import at_their_times, bring_to_size, mapped, moments
from agent.ffmpeg.source import opened
from agent.ffmpeg.video import video
from common.model import Window
from common.settings import Colour, EncodeSettings

NAME = "chunk.mp4"
_TURNS = {
    (0, False): [],
    (90, False): ["transpose=cclock"],
    (180, False): ["hflip", "vflip"],
    (270, False): ["transpose=clock"],
    (0, True): ["vflip"],
    (90, True): ["transpose=clock_flip"],
    (180, True): ["hflip"],
    (270, True): ["transpose=cclock_flip"],
}
"""How ffmpeg makes a picture upright, by the degrees against the clock by which it is turned when it is
shown, and whether it is mirrored."""
_LATER = 1_000_000
"""Seconds that no window lasts."""
_TRANSFERS = {"gamma22": "bt470m", "gamma28": "bt470bg"}
"""What the filter calls otherwise than the encoders' option."""


def build(
    ffmpeg: str,
    settings: EncodeSettings,
    window: Window,
    piece: tuple[int, int, int],
    version: str = "",
    which_pass: int | None = None,
) -> list[str]:
    """The argv; it writes `NAME`, or nothing if `which_pass` is 1.

    `piece`: its descriptor, its base and its packets (`agent.chunks.piece`); `settings`: of the chunk
    (`agent.chunks.alike`). The first frame of the file, `window.lead`, is shown at 0.
    """
    descriptor, base, packets = piece
    numerator, denominator = window.time_base
    graph = ",".join([*frames_of(settings, window, base, packets), *bring_to_size(settings)])
    argv = [*begin(ffmpeg), *input_of(descriptor, version), "-map", "0:v:0", "-vf", graph]
    argv += at_their_times(version, f"{numerator}:{denominator}")
    argv += video(settings, which_pass, forced(window))
    if which_pass == 1:
        return [*argv, "-f", "null", "-"]
    argv += ["-map_metadata", "-1", "-map_chapters", "-1", "-video_track_timescale", str(denominator)]
    return [*argv, "-protocol_whitelist", "file,pipe", "-f", "mp4", "-y", f"file:{NAME}"]


def input_of(descriptor: int, version: str) -> list[str]:
    """Reads a piece, whose times stay what they are; it says nothing of how it is turned."""
    return ["-copyts", "-noautorotate", *opened(descriptor, version)]


def frames_of(settings: EncodeSettings, window: Window, base: int, packets: int) -> list[str]:
    """The filters from a decoded piece, of so many packets, to the frames [lead, tail); the first has the
    time 0. The picture is upright, and as large as it was.
    """
    numerator, denominator = window.time_base
    ticks = f"settb={numerator}/{denominator}"
    begin_ = window.ticks[2]
    return [
        *_upright(settings),
        *_said(settings),
        f"setpts=PTS+round({base}*{numerator}/{denominator}/TB){_for_good(settings, packets)}",
        *moments(settings),
        *_as_long_as_planned(settings),
        ticks,
        f"trim=start_pts={begin_}:end_pts={window.ticks[3]}",
        f"setpts=PTS-{begin_}",
        *mapped(settings),
        ticks,
    ]


def _for_good(settings: EncodeSettings, packets: int) -> str:
    """A piece does not say how long its last picture is shown; the window's end does.

    What comes behind all of them is the end, which is put off; else `fps` may leave that picture out.
    """
    return "" if settings.every_frame else f"+gte(N\\,{packets})*{_LATER}/TB"


def _as_long_as_planned(settings: EncodeSettings) -> list[str]:
    """Where packets were no pictures, or by an ffmpeg that does not put its end off."""
    return [] if settings.every_frame else ["tpad=stop=-1:stop_mode=clone"]


def _upright(settings: EncodeSettings) -> list[str]:
    source = settings.source
    turns = [] if source is None else _TURNS[source.rotation, source.mirrored]
    # It is upright then: who reads the chunk is not told to turn it again.
    return [*turns, "sidedata=mode=delete:type=DISPLAYMATRIX"] if turns else []


def _said(settings: EncodeSettings) -> list[str]:
    """What the input says of its colours."""
    colour = Colour() if settings.source is None else settings.source.colour
    transfer = colour.transfer and _TRANSFERS.get(colour.transfer, colour.transfer)
    named = (
        ("color_primaries", colour.primaries),
        ("color_trc", transfer),
        ("colorspace", colour.matrix),
        ("range", colour.range),
    )
    said = ":".join(f"{name}={value}" for name, value in named if value is not None)
    return [f"setparams={said}"] if said else []
