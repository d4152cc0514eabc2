"""Planned, cut, encoded and joined, a file has each picture once, at its time, in step with its sound."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest

from agent.task import PartDone
from common.model import Stage, Value
from master.chunking import windows
from tests.agent.chunks.kinds import decoded
from tests.agent.media.clips import Clips, frames, picture, relative, rows, tone
from tests.split.pieces import CLOSE, Farm, packets, ticks_of

_SIZE = "96x64"
_X264 = ("-c:v", "libx264", "-preset", "veryfast", "-c:a", "aac")
_X265 = ("-c:v", "libx265", "-preset", "ultrafast", "-c:a", "aac", "-x265-params")
_UNEVEN = "settb=1/1000,setpts='floor(N*37+11*sin(N*2)+400*gt(N,42))'"
_MOST_AWAY = 5.0
"""Of 255: by how much two encodes of one picture differ at most, on average."""
_NEIGHBOURS = 2
"""Frames before and behind one, of which none may be more like it than itself."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A file, and what is made of it."""

    file: str
    clip: Sequence[str]
    parameters: Mapping[str, Value] = field(default_factory=dict)
    tracks: int = 1
    copied: Sequence[str] = ()
    """Where a copy of that is what is meant: the options before its input."""


def _shown(*sounds: Sequence[str], rate: str = "25", seconds: float = 4) -> list[str]:
    """A picture and tracks of sound, each with options of its own."""
    inputs = [*picture(_SIZE, rate, seconds), *(word for words in sounds for word in words)]
    maps = [f"{number}" for number in range(len(sounds) + 1)]
    return [*inputs, *(word for number in maps for word in ("-map", number))]


KINDS = {
    "variable rate, open groups, two languages, a start that is odd": Kind(
        "a.mkv",
        (
            *_shown(tone(seconds=4), tone(880, seconds=4)),
            *("-vf", _UNEVEN, "-fps_mode", "passthrough", "-enc_time_base:v", "1/1000", *_X264, "-bf", "4"),
            *(
                "-x264-params",
                "open-gop=1:keyint=30:b-adapt=0:b-pyramid=normal",
                "-output_ts_offset",
                "3.217",
            ),
        ),
        tracks=2,
    ),
    "a transport stream whose clock wraps around, and whose sound is early": Kind(
        "a.ts",
        (
            *("-itsoffset", "0.31", *_shown(tone(seconds=4))),
            *(*_X264, "-bf", "3", "-g", "25", "-output_ts_offset", "95441.7"),
        ),
        {"container": "mkv"},
    ),
    "ten bits, one long group, an edit list": Kind(
        "a.mp4",
        (
            *(*_shown(tone(seconds=13), rate="10", seconds=13), "-pix_fmt", "yuv420p10le"),
            *(*_X265, "log-level=error:keyint=-1:bframes=4:scenecut=0"),
        ),
        {"codec": "h265", "crf": 16},
        copied=("-ss", "0.45"),
    ),
    "another rate, to the very end of pictures of no length": Kind(
        "a.mkv",
        (
            *_shown(tone(seconds=4)),
            *("-vf", _UNEVEN, "-fps_mode", "passthrough", "-enc_time_base:v", "1/1000", *_X264, "-g", "30"),
        ),
        {"fps": 30},
    ),
    "interlaced pictures that are taken apart": Kind(
        "a.ts",
        (*_shown(tone(seconds=4)), "-vf", "interlace", *_X264, "-flags", "+ilme+ildct", "-g", "12"),
    ),
    "turned as in a mirror, of no square pixels": Kind(
        "a.mp4",
        (*_shown(tone(seconds=4)), "-vf", "setsar=4/3", *_X264, "-bf", "2", "-g", "25"),
        copied=("-display_rotation", "90", "-display_hflip"),
    ),
}


@pytest.mark.parametrize("name", KINDS)
def test_it_has_the_pictures_of_an_unsplit_encode_at_the_times_of_its_source(
    farm: Farm, clips: Clips, name: str
) -> None:
    kind = KINDS[name]
    clip = clips.make(f"long-{kind.file}" if kind.copied else kind.file, *kind.clip)
    if kind.copied:
        clip = clips.make(kind.file, *kind.copied, "-i", clip.name, "-c", "copy")
    given: dict[str, Value] = {"preset": "ultrafast", "crf": 0, **kind.parameters}
    joined = whole_way(farm, clip, {**given, "split": 2})
    whole = farm.whole(clip, **given)
    shown = packets(joined, "video")
    if "fps" in given:
        assert relative(shown) == pytest.approx([n / 30 for n in range(len(shown))], abs=CLOSE)
    else:
        ticks, _, base = ticks_of(clip)
        assert relative(shown) == pytest.approx(relative([t * base[0] / base[1] for t in ticks]), abs=CLOSE)
    of_whole = packets(whole, "video")
    assert shown[: len(of_whole)] == pytest.approx(of_whole, abs=CLOSE)
    for number in range(kind.tracks):
        assert packets(joined, "audio", number) == pytest.approx(packets(whole, "audio", number), abs=CLOSE)
    assert clips.complaints(joined) == []
    if "codec" in given:
        assert strangers(joined, whole) == []
    else:  # x264 loses nothing then, so each picture is the same, bit by bit
        shows = [frame.hash for frame in decoded(clips.ffmpeg, str(joined))]
        assert shows == [frame.hash for frame in decoded(clips.ffmpeg, str(whole))]


def whole_way(farm: Farm, clip: Path, given: dict[str, Value]) -> Path:
    """What a master and nodes make of the clip."""
    report = farm.run(clip, Stage.PLAN, None, given)
    assert report.error is None, report.error
    found = report.findings.divisible
    assert found is not None
    assert found.reason is None
    chosen = windows(found, int(str(given["split"])))
    assert len(chosen) > 1
    of_parts = {name: value for name, value in given.items() if name != "split"}
    source = found.source
    parts = [made(farm, clip, "sound", Stage.SOUND, of_parts, source=source)]
    for number, window in enumerate(chosen, 1):
        name = f"chunk-{number:03}"
        parts.append(made(farm, clip, name, Stage.CHUNK, of_parts, source=source, window=window))
    report = farm.run(clip, Stage.JOIN, None, given, parts=tuple(parts), source=source)
    assert report.error is None, report.error
    path = Path(str(report.metrics["output_path"]))
    return path.rename(path.with_name(f"joined-{path.name}"))


def made(
    farm: Farm, clip: Path, name: str, stage: Stage, given: Mapping[str, Value], **more: Any
) -> PartDone:
    """A completed part."""
    report = farm.run(clip, stage, f"media:clips/{name}", {**given, "overwrite": True}, **more)
    assert report.error is None, report.error
    return PartDone(name, name, report.metrics, report.findings.artifacts, stage, more.get("window"))


def strangers(joined: Path, whole: Path) -> list[tuple[int, int]]:
    """The frames that show something else than in the whole encode, each with the one that it is there."""
    mine, theirs = list(brightness(joined)), list(brightness(whole))
    found = []
    for number, own in enumerate(mine[: len(theirs)]):
        near = range(max(0, number - _NEIGHBOURS), min(len(theirs), number + _NEIGHBOURS + 1))
        shows = min(near, key=lambda each: difference(own, theirs[each]))
        # A picture that is shown for several frames is as much like each of them.
        away = difference(own, theirs[number])
        if 2 * difference(own, theirs[shows]) < away or away > _MOST_AWAY:
            found.append((number, shows))
    return found


def brightness(path: Path) -> Iterator[bytes]:
    """A small grey picture of each frame, in the order in which they are shown."""
    for frame in frames(path):
        assert isinstance(frame, av.VideoFrame)
        yield b"".join(rows(frame.reformat(48, 32, format="gray")))


def difference(one: bytes, other: bytes) -> float:
    """On average."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
