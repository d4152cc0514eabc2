"""A picture that is turned when it is shown is turned for good, and its shape follows."""

from __future__ import annotations

import pytest

from tests.agent.media.clips import H264, Clips, first, output, rows
from tests.agent.media.conftest import Convert

CORNER = "color=black:size=160x90:rate=25:duration=0.2,drawbox=x=0:y=0:w=40:h=40:color=white:t=fill"
"""A white box, at the top on the left."""


@pytest.mark.parametrize(
    ("degrees", "size", "corner"),
    [("90", (90, 160), "bottom left"), ("180", (160, 90), "bottom right"), ("270", (90, 160), "top right")],
)
def test_it_is_upright_and_no_longer_marked(
    degrees: str, size: tuple[int, int], corner: str, clips: Clips, convert: Convert
) -> None:
    level = clips.make("level.mp4", "-f", "lavfi", "-i", CORNER, *H264)
    turned = clips.make("turned.mp4", "-display_rotation", degrees, "-i", level.name, "-c", "copy")
    shown = first(output(convert(turned)))
    assert (shown.width, shown.height) == size
    assert shown.rotation == 0
    assert _white(rows(shown)) == corner


def test_scaling_without_looking_squeezes_it(clips: Clips) -> None:
    level = clips.make("level.mp4", "-f", "lavfi", "-i", CORNER, *H264)
    turned = clips.make("turned.mp4", "-display_rotation", "90", "-i", level.name, "-c", "copy")
    naive = first(clips.naive(turned, "naive.mp4", "-s", "160x90"))
    assert (naive.width, naive.height) == (160, 90)  # of a picture that is higher than wide


def _white(lines: list[bytes]) -> str:
    """The corner that is white."""
    corners = {
        "top left": lines[10][10],
        "top right": lines[10][-10],
        "bottom left": lines[-10][10],
        "bottom right": lines[-10][-10],
    }
    return max(corners, key=corners.__getitem__)
