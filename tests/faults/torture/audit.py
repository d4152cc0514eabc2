"""The ledger compared with all that the master knows, when nobody asks anything any more."""

from __future__ import annotations

from collections import Counter
from typing import Any

from tests.api.corner import got
from tests.faults.torture.ledger import Entry, Ledger
from tests.masters import Client


def all_pages(client: Client, path: str, key: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    answer: dict[str, Any] = {"next": None}
    while not found or answer["next"] is not None:
        query = {"after": answer["next"]} if answer["next"] else {}
        answer = got(client.get(path, params=query))
        found += answer[key]
        if not answer[key]:
            break
    return found


def audit(client: Client, ledger: Ledger) -> None:
    """Write what is lost and what is there twice into the ledger."""
    jobs = all_pages(client, "/jobs", "jobs")
    results = all_pages(client, "/results", "results")
    known = {job["id"] for job in jobs}
    frames = {result["job_id"]: (result["metrics"] or {}).get("frames") for result in results}
    ledger.twice += _repeated("job", [job["id"] for job in jobs])
    ledger.twice += _repeated("result of job", [result["job_id"] for result in results])
    ledger.twice += _repeated("report with frames", [count for count in frames.values() if count is not None])
    uninvited = len(known - ledger.submits)
    if uninvited > ledger.unanswered:
        ledger.twice.append(f"{uninvited} jobs are there, but only {ledger.unanswered} submits had no answer")
    ledger.lost += [f"job {job_id} is missing" for job_id in ledger.entries.keys() - known]
    for job_id in ledger.entries.keys() & known:
        _audit_job(got(client.get(f"/jobs/{job_id}")), frames.get(job_id), ledger)


def _audit_job(job: dict[str, Any], frames: int | None, ledger: Ledger) -> None:
    entry, name = ledger.entries[job["id"]], f"job {job['id']}"
    if entry.status not in (None, job["status"]):
        ledger.lost.append(f"{name} was {entry.status}, and is {job['status']}")
    elif entry.frames not in (None, frames):
        ledger.twice.append(f"the result of {name} had {entry.frames} frames, and has {frames}")
    numbers = [attempt["number"] for attempt in job["attempts"]]
    if numbers != list(range(1, len(numbers) + 1)):
        ledger.twice.append(f"{name} has the attempts {numbers}")
    if [attempt["outcome"] for attempt in job["attempts"]].count("completed") > 1:
        ledger.twice.append(f"{name} was completed twice")
    _audit_claims(job, entry, ledger)


def _audit_claims(job: dict[str, Any], entry: Entry, ledger: Ledger) -> None:
    attempts = {attempt["number"]: attempt for attempt in job["attempts"]}
    for number, claim in entry.claims.items():
        name = f"attempt {number} of job {job['id']}"
        if number not in attempts or attempts[number]["node_id"] != claim.node_id:
            ledger.lost.append(f"{name} by node {claim.node_id} is missing")
        elif claim.outcome not in (None, attempts[number]["outcome"]):
            ledger.lost.append(f"{name} was {claim.outcome}, and is {attempts[number]['outcome']}")


def _repeated(what: str, values: list[Any]) -> list[str]:
    return [f"{what} {value} is there {count} times" for value, count in Counter(values).items() if count > 1]
