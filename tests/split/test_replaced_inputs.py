"""Of a file that was replaced since it was planned no part is made: chunks would be of two films."""

from __future__ import annotations

from dataclasses import replace

from agent.chunks.facts import to_text
from common.model import Stage
from tests.agent.media.clips import H264, Clips, picture, tone
from tests.split.chunks import run_chunk
from tests.split.pieces import Farm, facts, windows


def test_parts_of_a_file_of_another_size_fail_and_say_so(farm: Farm, clips: Clips) -> None:
    clip = clips.make("clip.mp4", *picture("64x64"), *tone(), *H264, "-c:a", "aac")
    window = windows(clip, [12])[1]
    known = facts(clip)
    assert known.size == clip.stat().st_size
    other = to_text(replace(known, size=clip.stat().st_size + 1))
    for report in (
        run_chunk(farm, clip, "chunk-002", window, {}, source=other),
        farm.run(clip, Stage.SOUND, "media:clips/sound", {}, source=other),
    ):
        assert report.error is not None
        assert report.error.code == "input_invalid"
        assert "it was changed" in report.error.message
    assert run_chunk(farm, clip, "chunk-002", window, {}, source=to_text(known)).error is None
