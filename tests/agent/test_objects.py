"""Objects of an S3 server are fetched whole, with the node's own credentials, where the rules allow it."""

from __future__ import annotations

import io
import logging
import os
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent.inputs.fetch import Surroundings
from agent.inputs.remote import fetch_object
from agent.inputs.rules import InputFailedError, InputRules
from agent.inputs.source import open_input
from common.inputs import InputError, StoredObject, parse_host_pattern, parse_input
from tests.parts import missing

SECRET = "canary-secret-key"


@dataclass
class Store:
    """A server of buckets on loopback."""

    client: Any
    url: str

    def put(self, key: str, content: bytes) -> None:
        self.client.put_object(Bucket="films", Key=key, Body=content)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:  # here: they take seconds, which each process would spend that only collects tests
        import s3fs  # type: ignore[import-untyped]  # noqa: F401 - it publishes no type information
        from moto.server import ThreadedMotoServer
    except ImportError:
        missing("moto, a server of buckets, is not installed")
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    _, port = running.get_host_and_port()
    yield f"http://127.0.0.1:{port}"
    running.stop()


@pytest.fixture
def store(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Store:
    import boto3  # type: ignore[import-untyped]  # it publishes no type information

    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    client = boto3.client("s3")
    client.create_bucket(Bucket="films")
    return Store(client, server)


RULES = InputRules(hosts=(parse_host_pattern("s3://films"),), allow_private=True)


def fetched(key: str, rules: InputRules = RULES, abort: threading.Event | None = None, **how: Any) -> bytes:
    into = io.BytesIO()
    wanted = parse_input(f"s3://films/{key}")
    assert isinstance(wanted, StoredObject)
    size = fetch_object(wanted, rules, into, abort or threading.Event(), **how)
    assert size == len(into.getvalue())
    return into.getvalue()


def failure(key: str, rules: InputRules = RULES, **how: Any) -> tuple[str, str]:
    with pytest.raises(InputFailedError) as caught:
        fetched(key, rules, **how)
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize("key", ["a.mp4", "2024/a day %20+?#&.mp4", "/slash", "日本/😀", "..", "a//b"])
def test_an_object_is_fetched_under_its_very_name(store: Store, key: str) -> None:
    store.put(key, key.encode())
    assert fetched(key) == key.encode()


def test_many_pieces_are_one_whole(store: Store) -> None:
    content = os.urandom(1_000_003)
    store.put("large", content)
    assert fetched("large", chunk=65_536) == content


def test_it_is_an_open_file_that_has_no_name(store: Store, tmp_path: Path) -> None:
    store.put("a.mp4", b"film")
    with open_input("s3://films/a.mp4", RULES, tmp_path / "input", threading.Event()) as descriptor:
        assert os.read(descriptor, 100) == b"film"
        assert list(tmp_path.iterdir()) == []


def test_what_is_not_there_is_missing(store: Store) -> None:
    assert failure("nothing") == ("input_missing", "there is no such object in s3://films")


def test_an_empty_and_a_large_one_are_refused(store: Store) -> None:
    store.put("empty", b"")
    store.put("large", b"x" * 101)
    assert failure("empty")[0] == "input_invalid"
    rules = InputRules(hosts=RULES.hosts, allow_private=True, max_size=100)
    assert failure("large", rules) == (
        "input_invalid",
        "the object in s3://films is larger than 100 bytes (--max-input-size)",
    )


def test_a_bucket_that_is_not_allowed_is_not_asked(store: Store) -> None:
    rules = InputRules(
        hosts=(parse_host_pattern("s3://news"), parse_host_pattern("films")), allow_private=True
    )
    code, message = failure("a.mp4", rules)
    assert code == "input_refused"
    assert message == "this node may not fetch from s3://films; its operator can allow it with --input-host"


def test_a_store_at_a_private_address_needs_the_operators_word(store: Store) -> None:
    code, message = failure("a.mp4", InputRules(hosts=RULES.hosts))
    assert code == "input_refused"
    assert "127.0.0.1, which is not public" in message


def test_a_store_that_is_down_is_unreachable(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    assert failure("a.mp4")[0] == "input_unreachable"


def test_without_credentials_it_says_so(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nothing")
    code, message = failure("a.mp4")
    assert code == "input_refused"
    assert "may not be read with the credentials of this node" in message


def test_an_abort_and_a_rate_that_is_too_low_end_it(store: Store) -> None:
    store.put("a.mp4", b"film")
    abort = threading.Event()
    abort.set()
    with pytest.raises(InputFailedError, match="not wanted any more"):
        fetched("a.mp4", abort=abort)
    hour = iter(range(0, 1_000_000, 3600))
    slow = Surroundings(clock=lambda: float(next(hour)))
    assert "too slow" in failure("a.mp4", world=slow)[1]


def test_no_secret_is_logged_or_told(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    store.put("a.mp4", b"film")
    with caplog.at_level(logging.DEBUG):
        fetched("a.mp4")
        told = failure("nothing")[1]
    assert "Signature" not in caplog.text + told
    assert SECRET not in caplog.text + told


def test_an_agent_without_the_extra_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    code, message = failure("a.mp4")
    assert code == "input_refused"
    assert "its operator has to install the extra" in message


@pytest.mark.parametrize(
    "text",
    [
        "s3://films",
        "s3://films/",
        "s3://Films/a",
        "s3://u:p@films/a",
        "s3://fi/a",
        "s3://films:80/a",
        "s3:///a",
        "s3://films/" + "x" * 1025,
        "s3://films/a\nb",
        "gs://films/a",
    ],
)
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_input(text)
