"""The log keeps the last 64 KB, hands each line out once, and finds the line that matters."""

from agent.ffmpeg.log import MAX_LINE, RING_BYTES, LogRing, reason


def ring(*pieces: bytes) -> LogRing:
    log = LogRing()
    for piece in pieces:
        log.write(piece)
    return log


def test_each_line_is_taken_once_and_only_when_it_is_complete() -> None:
    log = ring(b"one\ntw")
    assert log.take() == ["one"]
    log.write(b"o\nthree")
    assert log.take() == ["two"]
    assert log.take() == []
    assert log.take(final=True) == ["three"]
    assert log.take(final=True) == []
    assert log.lines() == ("one", "two", "three")


def test_of_a_flood_the_end_is_kept_and_the_gap_is_stated() -> None:
    lines = [b"line %07d of the flood\n" % n for n in range(20_000)]
    log = ring(*lines)
    taken = log.take()
    assert taken[0].endswith("bytes of the log were left out]")
    assert taken[1].startswith("line ")
    assert taken[-1] == log.lines()[-1] == "line 0019999 of the flood"
    assert sum(len(line) + 1 for line in log.lines()) <= RING_BYTES


def test_a_line_without_an_end_is_cut() -> None:
    log = ring(b"x" * 200_000)
    assert log.take() == []
    assert all(len(line) <= MAX_LINE for line in (*log.take(final=True), *log.lines()))


def test_a_carriage_return_ends_a_line_and_broken_text_is_still_text() -> None:
    assert ring(b"frame=1\rframe=2\r\nbr\xffken\n").take() == ["frame=1", "frame=2", "br\ufffdken"]


def test_the_reason_is_the_last_error_that_is_not_a_mere_follow_up() -> None:
    assert (
        reason(
            [
                "[info] Stream mapping:",
                "[h264_nvenc @ 0x559715bee340] [error] Cannot load libcuda.so.1",
                "[vost#0:0 @ 0x5597] [enc:h264_nvenc @ 0x5597] [error] Error while opening encoder - x",
                "[vost#0:0 @ 0x5597] [error] Task finished with error code: -22 (Invalid argument)",
                "[info] Conversion failed!",
            ]
        )
        == "[h264_nvenc] Cannot load libcuda.so.1"
    )


def test_without_an_error_the_reason_is_the_last_line() -> None:
    assert reason(["hello", "ffmpeg: no such library", ""]) == "ffmpeg: no such library"
    assert reason([]) is None
