"""A fold copies what did not change as it is, and decodes only what something happened to."""

from __future__ import annotations

from pathlib import Path

import pytest

from common.model import Job
from master.lifecycle import Record, commands
from master.service import Farm, jobs, queue
from master.store import codec, snapshot
from master.store.formats import FORMAT
from master.store.merging import Records, key_of
from tests.core.support import OPERATOR, FakeClock, embedded, make_farm, must_claim, register, submit
from tests.store.support import records_in
from tests.store.test_packed_jobs import JOB

COUNT = 20


def fold(farm: Farm, root: Path) -> list[bytes]:
    """Close the farm, fold all of it; the lines of the records."""
    farm.store.close()
    snapshot.fold(root / "journal", embedded(farm)._journal.number)
    return (root / "journal" / snapshot.NAME).read_bytes().splitlines()[1:-1]


def test_what_nothing_happened_to_is_neither_decoded_nor_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    farm = make_farm(tmp_path, FakeClock())
    ids = [submit(farm) for _ in range(COUNT)]
    before = fold(farm, tmp_path)
    farm = make_farm(tmp_path, FakeClock())
    node_id = register(farm)
    claimed = must_claim(farm, node_id).job.id
    jobs.change(farm, OPERATOR, ids[3], commands.Cancel())
    new = submit(farm)
    expected = {**embedded(farm)._state.jobs, **embedded(farm)._state.nodes}
    decoded: list[str] = []
    decode = codec.decode_record

    def counted(data: bytes, written: int) -> Record:
        record = decode(data, written)
        decoded.append(record.id)
        return record

    monkeypatch.setattr(codec, "decode_record", counted)
    after = fold(farm, tmp_path)
    monkeypatch.undo()
    assert set(decoded) == {claimed, ids[3]}
    assert sorted(set(before) - set(after)) == sorted(before[place] for place in (0, 3))
    job_lines = [line for line in after if b'"record":"Job"' in line]
    assert [job_id for line in job_lines for job_id in [*ids, new] if job_id.encode() in line] == [*ids, new]
    assert records_in(tmp_path) == expected


def test_the_farms_own_record_is_replaced_and_not_doubled(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    queue.change(farm, OPERATOR, commands.PauseQueue())
    assert len(fold(farm, tmp_path)) == 1
    farm = make_farm(tmp_path, FakeClock())
    assert embedded(farm)._state.farm.paused
    queue.change(farm, OPERATOR, commands.ResumeQueue())
    assert len(fold(farm, tmp_path)) == 1
    assert not embedded(make_farm(tmp_path, FakeClock()))._state.farm.paused


@pytest.mark.parametrize("job_id", ["a", 'with "quotes"', "back\\slash", "ß"])
def test_a_key_is_told_by_the_beginning_of_a_line_or_by_all_of_it(job_id: str) -> None:
    job = Job(job_id, 1, JOB.scenario, JOB.confidence, {}, JOB.priority, JOB.constraints, JOB.created_at, 3)
    payload = codec.encode_record(job)
    assert key_of(payload, lambda data: codec.decode_record(data, FORMAT)) == (Job, job_id)


def test_records_come_and_go() -> None:
    records = Records()
    records[Job, "a"] = JOB
    assert (len(records), dict(records)) == (1, {(Job, "a"): JOB})
    del records[Job, "a"]
    assert (len(records), records.get((Job, "a"))) == (0, None)
