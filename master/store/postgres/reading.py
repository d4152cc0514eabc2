"""Reads records in a transaction; what was read is remembered, with the version that it had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import TupleRow

from common.model import FarmState, Job, Node, Now, Token, Webhook
from master.store.postgres import rows
from master.store.postgres.rows import COLUMNS, JOB_COLUMNS, JobRow, Row
from master.store.recent import KEPT, Ended

_JOBS: LiteralString = f"select {JOB_COLUMNS} from jobs "


class Reading:
    """The records as this transaction sees them: its own changes, and what others have committed."""

    def __init__(self, connection: Connection[TupleRow], now: Now, farm: Row[FarmState]) -> None:
        """`farm`: the one record that every transaction begins with."""
        self.now = now
        self._connection = connection
        self._farm = farm
        self._jobs: dict[str, JobRow] = {}
        self._nodes: dict[str, Row[Node]] = {}
        self._tokens: dict[str, Row[Token]] = {}
        self._webhooks: dict[str, Row[Webhook]] = {}

    def job(self, job_id: str) -> Job | None:
        """The job with this id."""
        if job_id not in self._jobs:
            self._read_jobs("where id = %s", (job_id,))
        found = self._jobs.get(job_id)
        return None if found is None else found.record

    def farm(self) -> FarmState:
        """What holds for the whole farm."""
        return self._farm.record

    def history(self) -> int:
        """How many events have a number."""
        return int(self._value("select coalesce(max(seq), 0) from happened"))

    def node(self, node_id: str) -> Node | None:
        """The node with this id."""
        if node_id not in self._nodes:
            self._read_nodes("where id = %s", (node_id,))
        found = self._nodes.get(node_id)
        return None if found is None else found.record

    def nodes(self) -> list[Node]:
        """All nodes, in the order of their registration."""
        return self._read_nodes("order by place")

    def token(self, token_id: str) -> Token | None:
        """The token with this id."""
        self._read_tokens("where id = %s", (token_id,))
        found = self._tokens.get(token_id)
        return None if found is None else found.record

    def tokens(self) -> list[Token]:
        """All tokens, in the order in which they were made."""
        return self._read_tokens("order by place")

    def webhook(self, webhook_id: str) -> Webhook | None:
        """The webhook with this id."""
        self._read_webhooks("where id = %s", (webhook_id,))
        found = self._webhooks.get(webhook_id)
        return None if found is None else found.record

    def webhooks(self) -> list[Webhook]:
        """All webhooks, in the order in which they were made."""
        return self._read_webhooks("order by place")

    def recent(self, node_id: str) -> list[Ended]:
        """The newest attempts that ended on a node, newest first."""
        found = self._all(
            "select ended_at, job_id, number, scenario, started_at, outcome, code, message from ended "
            "where node_id = %s order by ended_at desc, job_id desc, number desc limit %s",
            (node_id, KEPT),
        )
        return [Ended(*each) for each in found]

    def _read_jobs(self, rest: LiteralString, values: Sequence[Any] = ()) -> list[Job]:
        """The jobs that the rest of the question names, in its order."""
        return [self._remember(rows.job_row(each)).record for each in self._all(_JOBS + rest, values)]

    def _remember(self, found: JobRow) -> JobRow:
        self._jobs[found.record.id] = found
        return found

    def _read_nodes(self, rest: LiteralString, values: Sequence[Any] = ()) -> list[Node]:
        found = [rows.row(each, Node) for each in self._all(f"select {COLUMNS} from nodes " + rest, values)]
        self._nodes.update((each.record.id, each) for each in found)
        return [each.record for each in found]

    def _read_tokens(self, rest: LiteralString, values: Sequence[Any] = ()) -> list[Token]:
        found = [rows.row(each, Token) for each in self._all(f"select {COLUMNS} from tokens " + rest, values)]
        self._tokens.update((each.record.id, each) for each in found)
        return [each.record for each in found]

    def _read_webhooks(self, rest: LiteralString, values: Sequence[Any] = ()) -> list[Webhook]:
        question = f"select {COLUMNS} from webhooks " + rest
        found = [rows.row(each, Webhook) for each in self._all(question, values)]
        self._webhooks.update((each.record.id, each) for each in found)
        return [each.record for each in found]

    def _all(
        self, question: LiteralString, values: Sequence[Any] | Mapping[str, Any] = ()
    ) -> list[tuple[Any, ...]]:
        return self._connection.execute(question, values).fetchall()

    def _value(self, question: LiteralString, values: Sequence[Any] = ()) -> Any:
        """The one value of the one row that is found; None if there is no row."""
        row = self._connection.execute(question, values).fetchone()
        return None if row is None else row[0]

    def _forget_jobs(self, job_ids: Iterable[str]) -> None:
        for job_id in job_ids:
            self._jobs.pop(job_id, None)
