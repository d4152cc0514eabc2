"""What a playlist says of its pieces is read as it is meant, and the peak is that of RFC 8216."""

from __future__ import annotations

import pytest

from agent.renditions import hls

PLAYLIST = """#EXTM3U
#EXT-X-VERSION:7
#EXT-X-TARGETDURATION:2
#EXT-X-MAP:URI="a.m4s",BYTERANGE="800@0"
#EXTINF:2.000000,
#EXT-X-BYTERANGE:1000@800
a.m4s
#EXTINF:0.5,
b.m4s
#EXT-X-ENDLIST
"""


def test_pieces_are_ranges_or_whole_files() -> None:
    found = hls.parse(PLAYLIST)
    assert found.target == 2.0
    assert found.head == hls.Piece("a.m4s", 0.0, 800, 0)
    assert found.pieces == (hls.Piece("a.m4s", 2.0, 1000, 800), hls.Piece("b.m4s", 0.5, None, None))


@pytest.mark.parametrize(
    "text", ["", "<html>", "#EXTM3U\n", "#EXTM3U\n#EXTINF:x,\na", "#EXTM3U\n#EXT-X-BYTERANGE:-1\na"]
)
def test_what_is_no_playlist_is_said_to_be_none(text: str) -> None:
    with pytest.raises(hls.PlaylistError):
        hls.parse(text)


def test_the_peak_is_of_pieces_that_last_about_a_target_duration() -> None:
    # The short last piece alone would have 80,000 bit/s: it is too short to count.
    pieces = [(2.0, 1000), (2.0, 3000), (2.0, 1000), (0.1, 1000)]
    assert hls.peak_and_average(2.0, pieces) == (round(3000 * 8 / 2), round(6000 * 8 / 6.1))


def test_a_master_playlist_names_each_rendition_with_what_is_known() -> None:
    known = hls.Rendition("720p/a.m3u8", 1280, 720, 2_000_000, 1_500_000, "avc1.64001f,mp4a.40.2", 29.97)
    unknown = hls.Rendition("360p/a.m3u8", 640, 360, 500_000, 400_000, None, None)
    assert hls.master([known, unknown]).splitlines()[3:] == [
        '#EXT-X-STREAM-INF:BANDWIDTH=2000000,AVERAGE-BANDWIDTH=1500000,CODECS="avc1.64001f,mp4a.40.2",'
        "RESOLUTION=1280x720,FRAME-RATE=29.970",
        "720p/a.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=500000,AVERAGE-BANDWIDTH=400000,RESOLUTION=640x360",
        "360p/a.m3u8",
    ]
