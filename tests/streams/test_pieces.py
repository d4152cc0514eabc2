"""The pure parts: tags, chunks, commands, what is left out, what is counted, when to give up."""

from __future__ import annotations

import random
import socket
import subprocess
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.ffmpeg.discover import Toolbox, has_protocol
from agent.stream import amf, chunks, flv
from agent.stream.backlog import Backlog
from agent.stream.chunks import ChunkError, ChunkReader, Message
from agent.stream.flv import AUDIO, SCRIPT, VIDEO, FlvError, FlvParser, Tag
from agent.stream.patience import Patience
from agent.stream.tally import Tally
from agent.stream.wire import CutError, LostError, Wire

HEADER = Tag(VIDEO, 0, b"\x17\x00\x00\x00\x00config")


def key(time: int, size: int = 100) -> Tag:
    return Tag(VIDEO, time, b"\x17\x01\x00\x00\x00" + bytes(size))


def picture(time: int, size: int = 100) -> Tag:
    return Tag(VIDEO, time, b"\x27\x01\x00\x00\x00" + bytes(size))


def sound(time: int) -> Tag:
    return Tag(AUDIO, time, b"\xaf\x01sound")


MOMENTS = st.integers(0, 2**32 - 1)
KINDS = st.sampled_from([AUDIO, VIDEO, SCRIPT])


@given(st.lists(st.tuples(KINDS, MOMENTS, st.binary(max_size=300))), st.integers(1, 100))
@settings(max_examples=50)
def test_tags_are_read_as_they_were_written_in_whatever_pieces_they_come(
    wanted: list[tuple[int, int, bytes]], step: int
) -> None:
    tags = [Tag(*fields) for fields in wanted]
    data = flv.FILE_HEADER + b"".join(tag.encode() for tag in tags)
    parser = FlvParser()
    assert [tag for at in range(0, len(data), step) for tag in parser.feed(data[at : at + step])] == tags


@pytest.mark.parametrize("data", [b"not a flash video", flv.FILE_HEADER + b"\x05" + bytes(30)])
def test_what_is_no_flv_is_refused(data: bytes) -> None:
    with pytest.raises(FlvError):
        list(FlvParser().feed(data))


def test_pictures_and_key_frames_are_told_as_ffmpeg_wrote_them(toolbox: Toolbox) -> None:
    for encoder, codec in (("libx264", "h264"), ("libx265", "h265")):
        argv = [str(toolbox.chosen[encoder].path), "-loglevel", "error", "-f", "lavfi"]
        argv += ["-i", "testsrc2=size=64x64:rate=10", "-frames:v", "25", "-c:v", encoder]
        argv += ["-g", "10", "-preset", "ultrafast", "-f", "flv", "pipe:1"]
        out = subprocess.run(argv, check=True, capture_output=True, stdin=subprocess.DEVNULL).stdout
        tags = list(FlvParser().feed(out))
        assert sum(tag.is_picture for tag in tags) == 25
        assert [tag.timestamp for tag in tags if tag.is_key][:3] == pytest.approx([0, 1000, 2000], abs=300)
        assert sum(tag.is_header for tag in tags) == 2
        assert {tag.codec for tag in tags if tag.is_picture} == {codec}


MESSAGES = st.tuples(st.integers(7, 30), MOMENTS, st.binary(max_size=700))


@given(st.lists(MESSAGES, max_size=8), st.sampled_from([1, 7, 128, 60_000]), st.integers(1, 400))
@settings(max_examples=50)
def test_messages_are_read_as_they_were_written(
    wanted: list[tuple[int, int, bytes]], size: int, step: int
) -> None:
    messages = [Message(kind, 1, time, payload) for kind, time, payload in wanted]
    first = chunks.encode(Message(chunks.SET_CHUNK_SIZE, 0, 0, size.to_bytes(4, "big")), 2)
    data = first + b"".join(chunks.encode(message, 4, size) for message in messages)
    reader = ChunkReader()
    assert [m for at in range(0, len(data), step) for m in reader.feed(data[at : at + step])] == messages


def test_a_server_cannot_make_us_hold_much() -> None:
    with pytest.raises(ChunkError):
        list(ChunkReader().feed(b"\x03" + bytes(3) + (chunks.MAX_MESSAGE + 1).to_bytes(3, "big") + bytes(5)))
    reader = ChunkReader()
    list(reader.feed(chunks.encode(Message(chunks.SET_CHUNK_SIZE, 0, 0, (2**24).to_bytes(4, "big")), 2)))
    begun = bytes(3) + chunks.MAX_MESSAGE.to_bytes(3, "big") + bytes(5)
    list(reader.feed(chunks.encode(Message(chunks.SET_CHUNK_SIZE, 0, 0, (4 * 2**20).to_bytes(4, "big")), 2)))
    for stream in (3, 4, 5, 6):
        list(reader.feed(bytes((stream,)) + begun + bytes(4 * 2**20)))
    with pytest.raises(ChunkError, match="do not end"):
        list(reader.feed(b"\x07" + begun + bytes(4 * 2**20)))


def test_noise_is_refused_or_waited_for_and_nothing_worse() -> None:
    dice = random.Random(6)
    for _ in range(300):
        reader = ChunkReader()
        try:
            for message in reader.feed(dice.randbytes(2000)):
                amf.decode(message.payload)
        except (ChunkError, amf.AmfError):
            continue


VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.dictionaries(st.text(min_size=1, max_size=5), inner, max_size=3) | st.lists(inner, max_size=3)
    ),
    max_leaves=10,
)


@given(st.lists(VALUES, max_size=4))
@settings(max_examples=50)
def test_values_are_read_as_they_were_written(values: list[object]) -> None:
    assert amf.decode(amf.encode(*values)) == values


@pytest.mark.parametrize(
    "data", [b"\x02\xff\xff", b"\x00\x00", b"\xee", b"\x03" * 50, b"\x05" * 1000, b"\x0a\xff\xff\xff\xff"]
)
def test_a_damaged_command_is_refused(data: bytes) -> None:
    with pytest.raises(amf.AmfError):
        amf.decode(data)


def taken(backlog: Backlog) -> list[int]:
    tags = []
    while (tag := backlog.take()) is not None:
        tags.append(tag.timestamp)
    return tags


def test_a_new_connection_begins_with_the_headers_and_the_newest_key_frame() -> None:
    backlog = Backlog()
    for tag in (HEADER, key(0), picture(40), key(80), sound(90), picture(120)):
        backlog.put(tag)
    assert backlog.take() is None  # nobody is there
    backlog.connected()
    assert backlog.headers == [HEADER]
    assert taken(backlog) == [80, 90, 120]
    backlog.disconnected()
    for tag in (picture(160), sound(170), key(200), picture(240)):
        backlog.put(tag)
    backlog.connected()
    assert taken(backlog) == [200, 240]


def test_what_a_broken_connection_left_is_begun_with_its_next_key_frame() -> None:
    backlog = Backlog()
    backlog.connected()
    for tag in (key(0), picture(40), picture(80), key(120)):
        backlog.put(tag)
    assert backlog.take() == key(0)
    backlog.disconnected()
    backlog.connected()
    assert taken(backlog) == [120]


def test_a_slow_server_misses_whole_groups_and_memory_is_bounded() -> None:
    backlog = Backlog(most_bytes=10_000, most_milliseconds=1000)
    backlog.connected()
    for number in range(200):
        backlog.put(key(40 * number) if number % 10 == 0 else picture(40 * number))
        assert backlog._tags[-1].timestamp - backlog._tags[0].timestamp <= 1000
    times = taken(backlog)
    assert times[0] % 400 == 0  # it begins with a key frame
    assert times == list(range(times[0], 8000, 40))  # and nothing is missing after it


def test_a_group_that_alone_is_too_much_is_left_out_until_the_next_key_frame() -> None:
    backlog = Backlog(most_bytes=1000)
    backlog.connected()
    for number in range(30):
        backlog.put(picture(number, 100) if number else key(0, 100))
    backlog.put(key(100))
    assert taken(backlog) == [100]


def test_the_seconds_of_a_stream_are_counted_by_its_own_time() -> None:
    tally = Tally()
    for second, size in enumerate((100, 300, 200)):
        for frame in range(10):
            tally.add(picture(5000 + second * 1000 + frame * 100, size))
            tally.add(sound(5000))
    rates = tally.rates(10)
    assert (tally.frames, tally.frame_rate) == (30, 10.0)
    assert tally.duration(10) == pytest.approx(3.0)
    assert (rates.least, rates.most) == (8_000, 24_000)
    assert rates.mean == pytest.approx(16_000)
    assert rates.deviation == pytest.approx(6531.97, abs=0.01)


def test_a_last_second_that_is_not_whole_does_not_count_among_the_seconds() -> None:
    tally = Tally()
    for frame in range(13):
        tally.add(picture(frame * 100, 100))
    assert tally.rates(10).least == 8_000
    assert Tally().rates(10).mean is None


def test_attempts_come_less_and_less_often_and_end() -> None:
    patience = Patience(100.0, first=20, later=60)
    assert patience.may_try(100.0)
    now, tries = 100.0, 0
    while not patience.is_over(now):
        if patience.may_try(now):
            tries += 1
            patience.failed(now)
        now += 0.05
    assert 5 <= tries <= 9
    assert now == pytest.approx(120, abs=0.2)
    patience.arrived(now)
    assert not patience.is_over(now + 59)
    patience.stands(now + 1000)
    assert not patience.is_over(now + 1059)


def test_a_server_that_takes_nothing_is_given_up_and_one_that_is_not_wanted_is_left() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        wire = Wire(ours, lambda: True, silence=0.3)
        with pytest.raises(LostError, match=r"took nothing for 0.3 s"):
            wire.send(bytes(10_000_000))
        wire.close()
    ours, theirs = socket.socketpair()
    wanted = threading.Event()
    wanted.set()
    with theirs:
        wire = Wire(ours, wanted.is_set)
        threading.Timer(0.2, wanted.clear).start()
        with pytest.raises(CutError):
            wire.send(bytes(10_000_000))
        wire.close()


def test_protocols_are_read_from_what_ffmpeg_lists() -> None:
    text = "Supported file protocols:\nInput:\n  file\n  srt\nOutput:\n  file\n"
    assert not has_protocol(text, "srt")
    assert has_protocol(text + "  srt\n", "srt")
    assert not has_protocol(text + "  srtp\n", "srt")
