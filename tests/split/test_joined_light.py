"""What displays need to know of a high dynamic range comes through chunks and join as through one encode."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.agent.media.clips import frames
from tests.agent.media.test_hdr import BT2020, PQ, hdr
from tests.split.chunks import split
from tests.split.pieces import Farm


def light(path: Path) -> list[Any]:
    """Of each frame its format and colours, and what is said of the display and of the content's light."""
    return [
        (
            frame.format.name,
            frame.color_primaries,
            frame.color_trc,
            frame.colorspace,
            sorted(
                (data.type.name, bytes(data))
                for data in frame.side_data
                if data.type.name in ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")
            ),
        )
        for frame in frames(path)
    ]


def test_hdr10_is_said_as_an_unsplit_encode_says_it(farm: Farm) -> None:
    clip = hdr(farm.clips, "smpte2084")
    given: dict[str, Any] = {"codec": "h265", "preset": "ultrafast"}
    joined = light(split(farm, clip, [3], **given))
    whole = light(farm.whole(clip, **given))
    assert joined == whole
    assert joined[0][:4] == ("yuv420p10le", BT2020, PQ, BT2020)
    assert [name for name, _ in joined[0][4]] == ["CONTENT_LIGHT_LEVEL", "MASTERING_DISPLAY_METADATA"]


def test_x264_is_told_what_only_the_container_of_a_piece_said(farm: Farm) -> None:
    made = hdr(farm.clips, "smpte2084")
    vp9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "3")
    clip = farm.clips.make("clip.mkv", "-i", made.name, *vp9)
    joined = light(split(farm, clip, [3], 2, 0, codec="h264"))
    assert len(joined) == 5
    for first in (0, 3):  # key frames say it
        assert [name for name, _ in joined[first][4]] == ["CONTENT_LIGHT_LEVEL", "MASTERING_DISPLAY_METADATA"]
