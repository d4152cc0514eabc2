"""A first pass' log tells each frame's bits at one quantizer, in the order in which they are shown."""

from __future__ import annotations

import base64
import struct

import pytest

from agent.chunks.hardness import MOST_PIECES, by_second, from_text, hardness, to_text, total
from common.shares import Hardness

X264 = b"""#options: 320x180 fps=25/1 timebase=1/12800 bitdepth=8 cabac=0
in:0 out:0 type:I dur:2 cpbdur:2 q:26.00 aq:21.50 tex:1000 mv:20 misc:3 imb:240 pmb:0 smb:0 d:- ref:0 ;
in:2 out:1 type:P dur:2 cpbdur:2 q:32.00 aq:30.10 tex:500 mv:40 misc:5 imb:1 pmb:200 smb:39 d:- ref:0 ;
in:1 out:2 type:b dur:2 cpbdur:2 q:20.00 aq:19.00 tex:0 mv:7 misc:1 imb:0 pmb:2 smb:238 d:s ref:0 ;
"""
X265 = b"""#options: 320x180 fps=25/1 bitdepth=8 ctu=32
in:0 out:0 type:I q:26.00 q-aq:27.00 q-noVbv:25.00 q-Rceq:9.50 tex:1000 mv:20 misc:3 icu:12.0 pcu:0.0 scu:0.0 nump:0 numnegp:0 numposp:0 deltapoc: bused: ;
in:1 out:1 type:P q:32.00 q-aq:31.00 q-noVbv:30.00 q-Rceq:9.50 tex:500 mv:40 misc:5 icu:1.0 pcu:9.0 scu:2.0 nump:1 numnegp:1 numposp:0 deltapoc:-1 bused:1 ;
"""  # noqa: E501 - as x265 writes it


def test_bits_are_those_at_one_quantizer_which_is_finer_for_key_frames() -> None:
    # A key frame's step is 1.4 times smaller than that of others. Six more of a quantizer are twice its step.
    key, middle, late = hardness("libx264", X264, 3)
    assert (key.texture, key.motion, key.rest) == pytest.approx((1000 * 1.4**1.1, 20 * 1.4**0.5, 3))
    assert (middle.texture, middle.motion, middle.rest) == pytest.approx((0, 7 / 2**0.5, 1))
    assert (late.texture, late.motion, late.rest) == pytest.approx((500 * 2**1.1, 40 * 2**0.5, 5))


def test_both_encoders_logs_are_read() -> None:
    key, late = hardness("libx265", X265, 2)
    assert (key.texture, late.texture) == pytest.approx((1000 * 1.4**1.1, 500 * 2**1.1))


def test_frames_are_put_together_by_the_second() -> None:
    frames = [Hardness(number, 2 * number, 1) for number in range(10)]
    assert by_second(frames, 2.2) == (Hardness(10, 20, 5), Hardness(35, 70, 5))
    assert by_second(frames, 3.0) == (Hardness(3, 6, 3), Hardness(12, 24, 3), Hardness(30, 60, 4))
    assert by_second(frames, 0.1) == (total(frames),)
    assert total(frames) == Hardness(45, 90, 10)


def test_slow_pictures_have_a_piece_each_and_hours_no_more_than_are_told_of() -> None:
    assert by_second([Hardness(1), Hardness(2)], 60) == (Hardness(1), Hardness(2))
    found = by_second([Hardness(1)] * 10_000, 4 * 3600)
    assert len(found) == MOST_PIECES
    assert sum(each.texture for each in found) == 10_000


def test_a_metric_tells_them_to_four_digits_in_little_text() -> None:
    pieces = (Hardness(123456.7, 0.001234567, 0), Hardness(1, 20, 300))
    text = to_text(pieces)
    assert from_text(text) == (Hardness(123500, 0.001235, 0), Hardness(1, 20, 300))
    assert len(to_text([Hardness(1.234e17, 1.234e17, 1.234e17)] * MOST_PIECES)) < 8000
    assert len(from_text(to_text(pieces * (MOST_PIECES // 2)))) == MOST_PIECES


@pytest.mark.parametrize(
    "text", ["", "None", "1 2", "1 2 3 4", "1 2 -3", "1 2 nan", "1 inf 3", "1 2 3 " * (MOST_PIECES + 1)]
)
def test_a_text_that_is_no_such_metric_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        from_text(text)


@pytest.mark.parametrize(
    ("log", "frames"),
    [
        (X264, 2),
        (X264, 4),
        (b"", 1),
        (b"\xff\x00" * 1000, 1),
        (b"in:0 out:0 type:I q:999999 tex:9 mv:1 misc:1\n", 1),
    ],
    ids=["too few", "too many", "empty", "no text", "no number"],
)
def test_a_log_that_is_none_of_these_frames_is_refused(log: bytes, frames: int) -> None:
    with pytest.raises((ValueError, OverflowError)):
        hardness("libx264", log, frames)


def vpx(*left: float, fields: int = 26) -> bytes:
    """As libvpx writes it: a row for each frame, and one of their sums."""
    rows = [(number, 0.5, 9.0, each, *[1.0] * (fields - 4)) for number, each in enumerate(left)]
    rows.append((len(left), 1.0, 9.0, sum(left), *[1.0] * (fields - 4)))
    return base64.b64encode(b"".join(struct.pack(f"={fields}d", *row) for row in rows))


@pytest.mark.parametrize("fields", [25, 28])
def test_of_vp9_it_is_the_square_root_of_what_is_left_of_a_frame(fields: int) -> None:
    found = hardness("libvpx-vp9", vpx(2, 50, 0, fields=fields), 3)
    assert found == (Hardness(1), Hardness(5), Hardness(0))


@pytest.mark.parametrize(
    ("log", "frames"),
    [
        (vpx(1, 2, 3), 2),
        (vpx(1, 2, 3)[:-8], 3),
        (vpx(1, 2, 3)[4:], 3),
        (vpx(1, 2), 5),
        (vpx(1, float("nan")), 2),
        (b"", 1),
        (b"no text \xff", 1),
    ],
    ids=["more frames", "cut off", "shifted", "fewer frames", "no number", "empty", "no text"],
)
def test_a_log_of_vp9_that_is_none_of_these_frames_is_refused(log: bytes, frames: int) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        hardness("libvpx-vp9", log, frames)
