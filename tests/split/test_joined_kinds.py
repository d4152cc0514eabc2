"""Whatever comes in and goes out: all frames at their times, in step with the sound, and no complaint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import av
import pytest

from common.model import Value
from tests.agent.media.clips import H264, Clips, picture, relative, tone
from tests.split.pieces import AV1, CLOSE, VP9, X264, Farm, decoded, packets, ticks_of

_BOTH = (*picture(seconds=2), *tone(seconds=2))
_AAC = ("-c:a", "aac")


@dataclass(frozen=True, slots=True)
class Kind:
    """A clip, and what is made of it."""

    name: str
    clip: Sequence[str]
    container: str
    encoder: Sequence[str] = X264
    parameters: dict[str, Value] = field(default_factory=dict)
    tracks: int = 1
    cuts: tuple[int, ...] = (11, 30)

    def __str__(self) -> str:
        return f"{self.name.rpartition('.')[2]} to {self.container}"


_VFR = "settb=1/1000,setpts='floor((N+0.3*mod(N\\,5))*40)'"
_TWO = (*_BOTH, *tone(880, seconds=2), "-map", "0:v", "-map", "1:a", "-map", "2:a")
_PIECES: dict[str, Value] = {"segment_seconds": 0.5}
_FORCED = ("-sc_threshold", "0", "-force_key_frames", "expr:gte(t,n_forced*0.5)")
KINDS = (
    Kind("vfr.mkv", (*_BOTH, "-vf", _VFR, "-fps_mode", "vfr", *H264, *_AAC), "mkv"),
    Kind("vfr.mp4", (*_BOTH, "-vf", _VFR, "-fps_mode", "vfr", *H264, *_AAC), "mp4"),
    Kind("odd.ts", (*_BOTH, *H264, "-bf", "2", *_AAC, "-output_ts_offset", "1234.56"), "mpegts"),
    Kind("late.mp4", ("-itsoffset", "0.43", *_BOTH, *H264, *_AAC), "mp4"),
    Kind("late.mkv", ("-itsoffset", "0.43", *_BOTH, *H264, *_AAC), "mkv"),
    Kind("early.ts", (*picture(seconds=2), "-itsoffset", "0.3", *tone(seconds=2), *H264, *_AAC), "mp4"),
    Kind("web.mp4", (*_BOTH, *H264, *_AAC), "webm", VP9, {"codec": "vp9", "preset": "8"}),
    Kind("av.mp4", (*_BOTH, *H264, *_AAC), "mkv", AV1, {"codec": "av1", "preset": "12"}),
    Kind("av.mkv", (*_BOTH, *H264, *_AAC), "mp4", AV1, {"codec": "av1", "preset": "12"}),
    Kind("hls.mp4", (*_BOTH, *H264, *_AAC), "hls", (*X264, *_FORCED), _PIECES),
    Kind("dash.mp4", (*_TWO, *H264, *_AAC), "dash", (*X264, *_FORCED), _PIECES, tracks=2),
)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_joined_file_is_what_an_unsplit_encode_is(farm: Farm, clips: Clips, kind: Kind) -> None:
    clip = clips.make(kind.name, *kind.clip)
    split = farm.split(clip, kind.encoder, kind.cuts, container=kind.container, **kind.parameters)
    whole = farm.whole(clip, container=kind.container, **kind.parameters)
    ticks, _, base = ticks_of(clip)
    shown = packets(split, "video")
    source = [tick * base[0] / base[1] for tick in ticks]
    assert relative(shown) == pytest.approx(relative(source), abs=CLOSE)
    assert shown == pytest.approx(packets(whole, "video"), abs=CLOSE)
    for number in range(kind.tracks):
        assert packets(split, "audio", number) == pytest.approx(packets(whole, "audio", number), abs=CLOSE)
    tracks = sorted(split.parent.glob(f"{split.stem}-*.mp4")) if kind.container == "dash" else [split]
    assert [complaint for track in tracks for complaint in clips.complaints(track)] == []
    assert decoded(tracks[0]) == len(ticks)
    if kind.container != "mpegts":  # it has no index
        for frame in kind.cuts:
            assert after_seek(tracks[0], shown[frame]) == pytest.approx(shown[frame], abs=CLOSE)


def after_seek(path: Path, moment: float) -> float:
    """The first frame from that moment on, once a player has sought it."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        base = stream.time_base
        assert base is not None
        container.seek(round((moment + CLOSE) / base), stream=stream)
        for frame in container.decode(stream):
            if frame.time is not None and frame.time >= moment - CLOSE:
                return frame.time
    raise AssertionError("there is no frame after that moment")
