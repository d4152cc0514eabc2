"""A start that makes no records of jobs that only wait finds what one finds that makes them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from common.model import JobStatus, Priority, Role
from common.schema import SubmitSchema
from master.lifecycle import commands
from master.service import Caller, jobs
from master.store import snapshot
from master.store.codec import encode_record
from master.store.formats import FORMAT
from master.store.journal import JournalError
from master.store.memory import MemoryStore
from master.store.plain import PlainReader
from master.store.state import State
from master.submission import Key
from tests.core.support import (
    OPERATOR,
    FakeClock,
    claim,
    embedded,
    finish,
    make_farm,
    must_claim,
    register,
    submit,
)
from tests.store.test_packed_jobs import JOB

SHA256 = "ab" * 32
KEYS = ("batch", "key-1", "amy\nkey-1", "bob\nkey-5")
LISTED = [None, "amy", "bob"]


def busy_farm(root: Path, *, folded: bool) -> None:
    """Jobs of several submitters, most of which only wait."""
    farm = make_farm(root, FakeClock())
    schema = SubmitSchema()
    for number in range(30):
        owner = LISTED[number % 3]
        caller = Caller(
            OPERATOR.role if owner is None else Role.SUBMITTER, name=owner, request_id=f"r-{number}"
        )
        wanted = {
            "scenario": "720p-h264",
            "priority": list(Priority)[number % 2],
            "constraints": {"labels": {"site": str(number % 2)} if number % 4 else {}},
            "input": f"media:films/{number}.mkv" if number % 5 else None,
        }
        key = Key(f"key-{number}", "0" * 64, owner) if number % 2 else None
        jobs.submit(farm, caller, schema.load(wanted), key)
    batch = [schema.load({"scenario": "480p-h264"}) for _ in range(3)]
    jobs.submit_batch(farm, OPERATOR, batch, Key("batch", "1" * 64))
    ids = list(embedded(farm)._state.jobs)
    submit(farm, depends_on=ids[:1])
    jobs.change(farm, OPERATOR, ids[1], commands.PauseJob())
    jobs.change(farm, OPERATOR, ids[2], commands.Cancel())
    node_id = register(farm, max_concurrent_jobs=2)
    finish(farm, must_claim(farm, node_id))
    claim(farm, node_id)
    number = embedded(farm)._journal.number
    farm.store.close()
    if folded:
        snapshot.fold(root / "journal", number)


def found(root: Path) -> dict[str, Any]:
    """All that can be asked of the state that a start reads."""
    store = MemoryStore(root / "journal", FakeClock()())
    state = store._state
    node = next(iter(state.nodes.values()))
    answers: dict[str, Any] = {
        "jobs": dict(state.jobs),
        "history": state.history,
        "last": state.last_seq,
        "heads": list(state.queue.heads(node)),
        "kinds": state.queue.kinds(100),
        "waiting": [state.waiting(priority) for priority in Priority],
        "prefix": [job.id for job in state.beginning_with("")],
        "keys": [
            [job.id for job in state.by_key(key)] for key in ("batch", "key-1", "amy\nkey-1", "bob\nkey-5")
        ],
        "bound": state.bound(),
        "pages": [
            [job.id for job in state.page(status, None, None, owner)]
            for owner in LISTED
            for status in (None, *JobStatus)
        ],
        "counts": [state.count(status, owner) for owner in LISTED for status in (None, *JobStatus)],
    }
    store.close()
    return answers


@pytest.mark.parametrize("folded", [False, True], ids=["journal", "snapshot"])
def test_it_finds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folded: bool) -> None:
    busy_farm(tmp_path, folded=folded)
    read: list[int] = []
    name = "record" if folded else "submitted"
    plainly = getattr(PlainReader, name)

    def counted(reader: PlainReader, payload: bytes, written: int) -> Any:
        answer = plainly(reader, payload, written)
        read.append(answer is not None)
        return answer

    monkeypatch.setattr(PlainReader, name, counted)
    quick = found(tmp_path)
    assert sum(read) > 25
    monkeypatch.setattr(PlainReader, name, lambda *_: None)
    slow = found(tmp_path)
    assert quick == slow
    assert len(quick["jobs"]) == 34


def test_a_job_that_comes_twice_is_a_contradiction(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    submit(farm)
    payload = next(snapshot.payloads_after(tmp_path / "journal", 0))[2]
    embedded(farm)._journal.append(payload)
    farm.store.close()
    with pytest.raises(JournalError, match="contradicts itself"):
        MemoryStore(tmp_path / "journal", FakeClock()())


def test_files_that_waiting_jobs_read_are_known_to_be_in_use(tmp_path: Path) -> None:
    plain = PlainReader().record(encode_record(replace(JOB, input=f"file:{SHA256}")), FORMAT)
    assert plain is not None
    state = State()
    state.put_plain(plain)
    assert state.references.to(SHA256) == {"a"}
