"""Parameters change the real output as they say; a probe of the file proves it."""

from pathlib import Path

import pytest

from agent.prober import Probe
from common.model import JobStatus, Scalar
from common.scenarios import SCENARIOS
from tests.agent.conftest import Encode, measured

SMALL: dict[str, Scalar] = {"width": 320, "height": 180, "duration": 1}
FAST: dict[str, Scalar] = {"h264": "ultrafast", "h265": "ultrafast", "vp9": "8", "av1": "12"}


def probed(encode: Encode, scenario: str, parameters: dict[str, Scalar]) -> Probe:
    """What is made with the fastest preset: no test here is about presets."""
    codec = str(parameters.get("codec") or SCENARIOS[scenario].codec)
    report = encode(scenario, {"preset": FAST[codec], **parameters})
    assert (report.status, report.error) == (JobStatus.COMPLETED, None)
    return measured(Path(str(report.metrics["output_path"])))


def test_4k60_h265_is_hevc_of_3840_by_2160_at_60_frames_a_second(encode: Encode) -> None:
    file = probed(encode, "4K60-h265", {"duration": 0.1})
    assert (file.codec, file.width, file.height, file.frame_rate, file.frames) == (
        "h265",
        3840,
        2160,
        60.0,
        6,
    )


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv420p10le"])
def test_every_codec_makes_8_and_10_bit(codec: str, pixel_format: str, encode: Encode) -> None:
    file = probed(encode, "720p30-h264", {**SMALL, "codec": codec, "pixel_format": pixel_format})
    assert (file.codec, file.pixel_format, file.frames) == (codec, pixel_format, 30)


@pytest.mark.parametrize("pixel_format", ["yuv422p", "yuv444p"])
@pytest.mark.parametrize("codec", ["h264", "h265"])
def test_h264_and_h265_make_full_colour(codec: str, pixel_format: str, encode: Encode) -> None:
    file = probed(encode, "720p30-h264", {**SMALL, "codec": codec, "pixel_format": pixel_format})
    assert file.pixel_format == pixel_format


@pytest.mark.parametrize(
    ("codec", "audio"), [("h264", "aac"), ("h264", "opus"), ("h265", "aac"), ("vp9", "opus"), ("av1", "opus")]
)
def test_sound_is_as_long_as_the_picture(codec: str, audio: str, encode: Encode) -> None:
    file = probed(encode, "720p30-h264", {**SMALL, "codec": codec, "audio": audio})
    assert file.audio_codec == audio
    assert file.audio_duration == pytest.approx(file.duration, abs=0.03)


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_a_higher_crf_makes_a_smaller_file(codec: str, encode: Encode) -> None:
    sizes = [probed(encode, "720p30-h264", {**SMALL, "codec": codec, "crf": crf}).size for crf in (15, 45)]
    assert sizes[1] < sizes[0] * 0.8


@pytest.mark.parametrize("fps", [29.97, 23.976, 59.94, 12.5, 7])
@pytest.mark.parametrize("codec", ["h264", "vp9"])
def test_odd_frame_rates_are_kept_to_the_frame(codec: str, fps: float, encode: Encode) -> None:
    file = probed(encode, "720p30-h264", {**SMALL, "codec": codec, "fps": fps})
    assert file.frame_rate == pytest.approx(fps, rel=1e-3)
    assert file.frames == round(fps)


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_threads_and_gop_are_accepted_by_every_encoder(codec: str, encode: Encode) -> None:
    assert probed(encode, "720p30-h264", {**SMALL, "codec": codec, "threads": 1, "gop": 10}).frames == 30


def test_a_bitrate_that_the_picture_needs_is_kept(encode: Encode) -> None:
    file = probed(encode, "720p30-h264", {**SMALL, "bitrate": "400k", "duration": 6})
    assert file.bitrate == pytest.approx(400_000, rel=0.1)


def test_a_single_frame_is_an_encode_too(encode: Encode) -> None:
    assert probed(encode, "720p30-h264", {**SMALL, "fps": 1}).frames == 1
