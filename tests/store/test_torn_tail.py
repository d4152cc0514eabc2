"""A journal cut at any byte of its last records reads up to the last whole one."""

from __future__ import annotations

from pathlib import Path

from master.store import journal
from master.store.frames import frame
from master.store.segments import cut_tail, read_segment, segments
from tests.store.support import read_records, write_records


def test_a_cut_at_any_byte_leaves_the_whole_records_before_it(tmp_path: Path) -> None:
    records = write_records(tmp_path, 5)
    segment = segments(tmp_path)[0]
    whole = segment.read_bytes().rstrip(b"\0")
    ends = [offset + len(frame(payload, 0)) for offset, payload in read_segment(segment, last=True).records]
    for cut in range(ends[2], len(whole)):
        segment.write_bytes(whole[:cut])
        assert read_records(tmp_path) == records[: sum(end <= cut for end in ends)]


def test_a_half_written_record_followed_by_zeros_is_cut_off(tmp_path: Path) -> None:
    records = write_records(tmp_path, 5)
    segment = segments(tmp_path)[0]
    data = segment.read_bytes()
    end = len(data.rstrip(b"\0"))
    segment.write_bytes(data[: end - 7] + b"\0" * (len(data) - end + 7))
    assert read_records(tmp_path) == records[:4]
    assert cut_tail(segment) > 0
    assert read_records(tmp_path) == records[:4]


def test_records_that_were_never_synced_may_be_missing_in_the_middle(tmp_path: Path) -> None:
    """After a power cut pages reach the disk in any order; nobody was told of these records."""
    writer = journal.Journal(tmp_path, 1, segment_bytes=8192)
    writer.append(b'{"n":0}')
    writer.wait_synced(writer.position)
    writer.append(b'{"n":1}')
    writer.append(b'{"n":2}')
    segment = segments(tmp_path)[0]
    segment.write_bytes(segment.read_bytes().replace(b'{"n":1}', b"\0" * 7))
    assert read_records(tmp_path) == [b'{"n":0}']
