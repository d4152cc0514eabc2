"""The HTTP client: a method for each endpoint, used by the agent and the operator's command."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from common.files_client import FilesClient
from common.live_client import LiveClient
from common.model import Load, Progress, Report
from common.transport import (
    CONNECT_TIMEOUT,
    HISTORY_HEADER,
    INSTANCE_HEADER,
    PROTOCOL_HEADER,
    READ_TIMEOUT,
    REPLACES_HEADER,
    ApiError,
    Trust,
    establish_trust,
    id_in_path,
)

__all__ = [
    "CONNECT_TIMEOUT",
    "HISTORY_HEADER",
    "INSTANCE_HEADER",
    "PROTOCOL_HEADER",
    "READ_TIMEOUT",
    "REPLACES_HEADER",
    "ApiError",
    "MasterClient",
    "Trust",
    "establish_trust",
]

LARGEST_PAGE = 1000
"""Entries that a master puts on one page."""


class MasterClient(FilesClient, LiveClient):
    """A master, as a caller sees it.

    Every method raises `ApiError` if the master refuses, and `requests.RequestException`
    if it cannot be reached. It may be used by several threads.
    """

    def health(self) -> dict[str, Any]:
        """Is it there."""
        return self._call("GET", "/health")

    def time(self) -> datetime | None:
        """The master's clock, to the second; None if it does not tell."""
        told = self._answer("GET", "/health").headers.get("Date")
        try:
            return None if told is None else parsedate_to_datetime(told)
        except ValueError:
            return None

    def register(
        self, fields: Mapping[str, Any], replaces: str | None = None, join_token: str | None = None
    ) -> dict[str, Any]:
        """Make a node known. Its credential goes in `fields` only: the master may not know it yet.

        `replaces`: the instance that ran under this identity before and has ended, if that is known.
        `join_token`: the secret of one, by which the node needs nobody's approval.
        """
        headers = {} if replaces is None else {REPLACES_HEADER: replaces}
        if join_token is not None:
            headers["Authorization"] = f"Bearer {join_token}"
        return self._call("POST", "/nodes/register", json=dict(fields), anonymous=True, headers=headers)

    def replace_credential(self, node_id: str, credential: str) -> dict[str, Any]:
        """Make `credential` the node's own, in place of the one that is shown."""
        return self._call("POST", f"/nodes/{id_in_path(node_id)}/credential", json={"credential": credential})

    def heartbeat(
        self,
        node_id: str,
        leases: Sequence[str],
        *,
        stopping: bool = False,
        load: Load | None = None,
        timeout: float = READ_TIMEOUT,
    ) -> dict[str, Any]:
        """A sign of life, which renews these leases; its answer is waited for `timeout` seconds.

        `load`: how busy the machine is.
        """
        sent: dict[str, Any] = {"leases": list(leases), "stopping": stopping}
        if load is not None:
            sent["load"] = asdict(load)
        return self._call("POST", f"/nodes/{id_in_path(node_id)}/heartbeat", json=sent, timeout=timeout)

    def leave(self, node_id: str, instance: str) -> None:
        """The node's agent (this instance of it) ends."""
        self._call("POST", f"/nodes/{id_in_path(node_id)}/leave", json={"instance": instance})

    def next_jobs(
        self, node_id: str, leases: Sequence[str], wait: float, most: int = 1
    ) -> list[dict[str, Any]]:
        """Claim up to `most` jobs; none if none came within `wait` seconds.

        More than one only from a master whose terms have `max_claims`: an older one refuses to.
        """
        arguments = {"node_id": node_id, "wait": f"{wait:g}", "leases": ",".join(leases)}
        if most > 1:
            arguments["max"] = str(most)
        answer = self._call("GET", "/jobs/next", params=arguments, timeout=READ_TIMEOUT + wait)
        jobs: list[dict[str, Any] | None] = answer["jobs"] if most > 1 else [answer["job"]]
        return [job for job in jobs if job is not None]

    def progress(
        self, job_id: str, node_id: str, lease_id: str, how_far: Progress, log: Sequence[str]
    ) -> dict[str, Any]:
        """How far an attempt is."""
        sent = {"node_id": node_id, "lease_id": lease_id, "log": list(log), **asdict(how_far)}
        return self._call("POST", f"/jobs/{id_in_path(job_id)}/progress", json=sent)

    def report(
        self, report: Report, log: Sequence[str], leases: Sequence[str] | None = None
    ) -> dict[str, Any]:
        """The report at the end of an attempt.

        `leases`: those that the agent holds, if it can take another job: the answer has it as `next`, or
        null. An older master does not know of this, and answers without.
        """
        sent = {**asdict(report), "log": list(log)}
        del sent["digest"]  # the master makes it
        if report.findings.divisible is None:
            del sent["findings"]["divisible"]  # an older master would not understand it
        wish = {} if leases is None else {"next": "1", "leases": ",".join(leases)}
        return self._call("POST", "/results", json=sent, params=wish)

    def release(self, job_id: str, node_id: str, lease_id: str) -> dict[str, Any]:
        """Hand a job back unharmed."""
        return self._call(
            "POST", f"/jobs/{id_in_path(job_id)}/release", json={"node_id": node_id, "lease_id": lease_id}
        )

    def nodes(self) -> list[dict[str, Any]]:
        """All nodes."""
        nodes: list[dict[str, Any]] = self._call("GET", "/nodes")["nodes"]
        return nodes

    def node(self, node_id: str) -> dict[str, Any]:
        """One node."""
        return self._call("GET", f"/nodes/{id_in_path(node_id)}")

    def change_node(self, node_id: str, verb: str) -> dict[str, Any]:
        """`approve`, `drain`, `resume` or `revoke` a node."""
        return self._call("POST", f"/nodes/{id_in_path(node_id)}/{verb}")

    def remove_node(self, node_id: str) -> None:
        """Take a node out of the registry."""
        self._call("DELETE", f"/nodes/{id_in_path(node_id)}")

    def create_token(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Make a token. Not sent again if no answer came: the master could not tell its text again."""
        return self._call("POST", "/tokens", json=dict(fields))

    def tokens(self) -> list[dict[str, Any]]:
        """All tokens, without their secrets."""
        tokens: list[dict[str, Any]] = self._call("GET", "/tokens")["tokens"]
        return tokens

    def revoke_token(self, token_id: str) -> None:
        """End a token."""
        self._call("DELETE", f"/tokens/{id_in_path(token_id)}")

    def create_webhook(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Make a webhook. Not sent again if no answer came: the master tells its secret once."""
        return self._call("POST", "/webhooks", json=dict(fields))

    def webhooks(self) -> list[dict[str, Any]]:
        """All webhooks, without their secrets."""
        webhooks: list[dict[str, Any]] = self._call("GET", "/webhooks")["webhooks"]
        return webhooks

    def webhook(self, webhook_id: str) -> dict[str, Any]:
        """One webhook."""
        return self._call("GET", f"/webhooks/{id_in_path(webhook_id)}")

    def change_webhook(
        self, webhook_id: str, verb: str, fields: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """`pause`, `resume`, `rotate`, `replay` or `test` a webhook."""
        return self._call("POST", f"/webhooks/{id_in_path(webhook_id)}/{verb}", json=dict(fields or {}))

    def deliveries(self, webhook_id: str, limit: int) -> list[dict[str, Any]]:
        """The newest requests to a webhook's receiver, newest first."""
        path = f"/webhooks/{id_in_path(webhook_id)}/deliveries"
        found: list[dict[str, Any]] = self._call("GET", path, params={"limit": str(limit)})["deliveries"]
        return found

    def remove_webhook(self, webhook_id: str) -> None:
        """Remove a webhook."""
        self._call("DELETE", f"/webhooks/{id_in_path(webhook_id)}")

    def submit(self, fields: Mapping[str, Any], key: str | None = None) -> dict[str, Any]:
        """Queue a job, once, however often it has to be sent. `key`: what tells that it is the same job."""
        return self._once("/jobs", key, json=dict(fields))

    def submit_batch(self, jobs: Sequence[Mapping[str, Any]], key: str | None = None) -> list[dict[str, Any]]:
        """Queue many jobs, all or none, once; with a `key` of your own, once for that key."""
        queued: list[dict[str, Any]] = self._once("/jobs/batch", key, json={"jobs": list(jobs)})["jobs"]
        return queued

    def retry(self, job_id: str) -> dict[str, Any]:
        """Queue a new job that repeats a finished one, once."""
        return self._once(f"/jobs/{id_in_path(job_id)}/retry")

    def jobs(
        self,
        status: str | None = None,
        parent_id: str | None = None,
        most: int | None = None,
        *,
        whole: bool = False,
    ) -> Iterator[dict[str, Any]]:
        """All jobs, page by page; of one status, or the parts of one job. `most`: no page needs more.

        `whole`: no parts of others.
        """
        wanted = {"status": status, "parent_id": parent_id, "limit": _page_size(most), **_only(whole)}
        return self._pages("/jobs", "jobs", {k: v for k, v in wanted.items() if v is not None})

    def jobs_beginning(self, id_prefix: str) -> Iterator[dict[str, Any]]:
        """The jobs whose ids begin so: 4 characters or more."""
        return self._pages("/jobs", "jobs", {"id_prefix": id_prefix})

    def job(self, job_id: str) -> dict[str, Any]:
        """One job with its attempts."""
        return self._call("GET", f"/jobs/{id_in_path(job_id)}")

    def change_job(self, job_id: str, verb: str) -> dict[str, Any]:
        """`cancel`, `pause` or `resume` a job."""
        return self._call("POST", f"/jobs/{id_in_path(job_id)}/{verb}")

    def queue(self) -> dict[str, Any]:
        """How the queue stands."""
        return self._call("GET", "/queue")

    def status(self) -> dict[str, Any]:
        """How the master stands: its nodes, its queue, and what no node can take."""
        return self._call("GET", "/status")

    def change_queue(self, verb: str) -> dict[str, Any]:
        """`pause` or `resume` the queue."""
        return self._call("POST", f"/queue/{verb}")

    def logs(self, job_id: str) -> list[str]:
        """The newest lines of a job's log."""
        lines: list[str] = self._call("GET", f"/jobs/{id_in_path(job_id)}/logs")["lines"]
        return lines

    def result(self, job_id: str) -> dict[str, Any]:
        """What came of a finished job."""
        return self._call("GET", f"/jobs/{id_in_path(job_id)}/result")

    def results(self, most: int | None = None, *, whole: bool = False) -> Iterator[dict[str, Any]]:
        """All results, newest first, page by page. `most`: no page needs more. `whole`: no parts."""
        size = _page_size(most)
        wanted = {**({} if size is None else {"limit": size}), **_only(whole)}
        return self._pages("/results", "results", wanted)

    def archived_results(self, job_id: str | None = None, *, whole: bool = False) -> Iterator[dict[str, Any]]:
        """Results of jobs that left the master's memory, newest first, page by page; or of one job.

        `whole`: no parts.
        """
        wanted = {**({} if job_id is None else {"job_id": job_id}), **_only(whole)}
        return self._pages("/results/archive", "results", wanted)

    def audit(self, wanted: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Who did what, newest first, in pages of `entries` and of what is `damaged` on the way.

        `wanted`: the endpoint's filters.
        """
        return self._whole_pages("/audit", dict(wanted))

    def scenarios(self) -> list[dict[str, Any]]:
        """The scenario catalogue."""
        scenarios: list[dict[str, Any]] = self._call("GET", "/scenarios")["scenarios"]
        return scenarios


def _only(whole: bool) -> dict[str, str]:
    return {"whole": "1"} if whole else {}


def _page_size(most: int | None) -> str | None:
    """The `limit` of a page that has to hold `most`; None: as the master has it."""
    return None if most is None else str(min(most, LARGEST_PAGE))
