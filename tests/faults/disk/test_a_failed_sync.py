"""When the disk fails to sync, callers get 503, nothing more is acknowledged, and the master ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.faults.disk.conftest import Start
from tests.faults.disk.support import Load, injected
from tests.masters import Master


def test_nothing_more_is_acknowledged_and_all_that_was_is_there(
    tmp_path: Path, start: Start, load_on: Callable[[Master], Load]
) -> None:
    master = start(tmp_path / "state")
    load = load_on(master)
    load.more(20)
    worker = master.worker_pid()
    assert worker is not None
    # What the kernel does not take a thread syncs: only that can be made to fail from outside.
    with injected(worker, "io_submit:error=EAGAIN", "fdatasync:error=EIO:when=2+"):
        assert master.process.wait(timeout=30) == 1
    load.end()
    assert load.refused
    assert {answer.status_code for answer in load.refused} == {503}
    assert "Input/output error" in load.refused[0].json()["detail"]
    assert load.late == []
    said = [line for line in master.log.read_text().splitlines() if line.startswith("master: ")]
    assert len(said) == 1
    assert "failed to sync: [Errno 5] Input/output error; nothing more is acknowledged" in said[0]
    load.is_all_there(start(tmp_path / "state"))
