"""With a frame rate that was asked for, windows count the output's frames, each exactly 1/fps s long."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import pytest

from agent.chunks.piece import piece
from common.model import Value
from tests.agent.chunks.conftest import MakeTask, divided, windows
from tests.agent.chunks.kinds import KINDS, decoded, make
from tests.agent.media.clips import Clips


def rated(clips: Clips, path: str, rate: Fraction, base: Fraction, **how: object) -> list[tuple[int, str]]:
    """The frames that ffmpeg's filter `fps` makes, by their numbers; `base`: seconds to add to all times."""
    moved = f"setpts=PTS+round({base.numerator}/{base.denominator}/TB)"
    graph = f"{moved},fps={rate.numerator}/{rate.denominator}:start_time=0"
    frames = decoded(clips.ffmpeg, path, filters=graph, **how)  # type: ignore[arg-type]
    assert all((frame.time * rate).denominator == 1 for frame in frames)
    return [(int(frame.time * rate), frame.hash) for frame in frames]


@pytest.mark.parametrize(
    ("name", "fps", "rate"),
    [
        ("constant rate", 10, Fraction(10)),
        ("constant rate", 29.97, Fraction(30000, 1001)),
        ("constant rate", 60, Fraction(60)),
        ("variable rate", 24, Fraction(24)),
        ("open groups", 23.976, Fraction(24000, 1001)),
        ("a start offset", 30, Fraction(30)),
        ("h264 in a transport stream", 59.94, Fraction(60000, 1001)),
    ],
)
def test_its_frames_are_those_of_the_whole_file(
    name: str, fps: float, rate: Fraction, clips: Clips, make_task: MakeTask
) -> None:
    clip: Path = make(clips, KINDS[name])
    parameters: dict[str, Value] = {"fps": fps}
    task = make_task(clip, parameters=parameters)
    found = divided(task, clip, parameters)
    assert found.reason is None
    assert Fraction(*found.time_base) == 1 / rate
    assert [cut.tick for cut in found.cuts] == [cut.frame for cut in found.cuts]
    assert [cut.lead[1] for cut in found.cuts] == [cut.lead[0] for cut in found.cuts]
    assert found.end == found.frames
    whole = rated(clips, str(clip), rate, Fraction(0))
    known = dict(whole)
    assert sorted(known) == list(range(len(whole)))
    # How long the last picture is shown is not the matter here.
    assert abs(len(whole) - found.frames) <= max(Fraction(2), rate / 5)
    assert len(found.cuts) >= 3
    for window in windows(found)[1:2]:
        with piece(task, window) as cut:
            path = f"/proc/self/fd/{cut.descriptor}"
            made = rated(
                clips, path, rate, cut.base / rate, as_it_is=True, descriptor=cut.descriptor
            )  # fmt: skip
        end = min(window.end, len(whole) - 1)
        seen = {number: each for number, each in made if window.lead <= number < end}
        assert sorted(seen) == list(range(window.lead, end))
        assert seen == {number: known[number] for number in seen}
