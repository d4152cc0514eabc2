"""The pieces of a stream that was encoded in chunks begin where those of an unsplit encode begin."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from common.model import Value
from tests.agent.media.clips import H264, Clips, picture
from tests.agent.media.test_containers import keys
from tests.split.chunks import split
from tests.split.pieces import Farm


def begun(path: Path) -> tuple[list[str], list[float]]:
    """What the playlist or manifest says of the pieces' lengths, and when key frames are shown."""
    said = re.findall(
        r"#EXTINF:[\d.]+|<SegmentTimeline>.*?</SegmentTimeline>|<SegmentList [^>]*>",
        path.read_text(),
        re.DOTALL,
    )
    stem = path.stem.removeprefix("split-")
    media = path.with_name(f"{stem}.m4s" if path.suffix == ".m3u8" else f"{stem}-0.mp4")
    return said, keys(media)


@pytest.mark.parametrize("codec", ["h264", "h265"])
@pytest.mark.parametrize("container", ["hls", "dash"])
def test_they_begin_at_the_same_moments(farm: Farm, clips: Clips, container: str, codec: str) -> None:
    clip = clips.make("clip.mp4", *picture(seconds=3), *H264, "-bf", "3")
    given: dict[str, Value] = {
        "codec": codec,
        "container": container,
        "segment_seconds": 0.6,
        "preset": "veryfast",
    }
    whole = begun(farm.whole(clip, **given))
    joined = begun(split(farm, clip, [20, 45], 8, **given))
    assert joined[0] == whole[0]
    assert len(whole[0]) > 0
    assert set(whole[1]) <= set(joined[1])
    assert set(joined[1]) - set(whole[1]) <= {20 / 25, 45 / 25}
