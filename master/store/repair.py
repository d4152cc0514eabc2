"""Write what was saved of a damaged journal, and keep the damaged one aside.

At every moment there is the old journal or the new one, whenever this is killed:

1. The old files are linked into a directory of their own, which gets its name when it is whole.
2. All transactions that can be read, also those that do not fit any more, are added to the audit.
3. The new snapshot is written beside the old one and renamed into its place. It stands for
   all segments that there are, damaged or not, so by this one step the new journal is there.
4. The segments that it stands for are removed, as after every fold.
"""

from __future__ import annotations

import os
import shutil
from datetime import datetime
from pathlib import Path

from common.model import MASTER
from master.lifecycle import Record
from master.lifecycle.events import RecordKey
from master.store import journal, snapshot
from master.store.audit import AuditFiles
from master.store.restored import rewound
from master.store.salvage import Salvage


def repair(directory: Path, found: Salvage, now: datetime) -> Path:
    """Replace the journal by what was `found`; where the damaged one is kept.

    To be called with the state directory's lock and the fold's lock held. What is lost was
    acknowledged: attempts were given that nobody knows of any more.
    """
    kept = _keep_aside(directory, now)
    records: dict[RecordKey, Record] = dict(found.records)
    happened = [rewound(found.history, now)]
    snapshot.put(records, happened)
    audit = AuditFiles(snapshot.audit_directory(directory))
    audit.append(
        each
        for history, recorded in [*found.recorded, (found.history, (MASTER, happened))]
        for each in snapshot.entries(history, [recorded])
    )
    history = snapshot.length_after(found.history, happened)
    snapshot.write(directory, snapshot.Snapshot(found.covers, history, list(records.values())))
    snapshot.remove_covered(directory, found.covers)
    return kept


def _keep_aside(directory: Path, now: datetime) -> Path:
    """Links, not copies: the files of a journal are never changed in place once it is closed."""
    prefix = f"{directory.name}.damaged-"
    for interrupted in directory.parent.glob(f"{prefix}*{journal.PART}"):
        shutil.rmtree(interrupted)
    kept = directory.with_name(f"{prefix}{now:%Y%m%dT%H%M%SZ}")
    unfinished = kept.with_name(kept.name + journal.PART)
    unfinished.mkdir(mode=0o700)
    for path in directory.iterdir():
        if path.is_file() and not path.name.endswith(".lock"):
            os.link(path, unfinished / path.name)
    journal.sync_directory(unfinished)
    unfinished.rename(kept)
    journal.sync_directory(directory.parent)
    return kept
