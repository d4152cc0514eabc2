"""Events and records as JSON bytes, for the journal and the snapshot.

cattrs, not marshmallow: this format is ours alone, is read back into the very same
classes, and is on the path of every request (docs/decisions/0002-journal-codec.md). What comes by the
thousand is written by `master.store.plain_events`, in the same format.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from cattrs import Converter
from cattrs.strategies import configure_tagged_union, configure_union_passthrough

from common.model import MASTER, Actor, FarmState, Job, Node, Scalar, Token, Value, Webhook
from master.lifecycle import Record
from master.lifecycle.events import Event
from master.store import plain_events
from master.store.formats import Document, migrate

_converter = Converter(forbid_extra_keys=True, omit_if_default=True)
_converter.register_unstructure_hook(datetime, datetime.isoformat)
_converter.register_structure_hook(datetime, lambda text, _: datetime.fromisoformat(text))
configure_union_passthrough(Scalar, _converter, accept_ints_as_floats=False)
_converter.register_structure_hook(Value, lambda value, _: tuple(value) if isinstance(value, list) else value)
configure_tagged_union(Event, _converter, tag_name="event")

_unstructure_event = _converter.get_unstructure_hook(Event)
_dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class CodecError(ValueError):
    """Bytes that are no event or record of this version of the program."""


def encode_events(events: Sequence[Event], actor: Actor = MASTER) -> bytes:
    """One line of JSON without the newline: what is recorded together stands together, and who did it."""
    return envelope(encode_each(events), actor)


def encode_each(events: Sequence[Event]) -> list[bytes]:
    """Each event as JSON, for `envelope`."""
    return [plain_events.encode(event) or encode_event(event).encode() for event in events]


def envelope(encoded: Sequence[bytes], actor: Actor) -> bytes:
    """The same as `encode_events` of events that are encoded already."""
    who = {"by": actor.name} if actor.address is None else {"by": actor.name, "from": actor.address}
    return b'%s,"events":[%s]}' % (_dumps(who)[:-1].encode(), b",".join(encoded))


def decode_events(data: bytes, written: int) -> list[Event]:
    """The events, written in format `written`; `CodecError` if there are none of this version."""
    return decode_recorded(data, written)[1]


def decode_recorded(data: bytes, written: int) -> tuple[Actor | None, list[Event]]:
    """The events as `decode_events`, and who brought them about; None where format 2 did not tell."""
    actor, documents = decode_documents(data, written)
    return actor, [decode_event(document) for document in documents]


def decode_documents(data: bytes, written: int) -> tuple[Actor | None, list[Document]]:
    """As `decode_recorded`, but with each event as the JSON object for `decode_event`."""
    try:
        document = json.loads(data)
        actor = None
        if written > 2:
            actor = Actor(document["by"], document.get("from"))
            document = document["events"]
        return actor, [migrate(event, written) for event in document]
    except (ValueError, TypeError, LookupError) as error:
        raise CodecError(f"not events: {error}") from error


def decode_event(document: Document) -> Event:
    """The event of a document; `CodecError` if it is none of this version."""
    event: Event = _structure(document, Event)
    return event


def encode_record(record: Record) -> bytes:
    """One line of JSON without the newline, tagged with the record's type."""
    document = {"record": type(record).__name__, **_converter.unstructure(record)}
    return _dumps(document).encode()


def decode_record(data: bytes, written: int) -> Record:
    """The record, written in format `written`; `CodecError` if it is none."""
    try:
        document = migrate(json.loads(data), written)
        kind = {"Job": Job, "Node": Node, "FarmState": FarmState, "Token": Token, "Webhook": Webhook}[
            document.pop("record")
        ]
    except (ValueError, TypeError, LookupError, AttributeError) as error:
        raise CodecError(f"not a record: {error}") from error
    record: Record = _structure(document, kind)
    return record


def encode_event(event: Event) -> str:
    """One event as JSON, with its class in it: for `decode_event`, once it is read back."""
    return _dumps(_unstructure_event(event))


def encode_value(value: Any, kind: Any) -> str:
    """A part of a record as JSON, always in the same way: equal ones have equal texts."""
    return _dumps(_converter.unstructure(value, kind))


def decode_value(text: str, kind: Any) -> Any:
    """The same, read back; `CodecError` if it is none."""
    return _structure(json.loads(text), kind)


def _structure(document: Any, kind: Any) -> Any:
    try:
        return _converter.structure(document, kind)
    except Exception as error:
        raise CodecError(f"not a {getattr(kind, '__name__', 'event')} of this version: {error!r}") from error
