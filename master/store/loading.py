"""The state as snapshot and journal lead to it, at a start."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from common.model import Now
from master import collector, lifecycle
from master.lifecycle.events import Event
from master.store import journal, segments, snapshot
from master.store.plain import PlainReader
from master.store.state import State

log = logging.getLogger(__name__)


def load(directory: Path, state: State, now: Now) -> int:
    """Fill the empty `state`; answers the number of the last segment.

    `JournalError` if what was acknowledged is damaged, or contradicts itself.
    """
    with snapshot.alone(directory, patience=60), collector.undisturbed():
        for unfinished in directory.glob(f"*{journal.PART}"):
            unfinished.unlink()
        reader = PlainReader()
        covers = _load_snapshot(directory, state, reader, now)
        for path, offset, payload, written in snapshot.payloads_after(directory, covers):
            submitted = reader.submitted(payload, written)
            if submitted is None or any(job.id in state.jobs for job in submitted):
                _replay(directory, state, snapshot.decoded(path, offset, payload, written)[1], now)
                continue
            for job in submitted:
                state.put_plain(job)
            state.history += len(submitted)
        state.settle()
        paths = segments.segments(directory)
        # Its last whole record is where it ends from now on: it will not be written to again.
        if paths and (cut := segments.cut_tail(paths[-1])):
            log.warning("cut %d bytes of an unfinished record off %s; nobody was told of it", cut, paths[-1])
        return max([covers, *map(segments.number_of, paths)])


def _load_snapshot(directory: Path, state: State, reader: PlainReader, now: Now) -> int:
    """Take over the records of the snapshot; answers the last segment that it covers."""
    with snapshot.opened(directory) as stored:
        if stored is None:
            return 0
        for payload in stored.payloads():
            job = reader.record(payload, stored.format)
            if job is not None:
                state.put_plain(job)
            else:
                record = stored.record(payload)
                state.put((type(record), record.id), record, now)
        known = stored.history
        state.history = snapshot.read(directory).history if known is None else known
        return stored.covers


def _replay(directory: Path, state: State, events: Sequence[Event], now: Now) -> None:
    try:
        changes = lifecycle.carry_out(state.record, events)
    except TypeError as error:
        raise journal.JournalError(f"the journal in {directory} contradicts itself: {error}") from error
    for key, changed in changes.items():
        state.put(key, changed, now)
    state.history = snapshot.length_after(state.history, events)
