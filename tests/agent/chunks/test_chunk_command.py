"""The command of a chunk says what a piece has lost, and where its pictures begin anew."""

from __future__ import annotations

from typing import Any

import pytest

from agent.chunks.alike import LEAD, TAIL, THREADS, alike, reach, undivided
from agent.chunks.argv import build
from common.model import Window
from common.scenarios import SCENARIOS
from common.settings import Colour, ContentLight, EncodeSettings, Source, resolve

WINDOW = Window(20, 40, 12, 50, (2000, 4000, 1200, 5000), (1, 2500), 0.0)
FACTS: dict[str, Any] = {"frames": 250, "frame_rate": 25}


def settings_of(source: dict[str, Any], **parameters: Any) -> EncodeSettings:
    given = {"crf": 23, **parameters}
    return alike(resolve(SCENARIOS["480p-h264"], given, Source(10, 320, 180, **{**FACTS, **source})))


def command(
    source: dict[str, Any] | None = None, which: int | None = None, window: Window = WINDOW, **more: Any
) -> list[str]:
    return build("ffmpeg", settings_of(source or {}, **more), window, (7, 300, 99), "9.0", which)


def filters(argv: list[str]) -> list[str]:
    return argv[argv.index("-vf") + 1].split(",")


def value(argv: list[str], flag: str) -> str:
    return argv[argv.index(flag) + 1]


def test_frames_get_their_times_since_the_files_start_and_then_those_of_the_window_are_kept() -> None:
    graph = filters(command())
    wanted = [
        "setpts=PTS+round(300*1/2500/TB)",
        "settb=1/2500",
        "trim=start_pts=1200:end_pts=5000",
        "setpts=PTS-1200",
        "settb=1/2500",
        "scale=320:180",
    ]
    assert [each for each in graph if each in wanted] == wanted
    assert "-copyts" in command()


@pytest.mark.parametrize(
    ("degrees", "mirrored", "turned"),
    [
        (0, False, []),
        (90, False, ["transpose=cclock"]),
        (180, False, ["hflip", "vflip"]),
        (270, False, ["transpose=clock"]),
        (0, True, ["vflip"]),
        (90, True, ["transpose=clock_flip"]),
        (180, True, ["hflip"]),
        (270, True, ["transpose=cclock_flip"]),
    ],
)
def test_a_picture_is_turned_as_its_file_said_and_nobody_turns_it_again(
    degrees: int, mirrored: bool, turned: list[str]
) -> None:
    argv = command({"rotation": degrees, "mirrored": mirrored})
    graph = filters(argv)
    assert graph[: len(turned)] == turned
    assert ("sidedata=mode=delete:type=DISPLAYMATRIX" in graph) == bool(turned)
    assert "-noautorotate" in argv


def test_colours_are_those_that_the_file_said_in_the_filters_words() -> None:
    colour = Colour(primaries="bt470bg", transfer="gamma28", matrix="bt470bg", range="tv")
    graph = filters(command({"colour": colour}))
    assert "setparams=color_primaries=bt470bg:color_trc=bt470bg:colorspace=bt470bg:range=tv" in graph
    assert not any(each.startswith("setparams") for each in filters(command()))


def test_a_rate_is_made_of_the_frames_before_those_of_the_window_are_counted() -> None:
    window = Window(20, 40, 12, 50, (20, 40, 12, 50), (1, 30), 0.0)
    graph = filters(command(window=window, fps=30))
    assert graph.index("fps=30:start_time=0") < graph.index("trim=start_pts=12:end_pts=50")
    assert value(command(window=window, fps=30), "-enc_time_base:v") == "1:30"
    assert not any(each.startswith("fps=") for each in filters(command()))


def test_pictures_begin_anew_at_the_first_frame_that_is_wanted_and_behind_the_last() -> None:
    assert value(command(), "-force_key_frames") == "expr:eq(n,8)+eq(n,28)"
    bare = Window(20, 40, 20, 40, (2000, 4000, 2000, 4000), (1, 2500), 0.0)
    assert value(command(window=bare), "-force_key_frames") == "expr:eq(n,0)"


def test_of_a_stream_they_also_begin_anew_with_each_piece_and_never_by_chance() -> None:
    argv = command(container="hls", segment_seconds=4)
    forced = value(argv, "-force_key_frames")
    # The chunk's first frame is shown at 0.48 s of the film, half a tick is added.
    assert forced.startswith("expr:eq(n,8)+eq(n,28)+gt(floor((t+0.480200000)/4)")
    assert value(argv, "-sc_threshold") == "0"


def test_a_first_pass_writes_no_file_and_a_second_reads_what_it_found() -> None:
    first, second = (command(which=which, crf=None, bitrate="1M") for which in (1, 2))
    assert first[-3:] == ["-f", "null", "-"]
    assert second[-1] == "file:chunk.mp4"
    assert value(second, "-passlogfile") == value(first, "-passlogfile")


@pytest.mark.parametrize(
    ("parameters", "threads"),
    [
        ({}, THREADS),
        ({"threads": 3}, 3),
        ({"threads": 3, "maxrate": "1M"}, 1),
        ({"crf": None, "bitrate": "1M"}, 1),
        ({"codec": "vp9", "maxrate": "1M", "threads": 2}, 2),
    ],
)
def test_threads_are_those_of_the_job_or_one_where_a_buffer_is_held(
    parameters: dict[str, Any], threads: int
) -> None:
    assert settings_of({}, **parameters).threads == threads


@pytest.mark.parametrize(("codec", "able"), [("h264", True), ("h265", True), ("vp9", True), ("av1", False)])
def test_a_bitrate_is_shared_only_where_a_first_pass_tells_how_hard_a_chunk_is(
    codec: str, *, able: bool
) -> None:
    settings = settings_of({}, codec=codec, crf=None, bitrate="1M")
    assert (undivided(settings) is None) == able


@pytest.mark.parametrize("codec", ["h264", "h265", "vp9", "av1"])
def test_only_a_second_pass_which_knows_them_all_is_shown_nothing_but_its_own_frames(codec: str) -> None:
    assert reach(settings_of({}, codec=codec, crf=None, bitrate="1M")) == (0, 0)
    assert reach(settings_of({}, codec=codec)) == (LEAD, TAIL)


BRIGHT: dict[str, Any] = {
    "colour": Colour(transfer="smpte2084"),
    "light": ContentLight(1000, 400),
    "depth": 10,
}


def test_x264_is_told_how_light_a_picture_gets_since_a_piece_does_not_say_it() -> None:
    assert "cll=1000,400" in value(command(BRIGHT), "-x264-params").split(":")
    assert "cll" not in value(command(BRIGHT, hdr="tonemap"), "-x264-params")


@pytest.mark.parametrize(("codec", "able"), [("vp9", False), ("h265", True)])
def test_vp9_whose_light_only_the_container_says_is_encoded_whole(codec: str, *, able: bool) -> None:
    bright = {**BRIGHT, "codec": codec}
    assert (undivided(settings_of(bright, codec="vp9", container="webm")) is None) == able
    assert undivided(settings_of(bright, codec="h264")) is None
    assert undivided(settings_of({"codec": codec}, codec="vp9", container="webm")) is None
