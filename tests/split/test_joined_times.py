"""A joined file has each frame of its source at its time, in step with its sound."""

from __future__ import annotations

import pytest

from tests.agent.media.clips import H264, Clips, picture, tone
from tests.split.pieces import CLOSE, X264, Farm, packets


@pytest.mark.parametrize("container", ["mp4", "mkv"])
def test_frames_and_sound_are_where_an_unsplit_encode_has_them(
    farm: Farm, clips: Clips, container: str
) -> None:
    clip = clips.make("clip.mp4", *picture(seconds=2), *tone(seconds=2), *H264, "-bf", "3", "-c:a", "aac")
    split = farm.split(clip, X264, (11, 30), container=container)
    whole = farm.whole(clip, container=container)
    for kind in ("video", "audio"):
        assert packets(split, kind) == pytest.approx(packets(whole, kind), abs=CLOSE)
