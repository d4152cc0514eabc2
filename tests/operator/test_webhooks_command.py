"""`ffrtmp webhooks` makes, shows, steers and removes webhooks, and waits for what comes of a test."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click.testing
import pytest

from master.operator.cli import main
from tests.masters import Master, start_master
from tests.webhooks.receiver import Receiver, is_signed, receiving


@pytest.fixture(scope="module")
def open_master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """One that may send to this machine."""
    environment = {"FFRTMP_ALLOW_PRIVATE_WEBHOOKS": "1"}
    running = start_master(tmp_path_factory.mktemp("webhooks") / "master", environment=environment)
    yield running
    assert running.stop() == 0
    assert "Traceback" not in running.log.read_text()


Ffrtmp = Callable[..., click.testing.Result]


@pytest.fixture
def ffrtmp(open_master: Master, tmp_path: Path) -> Ffrtmp:
    """The command in this process: it is called often, and takes long to load."""
    environment = {"HOME": str(tmp_path), "XDG_STATE_HOME": None, "FFRTMP_MASTER": open_master.url}

    def run(*arguments: str) -> click.testing.Result:
        return click.testing.CliRunner(env=environment).invoke(main, arguments)

    # The CA that is met first is trusted, and told of once.
    assert run("webhooks", "list").exit_code == 0
    return run


def document(ffrtmp: Ffrtmp, *arguments: str) -> Any:
    done = ffrtmp("-o", "json", *arguments)
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def webhook_id(ffrtmp: Ffrtmp, receiver: Receiver) -> Iterator[str]:
    made = document(ffrtmp, "webhooks", "create", receiver.url, "--event", "job_canceled")
    yield str(made["id"])
    ffrtmp("webhooks", "rm", made["id"])


def test_it_prints_the_secret_alone_and_a_test_is_signed_with_it(ffrtmp: Ffrtmp, receiver: Receiver) -> None:
    done = ffrtmp("webhooks", "create", receiver.url, "--name", "chat", "--event", "job_failed")
    assert done.exit_code == 0, done.stderr
    secret = done.stdout.strip()
    assert len(done.stdout.splitlines()) == 1
    assert secret not in done.stderr
    (made,) = (each for each in document(ffrtmp, "webhooks", "list") if each["name"] == "chat")
    tested = ffrtmp("webhooks", "test", made["id"][:8])
    assert "The receiver took it: 204" in tested.stdout
    assert is_signed(receiver.got[0], secret)
    assert ffrtmp("webhooks", "rm", made["id"][:8]).stdout == f"Webhook {made['id']} is removed.\n"


def test_a_test_that_is_not_taken_says_why_and_fails(
    ffrtmp: Ffrtmp, receiver: Receiver, webhook_id: str
) -> None:
    receiver.always = 418
    done = ffrtmp("webhooks", "test", webhook_id)
    assert done.exit_code != 0
    assert "the receiver did not take it: it answered 418" in done.stderr


def test_one_is_paused_listed_and_resumed(ffrtmp: Ffrtmp, webhook_id: str) -> None:
    assert ffrtmp("webhooks", "pause", webhook_id).stdout == (
        f"Webhook {webhook_id} is paused: an operator paused it.\n"
    )
    listed = ffrtmp("webhooks", "list").stdout
    assert f"{webhook_id}  127.0.0.1  paused" in listed
    assert "an operator paused it" in listed
    assert "goes on with event" in ffrtmp("webhooks", "resume", webhook_id).stdout
    assert "status: active" in ffrtmp("webhooks", "show", webhook_id[:8]).stdout


def test_csv_has_how_far_each_is_and_what_failed(ffrtmp: Ffrtmp, receiver: Receiver, webhook_id: str) -> None:
    receiver.always = 503
    ffrtmp("webhooks", "test", webhook_id)
    (row,) = csv.DictReader(ffrtmp("-o", "csv", "webhooks", "list").stdout.splitlines())
    assert (row["id"], row["status"], row["failures"]) == (webhook_id, "active", "0")
    assert (row["last_delivery.status_code"], row["last_delivery.error"]) == ("503", "it answered 503")
    (tried,) = csv.DictReader(ffrtmp("-o", "csv", "webhooks", "deliveries", webhook_id).stdout.splitlines())
    assert (tried["event"], tried["status_code"]) == ("test", "503")
    assert float(tried["duration_seconds"]) >= 0


def test_a_new_secret_is_printed_alone(ffrtmp: Ffrtmp, webhook_id: str) -> None:
    done = ffrtmp("webhooks", "rotate", webhook_id, "--overlap", "1h")
    assert done.stdout.startswith("whsec_")
    assert "The secret before holds until" in done.stderr
    assert ffrtmp("webhooks", "rotate", webhook_id, "--at-once").stdout not in ("", done.stdout)


def test_deliveries_are_listed_and_one_is_sent_again(
    ffrtmp: Ffrtmp, receiver: Receiver, webhook_id: str
) -> None:
    assert ffrtmp("webhooks", "deliveries", webhook_id).stderr == "Nothing was sent yet.\n"
    assert ffrtmp("webhooks", "test", webhook_id).exit_code == 0
    (first,) = document(ffrtmp, "webhooks", "deliveries", webhook_id)
    assert ffrtmp("webhooks", "deliveries", webhook_id).stdout.splitlines()[1].split()[:3] == [
        str(first["id"]),
        "test",
        "1",
    ]
    again = ffrtmp("webhooks", "replay", webhook_id, "--delivery", str(first["id"]))
    assert again.stdout == f"Webhook {webhook_id} is told again: delivery {first['id']}, once.\n"


@pytest.mark.parametrize("since", ["1", "30d", "2025-12-29T19:45:00Z"])
def test_all_since_a_number_or_a_time_is_told_again(ffrtmp: Ffrtmp, webhook_id: str, since: str) -> None:
    done = ffrtmp("webhooks", "replay", webhook_id, "--since", since)
    assert done.stdout == f"Webhook {webhook_id} is told again: event 1.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("create",),
        ("replay", "some"),
        ("replay", "some", "--since", "1", "--delivery", "1"),
        ("rotate", "some", "--overlap", "soon"),
        ("deliveries", "some", "--limit", "0"),
    ],
    ids=" ".join,
)
def test_bad_flags_are_usage_errors(ffrtmp: Ffrtmp, arguments: tuple[str, ...]) -> None:
    assert ffrtmp("webhooks", *arguments).exit_code == 2


def test_what_the_master_refuses_is_one_line(ffrtmp: Ffrtmp, webhook_id: str) -> None:
    for arguments in (("create", "ftp://x/"), ("show", "none"), ("replay", webhook_id, "--since", "later")):
        done = ffrtmp("webhooks", *arguments)
        assert done.exit_code != 0
        assert len(done.stderr.splitlines()) == 1
        assert "Traceback" not in done.stderr
