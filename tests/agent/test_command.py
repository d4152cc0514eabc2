"""The command line says everything about the encode, and nothing that was not asked for."""

from fractions import Fraction

import pytest

from agent.ffmpeg.command import build
from agent.ffmpeg.source import DEMUXERS
from agent.ffmpeg.timing import duration, frame_rate
from common.model import Scalar
from common.scenarios import SCENARIOS
from common.settings import (
    AudioTrack,
    Colour,
    ContentLight,
    EncodeSettings,
    MasteringDisplay,
    Source,
    SubtitleTrack,
    resolve,
)


def settings(scenario: str = "720p30-h264", **parameters: Scalar) -> EncodeSettings:
    return resolve(SCENARIOS[scenario], parameters)


def argv(scenario: str = "720p30-h264", **parameters: Scalar) -> list[str]:
    return build("/opt/ffmpeg", settings(scenario, **parameters), "out.mp4")


def value(line: list[str], option: str) -> str | None:
    return line[line.index(option) + 1] if option in line else None


def test_it_never_reads_the_terminal_and_names_every_format() -> None:
    line = argv()
    assert line[0] == "/opt/ffmpeg"
    assert "-nostdin" in line
    assert line[line.index("-i") - 2 : line.index("-i")] == ["-f", "lavfi"]
    assert line[-4:] == ["-f", "mp4", "-y", "file:out.mp4"]


def test_only_files_and_pipes_may_be_opened_by_every_input_and_the_output() -> None:
    line = argv(audio="aac")
    assert line.count("-protocol_whitelist") == line.count("-i") + 1 == 3
    assert value(line, "-protocol_whitelist") == "file,pipe"


@pytest.mark.parametrize("name", [".out.mp4", "../out.mp4", "/etc/x.mp4"])
def test_only_a_plain_part_name_is_ever_overwritten(name: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
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


def given(version: str = "n9.0.2", **parameters: Scalar) -> list[str]:
    """The command line for an input that is open as descriptor 7."""
    source = Source(
        2.0,
        640,
        360,
        (AudioTrack("aac", 2), AudioTrack("ac3", 6, number=2)),
        (SubtitleTrack("dvd_subtitle", text=False), SubtitleTrack("subrip", text=True, number=1)),
    )
    wanted = resolve(SCENARIOS["720p30-h264"], parameters, source)
    return build("/opt/ffmpeg", wanted, "out.mp4", 7, version)


def test_an_input_is_an_open_file_and_no_protocol_could_open_another() -> None:
    line = given()
    assert line[line.index("-i") - 4 : line.index("-i") + 2] == [
        "-protocol_whitelist", "fd", "-fd", "7", "-i", "fd:",
    ]  # fmt: skip
    assert value(line, "-format_whitelist") == DEMUXERS
    assert line.count("-i") == 1


@pytest.mark.parametrize(
    ("version", "way"),
    [
        ("n9.0.2-17-g2a571b6068-20260930", "fd:"),
        ("6.0", "fd:"),
        ("N-118000-g1234567", "fd:"),
        ("5.1.6-0+deb12u1", "file:/proc/self/fd/7"),
        ("4.4.2-0ubuntu0.22.04.1", "file:/proc/self/fd/7"),
    ],
)
def test_an_ffmpeg_that_is_too_old_for_fd_gets_the_same_file(version: str, way: str) -> None:
    assert value(given(version), "-i") == way


def test_an_input_is_scaled_to_what_is_asked_for_and_cut_to_its_length() -> None:
    line = given(width=320, height=180, fps=29.97, duration=1)
    assert value(line, "-vf") == ("fps=30000/1001:start_time=0,scale=320:180,setsar=1,format=yuv420p")
    assert value(line, "-frames:v") == "30"
    assert value(line, "-t") == "1.001000"


@pytest.mark.parametrize(
    ("version", "mode", "clock"),
    [
        ("n9.0.2", "-fps_mode", "demux"),
        ("N-118000-g1234567", "-fps_mode", "demux"),
        ("6.0", "-fps_mode", "-1"),
        ("5.1.6-0+deb12u1", "-fps_mode", "-1"),
        ("4.4.2-0ubuntu0.22.04.1", "-vsync", "-1"),
    ],
)
def test_each_frame_keeps_its_time_unless_a_rate_is_asked_for(version: str, mode: str, clock: str) -> None:
    line = given(version)
    assert (value(line, mode), value(line, "-enc_time_base:v")) == ("passthrough", clock)
    assert value(line, "-vf") == "scale=640:360,setsar=1,format=yuv420p"
    assert "-frames:v" not in line
    assert mode not in given(version, fps=25)


def test_the_picture_and_all_sound_and_text_of_an_input_are_taken_and_nothing_else() -> None:
    line = given()
    assert maps(line) == ["0:V:0", "0:a:0", "0:a:2", "0:s:1"]
    assert "-dn" in line
    assert maps(given(audio="none", subtitles="none")) == ["0:V:0"]


LIGHT = MasteringDisplay((0.68, 0.32), (0.265, 0.69), (0.15, 0.06), (0.3127, 0.329), 0.0001, 1000)
BRIGHT = Source(
    2.0,
    640,
    360,
    depth=10,
    colour=Colour("bt2020", "smpte2084", "bt2020nc", "tv"),
    mastering=LIGHT,
    light=ContentLight(1000, 400),
)
"""HDR10."""


def made_of(source: Source, **parameters: Scalar) -> list[str]:
    return build("/opt/ffmpeg", resolve(SCENARIOS["720p30-h264"], parameters, source), "out.mp4", 7)


def test_every_ffmpeg_is_told_of_colours_and_light_though_new_ones_pass_them_on() -> None:
    tags = ("-color_primaries", "-color_trc", "-colorspace", "-color_range")
    h265, av1 = made_of(BRIGHT, codec="h265", threads=2), made_of(BRIGHT, codec="av1")
    assert [value(h265, tag) for tag in tags] == ["bt2020", "smpte2084", "bt2020nc", "tv"]
    assert value(h265, "-x265-params") == (
        "pools=2:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1)"
        ":max-cll=1000,400"
    )
    assert value(av1, "-svtav1-params") == (
        "mastering-display=G(0.26500,0.69000)B(0.15000,0.06000)R(0.68000,0.32000)WP(0.31270,0.32900)"
        "L(1000.0000,0.0001):content-light=1000,400"
    )
    mapped = made_of(BRIGHT, codec="h265", hdr="tonemap")
    assert [value(mapped, tag) for tag in tags] == ["bt709", "bt709", "bt709", "tv"]
    assert "-x265-params" not in mapped


def test_red_green_and_blue_get_a_matrix() -> None:
    line = made_of(Source(2.0, 640, 360, pixel_format="gbrp", colour=Colour(range="pc")))
    assert "scale=640:360:out_color_matrix=bt709" in str(value(line, "-vf"))
    assert (value(line, "-colorspace"), value(line, "-color_range")) == ("bt709", "tv")


def test_pieces_begin_with_key_frames_of_their_own() -> None:
    parameters: dict[str, Scalar] = {"container": "hls", "segment_seconds": 4, "codec": "h265"}
    line = made_of(Source(2.0, 640, 360), **parameters)
    assert value(line, "-force_key_frames") == "expr:gte(t,n_forced*4)"
    assert value(line, "-forced-idr") == "1"
    assert value(line, "-x265-params") == "scenecut=0:open-gop=0"
    assert value(made_of(Source(2.0, 640, 360), container="dash"), "-sc_threshold") == "0"
    assert "-force_key_frames" not in made_of(Source(2.0, 640, 360))


def maps(line: list[str]) -> list[str]:
    return [line[i + 1] for i, word in enumerate(line) if word == "-map"]
