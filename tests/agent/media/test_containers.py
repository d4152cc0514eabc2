"""Outputs of every container are whole, say which files they are, and can be played from their beginning."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import av
import pytest

from agent.ffmpeg.container import files
from common.model import Report
from common.scenarios import SCENARIOS
from common.settings import CONTAINERS, AudioTrack, Source, resolve
from tests.agent.media.clips import H264, Clips, frames, output, picture, tone
from tests.agent.media.conftest import Convert


@pytest.fixture
def clip(clips: Clips) -> Path:
    """Five seconds with a key frame at 0 only, and sound."""
    long = [*picture(seconds=5), *tone(seconds=5)]
    return clips.make("film.mkv", *long, *H264, "-g", "1000", "-c:a", "aac")


def made(report: Report) -> set[str]:
    return {file.name for file in output(report).parent.iterdir()}


@pytest.mark.parametrize("container", list(CONTAINERS))
def test_it_leaves_the_files_that_it_names_and_no_others(
    container: str, clip: Path, convert: Convert
) -> None:
    codec = CONTAINERS[container].codecs[0]
    report = convert(clip, container=container, codec=codec, duration=1)
    source = Source(5.0, 160, 90, (AudioTrack("aac", 1),))
    settings = resolve(SCENARIOS["480p-h264"], {"container": container, "codec": codec}, source)
    named = files(settings, output(report).name)
    assert made(report) - {".ffrtmp.json"} == {file.name for file in named}
    assert named[0].media_type == CONTAINERS[container].media_type
    assert report.metrics["frames"] == 25
    assert report.metrics["audio_tracks"] == 1


def test_an_mp4_begins_with_its_index(clip: Path, convert: Convert) -> None:
    whole = output(convert(clip, duration=1)).read_bytes()
    assert whole.index(b"moov") < whole.index(b"mdat")


@pytest.mark.parametrize("codec", ["h265", "av1"])  # h264: the test after the next one
def test_the_pieces_of_hls_begin_with_key_frames_at_their_times(
    codec: str, clip: Path, convert: Convert
) -> None:
    preset = {"av1": "10"}.get(codec, "veryfast")
    report = convert(clip, container="hls", codec=codec, preset=preset, segment_seconds=2)
    playlist = output(report).read_text()
    assert [float(text) for text in re.findall(r"#EXTINF:([\d.]+)", playlist)] == pytest.approx([2, 2, 1])
    assert playlist.rstrip().endswith("#EXT-X-ENDLIST")
    assert set(re.findall(r"^[^#\n].*$", playlist, re.MULTILINE)) == {"480p-h264.m4s"}
    media = output(report).parent / "480p-h264.m4s"
    assert set(keys(media)) >= {0.0, 2.0, 4.0}
    for offset, first in zip(ranges(playlist), (0, 50, 100), strict=True):
        assert media.read_bytes()[offset + 4 : offset + 8] in (b"moof", b"styp", b"sidx"), first
    assert len(list(frames(output(report)))) == 125  # as a player reads it


def test_the_pieces_of_dash_are_named_by_its_manifest(clip: Path, convert: Convert) -> None:
    report = convert(clip, container="dash", segment_seconds=2, preset="veryfast")
    names = {"": "urn:mpeg:dash:schema:mpd:2011"}
    manifest = ET.parse(output(report)).getroot()
    assert [url.text for url in manifest.iterfind(".//BaseURL", names)] == [
        "480p-h264-0.mp4",
        "480p-h264-1.mp4",
    ]
    pieces = manifest.find(".//SegmentList", names)
    assert pieces is not None
    assert len(pieces.findall("SegmentURL", names)) == 3
    assert set(keys(output(report).parent / "480p-h264-0.mp4")) >= {0.0, 2.0, 4.0}


def test_all_encodes_of_an_input_are_cut_at_the_same_moments(clip: Path, convert: Convert) -> None:
    """Also where one reorders pictures and the other does not."""
    large = output(convert(clip, container="hls", segment_seconds=2, preset="veryfast"))
    wanted, text = keys(large.parent / "480p-h264.m4s"), re.findall(r"#EXTINF.*", large.read_text())
    assert {0.0, 2.0, 4.0} <= set(wanted)
    small = output(convert(clip, container="hls", segment_seconds=2, width=80, preset="ultrafast"))
    assert keys(small.parent / "480p-h264.m4s") == wanted
    assert re.findall(r"#EXTINF.*", small.read_text()) == text


def keys(path: Path) -> list[float]:
    """When key frames begin, in seconds."""
    with av.open(str(path)) as container:
        packets = [p for p in container.demux(container.streams.video[0]) if p.is_keyframe and p.size]
        return [
            round(float(packet.pts * packet.time_base), 3) for packet in packets if packet.pts is not None
        ]


def ranges(playlist: str) -> list[int]:
    """Where the pieces begin in their file."""
    return [int(offset) for offset in re.findall(r"#EXT-X-BYTERANGE:\d+@(\d+)", playlist)]
