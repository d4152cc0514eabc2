"""Whatever the stream, the frames of a piece are those of the whole file, bit by bit, at their times."""

from __future__ import annotations

from fractions import Fraction

import av
import pytest

from agent.chunks.piece import piece
from tests.agent.chunks.conftest import MakeTask, divided, windows
from tests.agent.chunks.kinds import KINDS, decoded, make
from tests.agent.media.clips import Clips


def pixels(path: str) -> str:
    """How a picture's samples lie, which their hash does not tell."""
    with av.open(path) as container:
        return str(container.streams.video[0].codec_context.pix_fmt)


@pytest.mark.parametrize("name", KINDS)
def test_the_frames_of_each_window_are_those_of_the_whole_file(
    name: str, clips: Clips, make_task: MakeTask
) -> None:
    clip = make(clips, KINDS[name])
    whole = decoded(clips.ffmpeg, str(clip))
    task = make_task(clip)
    found = divided(task, clip)
    assert found.reason is None
    assert found.frames == len(whole)
    assert len(found.cuts) >= KINDS[name].least
    tick = Fraction(*found.time_base)
    all_ = windows(found)
    for window in (all_[0], all_[len(all_) // 2], all_[-1]):
        with piece(task, window) as cut:
            path = f"/proc/self/fd/{cut.descriptor}"
            assert pixels(path) == pixels(str(clip))
            frames = decoded(clips.ffmpeg, path, as_it_is=True, descriptor=cut.descriptor)
        first, end, lead = (moment * tick for moment in window.ticks)
        seen = [(frame.time + cut.base * tick, frame.hash) for frame in frames]
        wanted = [(frame.time, frame.hash) for frame in whole]
        assert [each for each in seen if lead <= each[0] < end] == wanted[window.lead : window.end]
        assert [t for t, _ in seen if first <= t < end] == [t for t, _ in wanted[window.first : window.end]]
