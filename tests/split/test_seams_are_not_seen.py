"""At equal bytes a file in chunks is as good as the same file encoded whole, also at its seams."""

from __future__ import annotations

import pytest

from bench.seam_lab import Lab
from bench.seam_lab import make as make_clip
from bench.seam_scores import Difference, Scored, Seam, at_bytes, compared
from common.model import Value
from tests.split.pieces import Farm


def test_neither_at_changes_of_the_scene_nor_within_a_shot(farm: Farm) -> None:
    lab = Lab(farm, farm.clips.ffmpeg)
    clip = make_clip(farm.clips.directory, lab.ffmpeg, "scenes", "256x144", 15, scene=3.75)
    given: dict[str, Value] = {"preset": "veryfast", "threads": 1}
    made, chosen = lab.split(clip, {**given, "crf": 24}, 6)
    split = lab.scores(made, clip)
    whole = [lab.whole_scores(clip, {**given, "crf": crf}) for crf in (24, 23.5)]
    cuts = [window.first for window in chosen[1:]]
    assert len(cuts) >= 3
    found = compared(at_bytes(whole[0], whole[1], split.size), split, cuts)
    assert found.problems() == []


FLAT = [40.0] * 100
WHOLE = Scored(1000, FLAT, [90.0] * 100)


def with_frames(worse: float, first: int, end: int) -> Scored:
    return Scored(1000, [each - worse * (first <= n < end) for n, each in enumerate(FLAT)], WHOLE.vmaf)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        (WHOLE, []),
        (with_frames(0.49, 45, 55), []),
        (with_frames(0.6, 45, 55), ["around frame 50 PSNR", "a frame at 50 is 0.60 dB below"]),
        (with_frames(0.6, 54, 55), ["a frame at 50 is 0.60 dB below"]),
        (with_frames(0.6, 60, 70), []),
        (with_frames(0.2, 0, 100), ["the file's PSNR is 0.200 lower"]),
        (Scored(1000, FLAT, [89.0] * 100), ["the file's VMAF is 1.000 lower"]),
        (Scored(1000, FLAT, [90.0] * 45 + [88.9] * 5 + [88.8] * 5 + [90.0] * 45), ["the file's", "around"]),
    ],
)
def test_what_is_worse_than_it_may_be_is_told(split: Scored, said: list[str]) -> None:
    found = compared(WHOLE, split, [50]).problems()
    assert len(found) == len(said)
    assert all(text in sentence for text, sentence in zip(said, found, strict=True))


def test_what_is_better_is_no_problem() -> None:
    assert Difference(1.0, 1.0, (Seam(50, 2.0, 3.0, 1.0),)).problems() == []


def test_an_encode_of_other_bytes_lies_between_two_by_their_logarithm() -> None:
    found = at_bytes(Scored(1000, [40.0], [90.0]), Scored(4000, [44.0], [96.0]), 2000)
    assert found.psnr == pytest.approx([42.0])
    assert found.vmaf == pytest.approx([93.0])
