"""A real file that cannot be divided safely is encoded whole, and it is said why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from agent.chunks.plan import find
from agent.chunks.planner import divide
from agent.ffmpeg.source import DEMUXERS
from agent.inputs.measured import MeasuredInput
from agent.prober import measure, opened, video_of
from common.model import Value
from common.scenarios import SCENARIOS
from common.settings import resolve
from tests.agent.chunks import fields
from tests.agent.chunks.conftest import MakeTask, divided
from tests.agent.chunks.kinds import decoded
from tests.agent.chunks.test_reasons_in_packets import ASKED
from tests.agent.media.clips import H264, Clips, picture, tone


def reason(clip: Path, *, interlaced: bool = False) -> str | None:
    """What the process says that reads the packets."""
    with clip.open("rb") as file, opened(clip.name, file.fileno(), DEMUXERS) as container:
        return divide(container, video_of(clip.name, container), {**ASKED, "interlaced": interlaced}).reason


def test_codecs_that_nut_does_not_carry(clips: Clips) -> None:
    dnxhr = ("dnxhd", "-profile:v", "dnxhr_lb", "-pix_fmt", "yuv422p")
    for codec, *options in (("prores_ks",), dnxhr, ("rawvideo",)):
        clip = clips.make("a.mov", *picture("256x120", seconds=0.2), "-c:v", codec, *options)
        assert f"its codec {codec.partition('_')[0]} is not one" in str(reason(clip))


def test_formats_without_times(clips: Clips) -> None:
    for name, codec in (("a.avi", "mpeg4"), ("a.mpg", "mpeg2video")):
        assert "does not say a time for each picture" in str(
            reason(clips.make(name, *picture("64x64"), "-c:v", codec))
        )


def test_an_encrypted_file(clips: Clips) -> None:
    clip = clips.make(
        "a.mp4", *picture("64x64"), *H264, "-encryption_scheme", "cenc-aes-ctr",
        "-encryption_key", "0" * 32, "-encryption_kid", "1" * 32,
    )  # fmt: skip
    assert "it is encrypted" in str(reason(clip))


def test_a_transport_stream_whose_clock_jumps(clips: Clips) -> None:
    one = clips.make("one.mp4", *picture("64x64"), *H264)
    jump = ("-bsf:v", r"setts=ts=TS+gte(N\,15)*10/TB")
    assert "its times jump" in str(reason(clips.make("a.ts", "-i", one.name, "-c", "copy", *jump)))


@pytest.mark.parametrize(
    ("parameters", "whole"),
    [({"container": "hls"}, True), ({"container": "hls", "audio": "none"}, False), ({}, False)],
    ids=["without the track that begins it", "without any", "with all"],
)
def test_a_transport_stream_that_begins_with_a_track_which_is_left_out(
    parameters: dict[str, Value], clips: Clips, make_task: MakeTask, *, whole: bool
) -> None:
    late = ("-itsoffset", "0.6")
    clip = clips.make(
        "a.ts", *late, *picture("64x64", seconds=2), *late, *tone(seconds=2), *tone(880, seconds=2),
        "-map", "0", "-map", "1", "-map", "2", *H264, "-c:a", "aac",
    )  # fmt: skip
    said = divided(make_task(clip, parameters=parameters), clip, parameters).reason
    assert ("its times count from a track that is left out" in str(said)) == whole
    assert (said is not None) == whole


def test_a_picture_that_is_turned_by_less_than_a_quarter(clips: Clips, make_task: MakeTask) -> None:
    level = clips.make("level.mp4", *picture("64x64"), *H264)
    clip = clips.make("a.mp4", "-display_rotation", "45", "-i", level.name, "-c", "copy")
    assert "it is turned by 45 degrees" in str(divided(make_task(clip), clip).reason)


def test_a_picture_that_becomes_larger_on_the_way(clips: Clips) -> None:
    parts = [clips.make(f"{size}.264", *picture(size), *H264) for size in ("64x64", "96x64")]
    (clips.directory / "both.264").write_bytes(b"".join(part.read_bytes() for part in parts))
    clip = clips.make("a.ts", "-framerate", "25", "-f", "h264", "-i", "both.264", "-c", "copy")
    assert "its size or format changes on the way" in str(reason(clip))


def test_an_interlaced_file_with_an_edit_list(clips: Clips) -> None:
    long = clips.make("long.mp4", *picture("64x64", seconds=2), *H264, "-g", "50")
    clip = clips.make("a.mp4", "-ss", "0.7", "-i", long.name, "-c", "copy")
    assert reason(clip) is None
    assert "it is interlaced, and has an edit list" in str(reason(clip, interlaced=True))


def test_a_picture_that_begins_when_nothing_of_it_is_wanted_any_more(
    clips: Clips, make_task: MakeTask
) -> None:
    late = ("-itsoffset", "1")
    clip = clips.make("a.mkv", *tone(seconds=2), *late, *picture("64x64"), *H264, "-c:a", "aac")
    found = divided(make_task(clip), clip)
    assert found.reason is None
    with clip.open("rb") as file, opened(clip.name, file.fileno(), DEMUXERS) as container:
        asked = {**ASKED, "duration": 0.5}
        assert "nothing of it is wanted" in str(
            divide(container, video_of(clip.name, container), asked).reason
        )


@pytest.mark.parametrize("file", ["a.ts", "a.mkv"])
def test_fields_that_are_pictures_of_their_own(file: str, clips: Clips) -> None:
    raw = fields.write(clips.directory / "fields.264", 30)
    assert len(decoded(clips.ffmpeg, str(raw))) == 30
    clip = clips.make(file, "-framerate", "25", "-f", "h264", "-i", raw.name, "-c", "copy")
    assert "its fields are coded as pictures of their own" in str(reason(clip))


def test_a_picture_that_ffmpeg_makes(clips: Clips, make_task: MakeTask) -> None:
    clip = clips.make("a.mp4", *picture("64x64"), *H264)
    found = find(make_task(clip), resolve(SCENARIOS["480p-h264"], {}), None)
    assert "there is no file to divide" in str(found.reason)


@pytest.mark.parametrize(
    ("scenario", "parameters", "why"),
    [
        ("480p-h264", {"hwaccel": "nvenc"}, "promises neither key frames nor equal bytes"),
        ("480p30-av1", {}, "meets a bitrate only where one encoder sees the whole file"),
    ],
)
def test_encoders_that_need_the_whole_file(
    scenario: str, parameters: dict[str, Value], why: str, clips: Clips, make_task: MakeTask
) -> None:
    clip = clips.make("a.mp4", *picture("256x144"), *H264)
    with clip.open("rb") as file:
        given = MeasuredInput(file.fileno(), measure(clip.name, file.fileno(), DEMUXERS))
        settings = resolve(SCENARIOS[scenario], parameters, given.source)
        assert why in str(find(make_task(clip), settings, given).reason)


def test_a_file_that_is_cut_off_or_damaged(clips: Clips, make_task: MakeTask) -> None:
    clip = clips.make("a.mkv", *picture("64x64", seconds=4), *H264)
    with clip.open("rb") as file:
        probed = measure(clip.name, file.fileno(), DEMUXERS)
        settings = resolve(SCENARIOS["480p-h264"], {}, MeasuredInput(file.fileno(), probed).source)
        for change, why in (({"missing": 3.0}, "is cut off"), ({"damaged": True}, "is damaged")):
            given = MeasuredInput(file.fileno(), replace(probed, **change))
            assert why in str(find(make_task(clip), settings, given).reason)


def test_one_whose_reader_fails(clips: Clips, make_task: MakeTask, monkeypatch: pytest.MonkeyPatch) -> None:
    clip = clips.make("a.mp4", *picture("64x64"), *H264)
    monkeypatch.setattr("agent.chunks.plan._PROGRAM", "import sys; sys.exit('no memory')")
    assert "it could not be read for that" in str(divided(make_task(clip), clip).reason)
