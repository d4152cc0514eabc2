"""Keeps what was decided: the events in the history, and what they make of the records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from common.model import Actor, FarmState, Job, JobStatus, Node, Token, Webhook
from master import lifecycle
from master.lifecycle import events as e
from master.store.formats import FORMAT
from master.store.postgres import facts, locks, rows
from master.store.postgres.errors import collided
from master.store.postgres.queue import Queue
from master.store.postgres.rows import CHANGING, JOB_VALUES, JobRow, Row
from master.store.recent import just_ended
from master.store.references import files_of
from master.store.told import owners_in

_INSERT = (
    f"insert into jobs (version, {', '.join(JOB_VALUES)}) values (1, {', '.join(['%s'] * len(JOB_VALUES))})"
)
_INSERT_ENDED = (
    "insert into ended (node_id, ended_at, job_id, number, scenario, started_at, outcome, code, message) "
    "values (%s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing"
)
_UPDATE = (
    f"update jobs set version = version + 1, linked = linked or %s, "
    f"{', '.join(f'{name} = %s' for name in CHANGING)} where id = %s and version = %s"
)


class Writing(Queue):
    """The one way to change something."""

    actor: Actor
    happened: dict[int, e.Event]

    def record(self, events: Sequence[e.Event]) -> None:
        """Keep `events`: all, or none, and `unavailable`.

        Each record must still be as this transaction saw it: else somebody else was faster.
        """
        if not events:
            return
        if any(isinstance(event, e.QueuePaused) for event in events):
            self._take(locks.GIVING)  # whoever gives a job away just now is done first
        changes = lifecycle.carry_out(self._seen, events)
        known = {job_id: row.record for job_id, row in self._jobs.items()}
        ids = facts.insert(self._connection, events, self.actor, owners_in(known, events, changes))
        self.happened.update(zip(ids, events, strict=True))
        jobs = {key[1]: record for key, record in changes.items() if key[0] is Job}
        self._put_jobs({i: record for i, record in jobs.items() if isinstance(record, Job)})
        self._remove_jobs([job_id for job_id, record in jobs.items() if record is None])
        for (kind, identifier), record in changes.items():
            if isinstance(record, FarmState):
                self._put_farm(record)
            elif kind is Node:
                self._put_node(identifier, record if isinstance(record, Node) else None)
            elif kind is Token:
                self._put_token(identifier, record if isinstance(record, Token) else None)
            elif kind is Webhook:
                self._put_webhook(identifier, record if isinstance(record, Webhook) else None)

    def _seen(self, key: e.RecordKey) -> lifecycle.Record | None:
        kind, identifier = key
        if kind is FarmState:
            return self.farm()
        if kind is Token:
            return self.token(identifier)
        if kind is Webhook:
            return self.webhook(identifier)
        return self.job(identifier) if kind is Job else self.node(identifier)

    def _put_jobs(self, jobs: Mapping[str, Job]) -> None:
        before = {job_id: self._jobs.get(job_id) for job_id in jobs}
        fresh = [job for job in jobs.values() if before[job.id] is None]
        self._insert_jobs(fresh)
        self._update_jobs([(row, jobs[job_id]) for job_id, row in before.items() if row is not None])
        ended = [
            (node_id, each)
            for job in jobs.values()
            for node_id, each in just_ended(_record(before[job.id]), job)
        ]
        if ended:
            self._many(_INSERT_ENDED, [(node_id, *astuple(each)) for node_id, each in ended])

    def _insert_jobs(self, jobs: Sequence[Job]) -> None:
        if not jobs:
            return
        kinds = self._kinds.numbers(self._connection, {job.constraints for job in jobs})
        heads = {job.id: job.id for job in jobs if job.parent_id is None}
        values, known = [], []
        for job in sorted(jobs, key=lambda each: each.seq):  # parents first
            head_id = heads[job.id] = self._head_of(job, heads)
            kind = kinds[job.constraints]
            found = rows.job_values(job, kind, head_id, self.now)
            values.append([found[name] for name in JOB_VALUES])
            known.append(JobRow(job, 1, head_id, found["linked"], found["ready_at"], kind))
        self._many(_INSERT, values)
        linking = [(job.id, on_id) for job in jobs for on_id in job.depends_on]
        if linking:
            self._many("insert into dependencies (job_id, on_id) values (%s, %s)", linking)
            self._mark_linked({on_id for _, on_id in linking})
        self._many(
            "insert into job_files (sha256, job_id) values (%s, %s) on conflict do nothing",
            [(sha256, job.id) for job in jobs for sha256 in files_of(job)],
        )
        self._learn((), known)

    def _head_of(self, job: Job, heads: Mapping[str, str]) -> str:
        if job.parent_id is None:
            return job.id
        self.job(job.parent_id)
        parent = self._jobs.get(job.parent_id)
        return heads.get(job.parent_id) or (job.parent_id if parent is None else parent.head_id)

    def _mark_linked(self, job_ids: Iterable[str]) -> None:
        """Whoever decides on these from now on looks at those that depend on them."""
        marked = self._all(
            "update jobs set linked = true where id = any(%s) and not linked returning id",
            (sorted(job_ids),),
        )
        self._forget_jobs(job_id for (job_id,) in marked)

    def _update_jobs(self, pairs: Sequence[tuple[JobRow, Job]]) -> None:
        if not pairs:
            return
        values, known = [], []
        for row, job in sorted(pairs, key=lambda pair: pair[1].id):
            found = rows.job_values(job, row.kind, row.head_id, self.now)
            values.append([rows.is_linked(job), *(found[name] for name in CHANGING), job.id, row.version])
            linked = row.linked or rows.is_linked(job)
            known.append(JobRow(job, row.version + 1, row.head_id, linked, found["ready_at"], row.kind))
        if self._many(_UPDATE, values) != len(values):
            raise collided("A job")
        for row, job in pairs:
            if row.record.waits_for_a_node and job.status is JobStatus.RUNNING:
                self._note_given(job)
        self._update_files([(row.record, job) for row, job in pairs])
        let_go = [job.id for row, job in pairs if row.record.depends_on and not job.depends_on]
        if let_go:
            self._connection.execute("delete from dependencies where job_id = any(%s)", (let_go,))
        self._learn([row for row, _ in pairs], known)

    def _update_files(self, pairs: Sequence[tuple[Job, Job]]) -> None:
        gone = [(sha256, new.id) for old, new in pairs for sha256 in files_of(old) - files_of(new)]
        come = [(sha256, new.id) for old, new in pairs for sha256 in files_of(new) - files_of(old)]
        self._many("delete from job_files where sha256 = %s and job_id = %s", gone)
        self._many("insert into job_files (sha256, job_id) values (%s, %s) on conflict do nothing", come)

    def _remove_jobs(self, job_ids: Sequence[str]) -> None:
        if not job_ids:
            return
        ids = list(job_ids)
        going = [row for job_id in ids if (row := self._jobs.get(job_id)) is not None]
        found = self._all("delete from jobs where id = any(%s) returning id", (ids,))
        if len(found) != len(ids):
            raise collided("A job")
        self._connection.execute("delete from dependencies where job_id = any(%s)", (ids,))
        self._connection.execute("delete from job_files where job_id = any(%s)", (ids,))
        self._learn(going, ())
        self._forget_jobs(ids)

    def _learn(self, before: Sequence[JobRow], after: Sequence[JobRow]) -> None:
        """Remember how rows are now, and count what that changes."""
        for row in after:
            self._remember(row)
        self._tally(
            rows.changed(
                [name for row in before for name in rows.tallied(row)],
                [name for row in after for name in rows.tallied(row)],
            )
        )

    def _put_farm(self, farm: FarmState) -> None:
        done = self._connection.execute(
            "update farm set version = version + 1, format = %s, record = %s where version = %s",
            (FORMAT, rows.text_of(farm), self._farm.version),
        )
        if done.rowcount != 1:
            raise collided("The farm")
        self._farm = Row(farm, self._farm.version + 1)

    def _put_node(self, node_id: str, node: Node | None) -> None:
        old = self._nodes.get(node_id)
        self._put("nodes", node_id, node, old)
        digests = digests_of(node)
        gone = list(digests_of(None if old is None else old.record) - digests)
        if gone:
            self._connection.execute(
                "delete from credentials where node_id = %s and digest = any(%s)", (node_id, gone)
            )
        self._many(
            "insert into credentials (digest, node_id) values (%s, %s) on conflict do nothing",
            [(digest, node_id) for digest in digests - digests_of(None if old is None else old.record)],
        )
        if node is None:
            self._nodes.pop(node_id, None)
            self._connection.execute("delete from ended where node_id = %s", (node_id,))
        else:
            self._nodes[node_id] = Row(node, 1 if old is None else old.version + 1)

    def _put_token(self, token_id: str, token: Token | None) -> None:
        old = self._tokens.get(token_id)
        more = {} if token is None else {"secret_hash": token.secret_hash}
        self._put("tokens", token_id, token, old, more)
        if token is None:
            self._tokens.pop(token_id, None)
        else:
            self._tokens[token_id] = Row(token, 1 if old is None else old.version + 1)

    def _put_webhook(self, webhook_id: str, webhook: Webhook | None) -> None:
        old = self._webhooks.get(webhook_id)
        self._put("webhooks", webhook_id, webhook, old)
        if webhook is None:
            self._webhooks.pop(webhook_id, None)
        else:
            self._webhooks[webhook_id] = Row(webhook, 1 if old is None else old.version + 1)

    def _put(
        self,
        table: str,
        identifier: str,
        record: Node | Token | Webhook | None,
        old: Row[Any] | None,
        more: Mapping[str, str] | None = None,
    ) -> None:
        """Write one row of a table of records."""
        if record is None:
            values: list[Any] = [identifier, None if old is None else old.version]
            done = self._connection.execute(
                f"delete from {table} where id = %s and version = %s".encode(), values
            )
        else:
            columns = {"format": FORMAT, "record": rows.text_of(record), **(more or {})}
            if old is None:
                names, places = ", ".join(columns), ", ".join(["%s"] * len(columns))
                question = f"insert into {table} (id, version, {names}) values (%s, 1, {places})"
                values = [identifier, *columns.values()]
            else:
                sets = ", ".join(f"{name} = %s" for name in columns)
                question = f"update {table} set version = version + 1, {sets} where id = %s and version = %s"
                values = [*columns.values(), identifier, old.version]
            done = self._connection.execute(question.encode(), values)
        if done.rowcount != 1:
            raise collided(f"{identifier!r} of {table}")

    def _tally(self, sums: Mapping[str, int]) -> None:
        self._many(
            "insert into tally (name, n) values (%s, %s)", [(name, n) for name, n in sums.items() if n]
        )

    def _many(self, statement: str, values: Sequence[Sequence[Any]]) -> int:
        """Carry a statement out for each of `values`; how many rows that concerned."""
        if not values:
            return 0
        with self._connection.cursor() as cursor:
            if len(values) == 1:
                cursor.execute(statement.encode(), values[0])
            else:
                cursor.executemany(statement.encode(), values)
            return cursor.rowcount


def _record(row: JobRow | None) -> Job | None:
    return None if row is None else row.record


def digests_of(node: Node | None) -> set[str]:
    """The SHA-256 of each credential that the node is known by."""
    digests = () if node is None else (node.credential_hash, node.replaced_hash)
    return {digest for digest in digests if digest is not None}
