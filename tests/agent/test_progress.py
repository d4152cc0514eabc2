"""ffmpeg's progress is read correctly, however its output is cut into pieces."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.ffmpeg.progress import ProgressParser
from common.model import Progress

BLOCK = (
    b"frame=30\nfps=58.20\nstream_0_0_q=28.0\nbitrate=4190.9kbits/s\ntotal_size=262192\n"
    b"out_time_us=1000000\nout_time_ms=1000000\nout_time=00:00:01.000000\nspeed=1.94x\nprogress=continue\n"
)
FIRST = b"frame=0\nfps=0.00\nout_time_us=N/A\nout_time_ms=N/A\nout_time=N/A\nspeed=N/A\nprogress=continue\n"


def test_a_block_gives_frame_rate_speed_time_and_percent() -> None:
    assert ProgressParser(60).feed(BLOCK) == Progress(
        frame=30, fps=58.2, speed=1.94, out_time=1.0, percent=50.0
    )


def test_out_time_ms_is_taken_as_the_microseconds_that_it_is() -> None:
    progress = ProgressParser(None).feed(b"out_time_ms=2500000\nprogress=continue\n")
    assert progress is not None
    assert progress.out_time == 2.5


def test_what_ffmpeg_does_not_know_is_none() -> None:
    assert ProgressParser(60).feed(FIRST) == Progress(frame=0, fps=0.0, percent=0.0)


def test_an_unfinished_block_gives_nothing_yet() -> None:
    parser = ProgressParser(60)
    assert parser.feed(BLOCK[:-3]) is None
    assert parser.feed(BLOCK[-3:]) is not None


def test_of_several_blocks_the_newest_counts() -> None:
    progress = ProgressParser(60).feed(FIRST + BLOCK)
    assert progress is not None
    assert progress.frame == 30


@given(st.lists(st.integers(0, len(BLOCK)), max_size=6))
def test_it_does_not_matter_where_the_output_is_cut(cuts: list[int]) -> None:
    parser, edges = ProgressParser(60), [0, *sorted(cuts), len(BLOCK)]
    seen = [parser.feed(BLOCK[a:b]) for a, b in pairwise(edges)]
    assert [p for p in seen if p] == [ProgressParser(60).feed(BLOCK)]


@given(st.binary(max_size=300))
def test_no_garbage_breaks_it_or_hides_the_block_after_it(garbage: bytes) -> None:
    parser = ProgressParser(60)
    parser.feed(garbage + b"\nprogress=continue\n")
    progress = parser.feed(BLOCK)
    assert progress is not None
    assert progress.frame == 30


def test_an_endless_line_is_thrown_away() -> None:
    parser = ProgressParser(60)
    for _ in range(100):
        parser.feed(b"x" * 100_000)
    assert parser.feed(b"\n" + BLOCK) is not None
