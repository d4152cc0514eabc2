"""Moves records from one place to another: all or nothing, and compared before it counts.

Whenever it is killed, the same command goes on: what is not whole at the target counts for nothing, and
if all is there already, all that is left is to say so at the source.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from master.store.moving.contents import Contents, Counted, Reading, contents_of
from master.store.moving.left import Departure, shown


class MoveError(Exception):
    """Nothing was moved; a sentence says why, and what to do."""


class Place(Protocol):
    """Where records are: a state directory, or a database."""

    @property
    def name(self) -> str:
        """What people call it; no password is in it."""

    def held(self, *, make: bool) -> AbstractContextManager[None]:
        """Keep masters away; MoveError if one is there. `make`: the place itself may be missing."""

    def departure(self) -> Departure | None:
        """Where the records went that were here; None if they are here, or if there never were any."""

    def is_empty(self) -> bool:
        """Whether there are no records, or only those that went elsewhere."""

    def reading(self) -> Reading:
        """What is here; MoveError if it cannot be read, or if there is nothing."""

    def filled(self, reading: Reading) -> AbstractContextManager[Reading]:
        """Take over what is read, and give what is here then.

        It counts when that, and holding the place, has ended well.
        """

    def leave(self, gone: Departure) -> None:
        """Say that the records are elsewhere: no master begins here any more."""


@dataclass(frozen=True, slots=True)
class Moved:
    """What was done."""

    contents: Contents
    before: bool
    """Whether it had all been moved before, by a command that was interrupted."""


def move(source: Place, target: Place, now: datetime) -> Moved:
    """Move all of it. MoveError if that cannot be; then both are as they were."""
    if source.name == target.name:
        raise MoveError("the records are there already: --from and --to are the same")
    with source.held(make=False):
        with target.held(make=True):
            gone = source.departure()
            if gone is not None and gone.to != target.name:
                raise MoveError(f"the records of {source.name} were moved to {gone.to} at {shown(gone.at)}")
            if gone is not None:
                return Moved(contents_of(target.reading()), before=True)
            reading = source.reading()
            before = not target.is_empty()
            contents = _compare(reading, target) if before else _copy(reading, target)
        # Now all of it is at the target for good.
        source.leave(Departure(target.name, now))
        return Moved(contents, before)


def _copy(reading: Reading, target: Place) -> Contents:
    read = Counted(reading)
    with target.filled(read) as there:
        expected, found = read.contents(), contents_of(there)
        if found != expected:
            raise MoveError(
                f"what was written to {target.name} was read back otherwise ({found} for {expected}); "
                "nothing was moved. Please tell the developers"
            )
    return expected


def _compare(reading: Reading, target: Place) -> Contents:
    contents = contents_of(target.reading())
    if contents != contents_of(reading):
        raise MoveError(
            f"{target.name} has records of its own ({contents.jobs} jobs, {contents.nodes} nodes, "
            f"{contents.events} events); move to an empty place"
        )
    return contents
