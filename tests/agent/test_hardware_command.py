"""Each hardware encoder gets its own flags, in its own order. (No test here has met a GPU.)"""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest

from agent.ffmpeg.command import build
from agent.ffmpeg.discover import HARDWARE_ENCODERS, Toolbox, trial_argv
from common.scenarios import SCENARIOS
from common.settings import HARDWARE, Source, resolve

SCENARIO = {"h264": "720p30-h264", "hevc": "720p30-h265", "av1": "480p30-av1"}


def line(encoder: str, descriptor: int | None = None, **parameters: Any) -> list[str]:
    codec, _, name = encoder.partition("_")
    source = None if descriptor is None else Source(2.0, 1280, 720)
    settings = resolve(SCENARIOS[SCENARIO[codec]], {"hwaccel": name, **parameters}, source)
    assert settings.encoder == encoder
    return build("ffmpeg", settings, "out.mp4", descriptor, "n9.0")


def part(encoder: str, **parameters: Any) -> str:
    """The encoder's part of the command line."""
    argv = line(encoder, **parameters)
    words = argv[argv.index("-c:v") : argv.index("-movflags")]
    return " ".join(words)


PEAKS = "-b:v 1000000 -maxrate 1500000 -bufsize 2000000 -g 60"


@pytest.mark.parametrize(
    ("encoder", "expected"),
    [
        ("h264_nvenc", f"-preset p4 -tune hq -rc vbr {PEAKS} -pix_fmt yuv420p"),
        ("hevc_qsv", f"-preset medium {PEAKS} -pix_fmt nv12 -tag:v hvc1"),
        ("h264_vaapi", f"-rc_mode VBR {PEAKS}"),
        ("av1_amf", f"-quality balanced -usage transcoding -rc vbr_peak {PEAKS} -pix_fmt nv12"),
        ("h264_videotoolbox", f"{PEAKS} -pix_fmt nv12"),
    ],
)
def test_a_bitrate_bounds_its_peaks_in_each_encoders_own_words(encoder: str, expected: str) -> None:
    assert part(encoder, bitrate="1000k") == f"-c:v {encoder} {expected}"


@pytest.mark.parametrize(
    ("encoder", "crf", "expected"),
    [
        ("h264_nvenc", 23.5, "-rc vbr -cq 23.5 -b:v 0"),
        ("av1_nvenc", 40, "-rc vbr -cq 40 -b:v 0"),
        ("h264_qsv", 23, "-global_quality 23"),
        ("av1_qsv", 63, "-global_quality 51"),
        ("hevc_vaapi", 28, "-rc_mode CQP -global_quality 28"),
        ("av1_vaapi", 63, "-rc_mode CQP -global_quality 255"),
        ("h264_amf", 23, "-rc cqp -qp_i 23 -qp_p 23"),
        ("av1_amf", 32, "-rc cqp -qp_i 130 -qp_p 130"),
        ("h264_videotoolbox", 51, "-q:v 1"),
    ],
)
def test_a_quality_is_on_the_encoders_own_scale(encoder: str, crf: float, expected: str) -> None:
    assert f" {expected} -g " in part(encoder, crf=crf)


def test_nvenc_can_cap_a_quality() -> None:
    assert "-cq 25 -b:v 0 -maxrate 3000000 -bufsize 6000000" in part("h264_nvenc", crf=25, maxrate="3M")


@pytest.mark.parametrize("encoder", ["hevc_nvenc", "hevc_qsv", "av1_nvenc"])
def test_ten_bits_go_in_as_p010(encoder: str) -> None:
    assert "-pix_fmt p010le" in part(encoder, pixel_format="yuv420p10le")


def test_vaapi_gets_its_pictures_uploaded_at_the_end_of_their_way() -> None:
    made = line("h264_vaapi")
    assert made.index("-vaapi_device") < made.index("-i")
    assert made[made.index("-vf") + 1] == "format=nv12,hwupload"
    read = line("hevc_vaapi", 7, pixel_format="yuv420p10le")
    assert read.count("-vf") == 1
    assert re.fullmatch(r".*scale=.*,format=p010le,hwupload", read[read.index("-vf") + 1])
    assert "-pix_fmt" not in read


def test_a_software_encoder_gets_none_of_it() -> None:
    argv = build("ffmpeg", resolve(SCENARIOS["720p30-h264"], {}), "out.mp4")
    assert "-vaapi_device" not in argv
    assert "-vf" not in argv


@pytest.mark.parametrize("encoder", HARDWARE_ENCODERS)
def test_a_trial_says_what_an_encode_says(encoder: str) -> None:
    trial, encode = trial_argv("ffmpeg", encoder), line(encoder, bitrate="500k", fps=25)
    start = trial.index("-c:v")
    told = [word for word in trial[start : trial.index("-f", start)] if word not in ("-tag:v", "hvc1")]
    assert told == [
        word
        for word in encode[encode.index("-c:v") : encode.index("-movflags")]
        if word not in ("-tag:v", "hvc1")
    ]


def test_every_flag_is_one_that_ffmpegs_encoder_has(toolbox: Toolbox) -> None:
    ffmpeg = toolbox.ffmpeg_for("libx264")
    assert ffmpeg is not None
    general = {"c", "b", "g", "pix_fmt", "maxrate", "bufsize", "global_quality", "tag", "q"}
    for encoder in HARDWARE_ENCODERS:
        said = subprocess.run(
            [ffmpeg.path, "-hide_banner", "-h", f"encoder={encoder}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        if "Unknown" in said or "is not recognized" in said or "AVOptions" not in said:
            assert encoder.endswith("videotoolbox")  # macOS's alone
            continue
        known = set(re.findall(r"^  -(\w+)", said, flags=re.MULTILINE))
        for parameters in ({"bitrate": "1M"}, {"crf": 30}):
            flags = {
                word[1:].partition(":")[0] for word in part(encoder, **parameters).split() if word[0] == "-"
            }
            assert flags - general <= known, encoder


def test_each_hardware_offers_each_of_its_codecs_to_discovery() -> None:
    assert len(HARDWARE_ENCODERS) == 3 * len(HARDWARE)
