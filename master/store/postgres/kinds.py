"""The kinds of jobs: each set of constraints has a number. Numbers never change, and none is taken away."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import Constraints
from master.store.postgres import rows


class Kinds:
    """What this process knows of them. Single dict operations only, which are atomic."""

    def __init__(self) -> None:
        """Nothing is known yet."""
        self._wanted: dict[int, Constraints] = {}
        self._numbers: dict[Constraints, int] = {}

    def wanted(self, number: int, text: str) -> Constraints:
        """What jobs of a kind ask of a node, which the table tells as `text`."""
        found = self._wanted.get(number)
        if found is None:
            found = self._wanted[number] = rows.wanted_from(text)
        return found

    def numbers(
        self, connection: Connection[TupleRow], wanted: Iterable[Constraints]
    ) -> dict[Constraints, int]:
        """The numbers of these; new ones get one, which counts when the transaction is committed."""
        asked = set(wanted)
        found = {each: self._numbers[each] for each in asked if each in self._numbers}
        texts = {rows.wanted_text(each): each for each in asked if each not in found}
        if texts:
            known = _select(connection, texts)
            self._numbers.update((texts[text], number) for text, number in known)
            found.update((texts[text], number) for text, number in known)
            # In one order, so that two who make the same do not wait for each other.
            for text in sorted(text for text, each in texts.items() if each not in found):
                found[texts[text]] = _insert(connection, text)
        return found


def _select(connection: Connection[TupleRow], texts: Iterable[str]) -> list[tuple[Any, ...]]:
    return connection.execute(
        "select wanted, id from kinds where wanted = any(%s)", (list(texts),)
    ).fetchall()


def _insert(connection: Connection[TupleRow], text: str) -> int:
    """Also if another transaction makes it just now: then it waits for that."""
    row = connection.execute(
        "insert into kinds (wanted) values (%s) on conflict (wanted) do update set wanted = excluded.wanted "
        "returning id",
        (text,),
    ).fetchone()
    assert row is not None  # noqa: S101 - one row is written
    return int(row[0])
