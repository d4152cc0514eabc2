"""A journal cut at any byte of its last records starts, keeps the whole ones, and goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from master.lifecycle import commands
from master.service import nodes
from master.store.segments import read_segment, segments
from tests.core.support import (
    OPERATOR,
    FakeClock,
    crash,
    directory_in_memory,
    embedded,
    make_farm,
    must_claim,
    register,
    submit,
)
from tests.store.support import records_in

LAST = 3
"""How many of the last records are cut."""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Hundreds of masters start, and a cut is the same on any disk."""
    with directory_in_memory() as directory:
        yield directory


def test_a_master_starts_with_the_whole_records_and_takes_new_ones(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    states = []
    node_id = register(farm)
    steps: list[Callable[[], object]] = [
        lambda: submit(farm),
        lambda: must_claim(farm, node_id),
        lambda: nodes.change(farm, OPERATOR, node_id, commands.Drain()),
        lambda: nodes.change(farm, OPERATOR, node_id, commands.Resume()),
    ]
    for step in steps:
        step()
        states.append({**embedded(farm)._state.jobs, **embedded(farm)._state.nodes})
    crash(farm.store)
    segment = segments(tmp_path / "journal")[0]
    whole = segment.read_bytes().rstrip(b"\0")
    starts = [offset for offset, _ in read_segment(segment, last=True).records][-LAST:]
    ends = [*starts[1:], len(whole)]
    states = states[-1 - LAST :]
    for cut in range(starts[0], len(whole) + 1):
        segment.write_bytes(whole[:cut])
        expected = states[sum(end <= cut for end in ends)]
        again = make_farm(tmp_path, FakeClock())
        assert {**embedded(again)._state.jobs, **embedded(again)._state.nodes} == expected, f"cut at {cut}"
        job_id = submit(again)
        after = {**expected, job_id: embedded(again)._state.jobs[job_id]}
        crash(again.store)
        assert records_in(tmp_path) == after, f"cut at {cut}"
        for begun in segments(tmp_path / "journal")[1:]:
            begun.unlink()
