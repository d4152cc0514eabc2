"""The next snapshot out of the last one: what nothing happened to is copied as it is.

So a fold takes little time, and memory for those records only to which something happened, of which the jobs
that only wait are packed (`master.store.jobs`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping

from common.model import Job, Node, Token, Webhook
from master.lifecycle import Record
from master.lifecycle.events import RecordKey
from master.store.jobs import Jobs

_KEY = re.compile(rb'\{"record":"(Job|Node|Token|Webhook)","id":"([\x20-\x7e]+?)"')
_KINDS: dict[bytes, type[Job] | type[Node] | type[Token] | type[Webhook]] = {
    b"Job": Job,
    b"Node": Node,
    b"Token": Token,
    b"Webhook": Webhook,
}


class Records(MutableMapping[RecordKey, Record]):
    """Records by key, in the order in which they came."""

    def __init__(self) -> None:
        self._jobs = Jobs()
        self._others: dict[RecordKey, Record] = {}

    def __len__(self) -> int:
        """How many there are."""
        return len(self._jobs) + len(self._others)

    def __iter__(self) -> Iterator[RecordKey]:
        """Their keys: first of what is no job, then of jobs."""
        yield from self._others
        yield from ((Job, job_id) for job_id in self._jobs)

    def __getitem__(self, key: RecordKey) -> Record:
        """The record with this key; KeyError if there is none."""
        return self._jobs[key[1]] if key[0] is Job else self._others[key]

    def __setitem__(self, key: RecordKey, record: Record) -> None:
        """A record has come, or changed."""
        if isinstance(record, Job):
            self._jobs.put(record)
        else:
            self._others[key] = record

    def __delitem__(self, key: RecordKey) -> None:
        """It is gone; KeyError if it was not there."""
        if key[0] is Job:
            self._jobs.discard(self._jobs[key[1]])
        else:
            del self._others[key]


def key_of(payload: bytes, decode: Callable[[bytes], Record]) -> RecordKey:
    """The key of a record as it is on disk; it is decoded only if that cannot be told by its beginning."""
    found = _KEY.match(payload)
    if found is None or b"\\" in found[2]:
        record = decode(payload)
        return type(record), record.id
    return _KINDS[found[1]], found[2].decode()


def concerned(
    payloads: Iterable[bytes], touched: set[RecordKey], decode: Callable[[bytes], Record]
) -> Records:
    """Of all records on disk, those with keys in `touched`."""
    records = Records()
    for payload in payloads:
        key = key_of(payload, decode)
        if key in touched:
            records[key] = decode(payload)
    return records


def merged(
    payloads: Iterable[bytes], touched: set[RecordKey], records: Records, decode: Callable[[bytes], Record]
) -> Iterator[bytes | Record]:
    """All records: as they are on disk, but of those with keys in `touched` what is in `records`, if it is.

    Each keeps its place, and new ones follow.
    """
    told: set[RecordKey] = set()
    for payload in payloads:
        key = key_of(payload, decode)
        if key not in touched:
            yield payload
        elif key in records:
            told.add(key)
            yield records[key]
    yield from (record for key, record in records.items() if key not in told)
