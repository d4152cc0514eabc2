"""A flipped byte anywhere in what was acknowledged stops the start, or changes nothing at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from master.store import snapshot
from master.store.journal import JournalError
from master.store.segments import segments
from tests.core.support import FakeClock, crash, embedded, make_farm, must_claim, register, submit
from tests.store.test_snapshot import records_of

FLIPS = (0x01, 0x20, 0xFF)
"""One bit, the case of a letter, every bit."""


def idle_farm(root: Path) -> dict[str, object]:
    """A node and a claimed job, left as a power cut leaves a master that had nothing to do."""
    farm = make_farm(root, FakeClock())
    node_id = register(farm)
    submit(farm)
    must_claim(farm, node_id)
    farm.store.tidy(farm.clock())
    crash(farm.store)
    return {**embedded(farm)._state.jobs, **embedded(farm)._state.nodes}


def starts_with(root: Path) -> dict[str, object] | None:
    """The records that a master finds; None if it refuses to start."""
    try:
        return records_of(root)
    except JournalError:
        return None


@pytest.mark.parametrize("flip", FLIPS)
def test_in_an_idle_journal(tmp_path: Path, flip: int) -> None:
    before = idle_farm(tmp_path)
    segment = segments(tmp_path / "journal")[0]
    whole = segment.read_bytes()
    refused = 0
    for offset in range(len(whole.rstrip(b"\0"))):
        segment.write_bytes(whole[:offset] + bytes([whole[offset] ^ flip]) + whole[offset + 1 :])
        found = starts_with(tmp_path)
        assert found in (None, before), f"offset {offset}: {whole[offset : offset + 1]!r}"
        refused += found is None
        for begun in segments(tmp_path / "journal")[1:]:
            begun.unlink()
    assert refused > len(whole.rstrip(b"\0")) * 0.9


@pytest.mark.parametrize("flip", FLIPS)
def test_in_a_snapshot(tmp_path: Path, flip: int) -> None:
    before = idle_farm(tmp_path)
    records_of(tmp_path)
    snapshot.fold(tmp_path / "journal", 2)
    path = tmp_path / "journal" / snapshot.NAME
    whole = path.read_bytes()
    for offset in range(len(whole)):
        path.write_bytes(whole[:offset] + bytes([whole[offset] ^ flip]) + whole[offset + 1 :])
        assert starts_with(tmp_path) in (None, before), f"offset {offset}: {whole[offset : offset + 1]!r}"
        for begun in segments(tmp_path / "journal"):
            begun.unlink()
