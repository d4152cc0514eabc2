"""An output is measured as it is, and a difference from what was asked is named."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.probed import Probe, ProbeError
from agent.verify import verify
from common.scenarios import SCENARIOS
from common.settings import AudioTrack, resolve
from tests.agent.conftest import Encode, measured

SETTINGS = resolve(SCENARIOS["720p30-h264"], {"duration": 2, "audio": "aac"})
AUDIO = AudioTrack("aac", 2)
GOOD = Probe(
    1280, 720, 30.0, "h264", "yuv420p", 60, 2.0, 2_500_000.0, 625_000, "aac", 2.0, 2.0, 0.0, audio=(AUDIO,)
)


def test_what_was_asked_for_passes() -> None:
    assert verify(GOOD, SETTINGS) is None


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (replace(GOOD, width=640), "the size is 640x720 instead of 1280x720"),
        (replace(GOOD, frame_rate=29.9), "the frame rate is 29.9 instead of 30"),
        (replace(GOOD, frame_rate=None), "the frame rate is unknown instead of 30"),
        (replace(GOOD, codec="h265"), "the codec is h265 instead of h264"),
        (replace(GOOD, pixel_format="yuv422p"), "the pixel format is yuv422p instead of yuv420p"),
        (replace(GOOD, frames=59), "the number of frames is 59 instead of 60"),
        (replace(GOOD, duration=1.9), "the duration is 1.9 s instead of 2 s"),
        (replace(GOOD, audio=()), "the sound is none instead of aac"),
        (replace(GOOD, audio_duration=1.0), "the sound lasts 1 s instead of 2 s"),
    ],
)
def test_each_difference_is_told_in_words(wrong: Probe, words: str) -> None:
    sentence = verify(wrong, SETTINGS)
    assert sentence is not None
    assert words in sentence


def test_the_sound_of_an_input_may_end_before_its_picture_and_not_last_longer() -> None:
    assert verify(replace(GOOD, audio_duration=1.0), SETTINGS, of_input=True) is None
    assert "the sound lasts 3 s" in str(verify(replace(GOOD, audio_duration=3.0), SETTINGS, of_input=True))


def test_what_containers_round_is_no_difference() -> None:
    assert verify(replace(GOOD, frame_rate=30.02, duration=1.96, audio_duration=2.04), SETTINGS) is None


def test_a_day_of_ntsc_video_is_not_mistaken_for_a_wrong_duration() -> None:
    settings = resolve(SCENARIOS["720p30-h264"], {"duration": 86_400, "fps": 29.97})
    seconds = settings.frames * 1001 / 30_000
    day = replace(GOOD, frames=settings.frames, duration=seconds, frame_rate=29.97, audio=())
    assert verify(replace(day, audio_duration=None), settings) is None


def test_bitrate_and_frames_are_counted_from_the_packets(encode: Encode) -> None:
    report = encode("480p-h264", {"duration": 1})
    file = measured(Path(str(report.metrics["output_path"])))
    assert file.frames == 30
    assert file.duration == pytest.approx(1.0)
    assert file.bitrate is not None
    assert 0.8 * file.size < file.bitrate * file.duration / 8 < file.size
    assert file.audio_codec is None


def test_a_cut_off_file_is_not_counted_as_whole(encode: Encode, tmp_path: Path) -> None:
    report = encode("480p-h264", {"duration": 1})
    whole = Path(str(report.metrics["output_path"])).read_bytes()
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(whole[: len(whole) // 2])
    assert measured(cut).frames < 30


@pytest.mark.parametrize("content", [b"", b"this is not a video" * 100])
def test_what_is_no_video_is_said_to_be_none(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "output.mp4"
    file.write_bytes(content)
    with pytest.raises(ProbeError, match=r"output\.mp4"):
        measured(file)
