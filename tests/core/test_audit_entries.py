"""Each event has an entry in the audit that says who, when, what and about which record, and no secret."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import get_args

from common.model import Actor, Confidence, Constraints, Failure, Hardware, Job, Node, Outcome, Priority
from master.lifecycle import events
from master.lifecycle.audit import DETAILS, MAX_TEXT, NAMES, entry

AT = datetime(2026, 11, 24, 12, 0, 5, tzinfo=UTC)
OPERATOR = Actor("operator", "10.0.0.7")
JOB = Job(
    "job-1",
    1,
    "720p-h264",
    Confidence.AUTO,
    {},
    Priority.HIGH,
    Constraints(),
    AT,
    3,
    owner="alice",
    request_id="a-request",
)
NODE = Node("node-1", "worker-01", Hardware(), {}, AT, agent_version="1.0.0", approved=True)


def test_every_event_is_described_and_nothing_else() -> None:
    assert set(DETAILS) == set(NAMES) == set(get_args(events.Event))


def test_the_names_are_those_of_the_events_in_snake_case() -> None:
    assert NAMES[events.JobCanceled] == "job_canceled"
    assert len(set(NAMES.values())) == len(NAMES)


def test_a_submit_names_the_job_its_owner_and_who_sent_it() -> None:
    assert entry(7, OPERATOR, events.JobSubmitted(JOB, AT)) == {
        "seq": 7,
        "at": "2026-11-24T12:00:05Z",
        "by": "operator",
        "from": "10.0.0.7",
        "event": "job_submitted",
        "job_id": "job-1",
        "node_id": None,
        "token_id": None,
        "details": {
            "scenario": "720p-h264",
            "priority": "high",
            "owner": "alice",
            "retry_of": None,
            "parent_id": None,
            "part": None,
            "twin_of": None,
            "request_id": "a-request",
        },
    }


def test_an_attempt_names_job_and_node() -> None:
    found = entry(8, OPERATOR, events.JobClaimed("job-1", AT, "node-1", "lease-1", 2))
    assert (found["job_id"], found["node_id"], found["details"]) == ("job-1", "node-1", {"attempt": 2})


def test_who_did_it_is_unknown_where_nobody_noted_it() -> None:
    found = entry(9, None, events.QueuePaused(AT))
    assert (found["by"], found["from"]) == (None, None)


def test_long_texts_are_cut() -> None:
    error = Failure("encoder_error", "x" * 4000)
    details = entry(1, None, events.JobFailed("job-1", AT, "node-1", Outcome.FAILED, error))["details"]
    assert details["error"]["code"] == "encoder_error"
    assert len(details["error"]["message"]) == MAX_TEXT


def test_no_secret_and_no_hash_of_one_is_in_it() -> None:
    node = replace(NODE, credential_hash="hash-of-the-credential")
    job = replace(JOB, idempotency_key="key-of-the-client", request_digest="digest-of-the-request")
    for event in (events.NodeRegistered(node, AT), events.JobSubmitted(job, AT)):
        text = json.dumps(entry(1, OPERATOR, event))
        assert not any(secret in text for secret in ("hash-of", "key-of", "digest-of"))
