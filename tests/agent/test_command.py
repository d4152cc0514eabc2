"""The command line says everything about the encode, and nothing that was not asked for."""

from fractions import Fraction

import pytest

from agent.ffmpeg.command import build, duration, frame_rate
from common.model import Scalar
from common.scenarios import SCENARIOS
from common.settings import EncodeSettings, resolve


def settings(scenario: str = "720p30-h264", **parameters: Scalar) -> EncodeSettings:
    return resolve(SCENARIOS[scenario], parameters)


def argv(scenario: str = "720p30-h264", **parameters: Scalar) -> list[str]:
    return build("/opt/ffmpeg", settings(scenario, **parameters), "out.part")


def value(line: list[str], option: str) -> str | None:
    return line[line.index(option) + 1] if option in line else None


def test_it_never_reads_the_terminal_and_names_every_format() -> None:
    line = argv()
    assert line[0] == "/opt/ffmpeg"
    assert "-nostdin" in line
    assert line[line.index("-i") - 2 : line.index("-i")] == ["-f", "lavfi"]
    assert line[-4:] == ["-f", "mp4", "-y", "file:out.part"]


def test_only_files_and_pipes_may_be_opened_by_every_input_and_the_output() -> None:
    line = argv(audio="aac")
    assert line.count("-protocol_whitelist") == line.count("-i") + 1 == 3
    assert value(line, "-protocol_whitelist") == "file,pipe"


@pytest.mark.parametrize("name", ["out.mp4", "../out.part", "/etc/x.part"])
def test_only_a_plain_part_name_is_ever_overwritten(name: str) -> None:
    with pytest.raises(ValueError, match=r"\.part"):
        build("ffmpeg", settings(), name)


def test_the_exact_number_of_frames_is_asked_for() -> None:
    assert value(argv(duration=1.5), "-frames:v") == "45"


def test_a_bitrate_of_h264_and_h265_bounds_its_peaks() -> None:
    for scenario in ("720p30-h264", "720p30-h265"):
        line = argv(scenario, bitrate="1000k")
        assert [value(line, o) for o in ("-b:v", "-maxrate", "-bufsize")] == ["1000000", "1500000", "2000000"]
        assert "-crf" not in line


def test_a_crf_replaces_the_bitrate() -> None:
    assert value(argv(crf=23.5), "-crf") == "23.5"
    assert "-b:v" not in argv(crf=23.5)
    assert "-b:v" not in argv("480p30-av1", crf=30)
    vp9 = argv("720p30-vp9", crf=31)
    assert (value(vp9, "-b:v"), value(vp9, "-crf")) == ("0", "31")


def test_the_preset_of_vp9_is_its_speed() -> None:
    line = argv("720p30-vp9", preset="6")
    assert (value(line, "-cpu-used"), value(line, "-deadline"), value(line, "-row-mt")) == (
        "6",
        "realtime",
        "1",
    )
    assert "-preset" not in line


@pytest.mark.parametrize(
    ("scenario", "option", "expected"),
    [
        ("720p30-h264", "-threads", "2"),
        ("720p30-h265", "-x265-params", "pools=2"),
        ("720p30-vp9", "-threads", "2"),
        ("480p30-av1", "-svtav1-params", "lp=2"),
    ],
)
def test_threads_are_set_in_each_encoders_own_way(scenario: str, option: str, expected: str) -> None:
    assert value(argv(scenario, threads=2), option) == expected
    assert option not in argv(scenario)


def test_sound_lasts_exactly_as_long_as_the_picture() -> None:
    line = argv(audio="aac", fps=29.97, duration=2)
    assert "sine=frequency=440:sample_rate=48000:duration=2.002000" in line
    assert duration(settings(fps=29.97, duration=2)) == pytest.approx(60 * 1001 / 30000)
    assert "-c:a" not in argv()


def test_an_mp4_can_be_played_before_it_is_loaded_and_a_webm_needs_nothing_for_it() -> None:
    assert value(argv(), "-movflags") == "+faststart"
    assert "-movflags" not in argv("720p30-vp9")


@pytest.mark.parametrize(
    ("fps", "exact"),
    [
        (30.0, Fraction(30)),
        (29.97, Fraction(30000, 1001)),
        (23.976, Fraction(24000, 1001)),
        (59.94, Fraction(60000, 1001)),
        (12.5, Fraction(25, 2)),
        (29.9, Fraction(299, 10)),
    ],
)
def test_the_frame_rate_is_the_one_that_people_mean(fps: float, exact: Fraction) -> None:
    assert frame_rate(fps) == exact
