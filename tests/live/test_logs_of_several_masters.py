"""Masters that share a directory add to a job's log one after the other: no line is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from master.store.logs import LogStore

_LINES, _BYTES = 300, 10


def test_what_all_add_at_once_is_there_and_counted(tmp_path: Path) -> None:
    stores = [LogStore(tmp_path, max_bytes=100) for _ in range(4)]

    def say(store: LogStore) -> None:
        for number in range(_LINES):
            store.append("job", [f"{number:0{_BYTES - 1}}"])

    with ThreadPoolExecutor(len(stores)) as pool:
        list(pool.map(say, stores))
    rest = stores[0].after("job", 0, 10_000)
    assert rest.end == len(stores) * _LINES * _BYTES
    assert all(len(line) == _BYTES - 1 for _, line in rest.lines)


def test_a_log_that_another_has_removed_begins_anew(tmp_path: Path) -> None:
    here, there = LogStore(tmp_path), LogStore(tmp_path)
    here.append("job", ["old"])
    there.remove("job")
    here.append("job", ["new"])
    assert there.read("job") == ["new"]
