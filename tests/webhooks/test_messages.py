"""A receiver is told what the audit says and what matters of the job, and can check who says so."""

from __future__ import annotations

import json

import pytest
import standardwebhooks

from common.timestamps import timestamp
from common.version import VERSION
from tests.core.support import OPERATOR, finish, must_claim, register, submit
from tests.webhooks.conftest import Telling
from tests.webhooks.receiver import Receiver, is_signed


def test_the_library_of_the_standard_takes_a_request_and_none_that_was_changed(
    telling: Telling, receiver: Receiver
) -> None:
    webhook_id = telling.webhook(receiver.url)
    submit(telling.farm)
    telling.until(lambda: receiver.got, "a request came")
    (request,) = receiver.got
    checker = standardwebhooks.Webhook(telling.secret(webhook_id))
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert checker.verify(request.body, headers) == request.document
    assert is_signed(request, telling.secret(webhook_id))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        checker.verify(request.body.replace(b"720p", b"480p"), headers)
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        checker.verify(request.body, {**headers, "webhook-id": f"{request.id}0"})
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        checker.verify(
            request.body, {**headers, "webhook-timestamp": str(int(headers["webhook-timestamp"]) - 1)}
        )


def test_a_submitted_job_is_told_of_with_what_matters_of_it(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url, events=["job_submitted"])
    job_id = submit(telling.farm, priority="high")
    telling.until(lambda: receiver.got, "a request came")
    (request,) = receiver.got
    assert request.path == "/hook"
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == f"ffrtmp-master/{VERSION}"
    assert request.id == f"msg_{webhook_id}_{request.seq}"
    told = request.document
    assert (told["type"], told["timestamp"]) == ("job_submitted", timestamp(telling.clock().wall))
    (entry,) = telling.farm.feed.after(request.seq - 1, 1).heard
    job = told["data"].pop("job")
    assert told["data"] == entry.entry
    assert (job["id"], job["scenario"], job["status"]) == (job_id, "720p-h264", "pending")
    assert job["result"] is None


def test_a_completed_job_comes_with_a_summary_of_its_result(telling: Telling, receiver: Receiver) -> None:
    telling.webhook(receiver.url, events=["job_completed"])
    node_id = register(telling.farm)
    submit(telling.farm)
    finish(telling.farm, must_claim(telling.farm, node_id), metrics={"frames": 300})
    telling.until(lambda: receiver.got, "a request came")
    (request,) = receiver.got
    job = request.document["data"]["job"]
    assert job["status"] == "completed"
    assert job["result"]["metrics"] == {"frames": 300}
    assert set(job["result"]) == {"metrics", "analyzer_output", "warnings"}


def test_a_streams_key_is_told_to_no_receiver(telling: Telling, receiver: Receiver) -> None:
    telling.webhook(receiver.url)
    submit(telling.farm, input="rtmp://live.example.com/app/very-secret-key", parameters={"duration": 5})
    telling.until(lambda: receiver.got, "a request came")
    assert b"very-secret-key" not in b"".join(request.body for request in receiver.got)


def test_a_node_is_told_of_without_a_job(telling: Telling, receiver: Receiver) -> None:
    telling.webhook(receiver.url)
    node_id = register(telling.farm, credential="c" * 43)
    telling.until(lambda: receiver.got, "a request came")
    data = receiver.got[0].document["data"]
    assert (data["node_id"], data["job"]) == (node_id, None)
    assert "c" * 43 not in json.dumps(data)


def test_only_the_events_are_told_that_were_asked_for(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url, events=["job_canceled", "node_registered"])
    job_id = submit(telling.farm)
    register(telling.farm)
    telling.cancel(job_id)
    telling.until(lambda: len(receiver.got) == 2, "two requests came")
    assert receiver.types == ["node_registered", "job_canceled"]
    telling.until_told(webhook_id, receiver.seqs[-1])


def test_what_happens_to_tokens_and_webhooks_is_told_to_nobody(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url)
    telling.desk.rotate(OPERATOR, webhook_id, 60.0)
    telling.webhook(receiver.url)
    submit(telling.farm)
    telling.until(lambda: len(receiver.got) == 2, "each webhook was told")
    assert set(receiver.types) == {"job_submitted"}


def test_a_rotation_whose_answer_was_lost_can_be_repeated(telling: Telling, receiver: Receiver) -> None:
    webhook_id = telling.webhook(receiver.url)
    old = telling.secret(webhook_id)
    telling.desk.rotate(OPERATOR, webhook_id, 60.0)
    telling.desk.rotate(OPERATOR, webhook_id, 60.0)
    submit(telling.farm)
    telling.until(lambda: receiver.got, "a request came")
    assert is_signed(receiver.got[0], old)
    assert is_signed(receiver.got[0], telling.secret(webhook_id))


def test_a_stolen_secret_ends_at_once_and_many_rotations_make_no_long_header(
    telling: Telling, receiver: Receiver
) -> None:
    webhook_id = telling.webhook(receiver.url)
    for _ in range(10):
        telling.desk.rotate(OPERATOR, webhook_id, 60.0)
    old = telling.secret(webhook_id)
    submit(telling.farm)
    telling.until(lambda: len(receiver.got) == 1, "a request came")
    assert len(receiver.got[0].headers["webhook-signature"].split(" ")) == 5
    telling.desk.rotate(OPERATOR, webhook_id, 0.0)
    submit(telling.farm)
    telling.until(lambda: len(receiver.got) == 2, "a request came")
    assert not is_signed(receiver.got[1], old)
    assert len(receiver.got[1].headers["webhook-signature"].split(" ")) == 1


def test_a_request_is_signed_with_both_secrets_until_the_old_one_ends(
    telling: Telling, receiver: Receiver
) -> None:
    webhook_id = telling.webhook(receiver.url)
    old = telling.secret(webhook_id)
    telling.desk.rotate(OPERATOR, webhook_id, 60.0)
    new = telling.secret(webhook_id)
    assert old != new
    for expected, seconds in ((True, 59.0), (True, 1.0), (False, 0.0)):
        submit(telling.farm)
        telling.until(lambda: receiver.got, "a request came")
        request = receiver.got.pop()
        assert is_signed(request, new)
        assert is_signed(request, old) is expected
        telling.until_told(webhook_id, request.seq)
        telling.later(seconds)
