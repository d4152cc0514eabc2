"""The receiver in docs/webhooks.md takes what the master sends, once, and nothing that anybody else does."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from master.webhooks import message
from tests.core.support import OPERATOR, submit
from tests.docs.tables import page
from tests.masters import free_port, wait_until
from tests.webhooks.conftest import Telling
from tests.webhooks.receiver import Receiver

PAGE = page("webhooks.md")


@contextmanager
def documented(secret: str, output: Path) -> Iterator[str]:
    """The example of the page as a program of its own; its URL."""
    (program,) = re.findall(r"```python\n(.+?)```", PAGE, flags=re.DOTALL)
    port = free_port()
    with output.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", program],
            env={**os.environ, "WEBHOOK_SECRET": secret, "PORT": str(port)},
            stdout=file,
            stderr=subprocess.DEVNULL,
        )
    try:
        url = f"http://127.0.0.1:{port}/"
        wait_until(lambda: _answers(url), "the receiver listens")
        yield url
    finally:
        process.kill()
        process.wait()


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).status_code == 501
    except requests.ConnectionError:
        return False


def test_it_takes_each_event_once_and_nothing_that_is_forged(
    telling: Telling, receivers: Callable[[], Receiver], tmp_path: Path
) -> None:
    # It is started with the secret of a webhook that has to be made first: for where it will listen.
    recorder = receivers()
    webhook_id = telling.webhook(recorder.url)
    submit(telling.farm)
    telling.until(lambda: recorder.got, "a request came")
    (request,) = recorder.got
    with documented(telling.secret(webhook_id), tmp_path / "printed") as url:
        statuses = [
            requests.post(url, data=body, headers=headers, timeout=10).status_code
            for body, headers in (
                (request.body, request.headers),
                (request.body, request.headers),
                (request.body + b" ", {**request.headers, "Content-Length": str(len(request.body) + 1)}),
                (request.body, {**request.headers, "webhook-timestamp": "1000"}),
                (request.body, {**request.headers, "webhook-signature": "v1,AAAA"}),
            )
        ]
    assert statuses == [204, 204, 401, 401, 401]
    (line,) = (tmp_path / "printed").read_text().splitlines()
    assert json.loads(line) == request.document


def test_it_takes_a_request_that_is_signed_with_two_secrets(
    telling: Telling, receivers: Callable[[], Receiver], tmp_path: Path
) -> None:
    recorder = receivers()
    webhook_id = telling.webhook(recorder.url)
    old = telling.secret(webhook_id)
    telling.desk.rotate(OPERATOR, webhook_id, 3600.0)
    submit(telling.farm)
    telling.until(lambda: recorder.got, "a request came")
    (request,) = recorder.got
    for number, secret in enumerate((old, telling.secret(webhook_id))):
        with documented(secret, tmp_path / f"printed-{number}") as url:
            assert requests.post(url, data=request.body, headers=request.headers, timeout=10).ok


def test_the_example_of_a_body_has_the_fields_that_are_sent(
    telling: Telling, receivers: Callable[[], Receiver]
) -> None:
    (example,) = (json.loads(block) for block in re.findall(r"```json\n(.+?)```", PAGE, flags=re.DOTALL))
    recorder = receivers()
    telling.webhook(recorder.url, events=["job_submitted"])
    submit(telling.farm)
    telling.until(lambda: recorder.got, "a request came")
    sent = recorder.got[0].document
    assert list(example) == list(sent)
    assert list(example["data"]) == list(sent["data"])
    assert list(example["data"]["job"]) == list(sent["data"]["job"])
    assert example["type"] in message.EVENTS
