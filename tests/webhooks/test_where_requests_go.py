"""No request goes to a private address, to one that was not judged, or to where a redirect leads."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from common import problems
from common.inputs import parse_url
from common.problems import Problem
from master.webhooks.post import Line, Outcome, Surroundings
from tests.agent.attacks.servers import (
    certificate,
    dripping,
    dripping_headers,
    endless,
    redirect,
    serving,
    whole,
)
from tests.core.support import OPERATOR
from tests.webhooks.conftest import Telling

PUBLIC, OWN = "93.184.215.14", "93.184.215.99"
BODY = b'{"type":"test"}'


@dataclass
class World:
    """Names that mean what the test says, and a network in which all addresses lead to one server."""

    port: int = 9
    answers: list[list[str]] = field(default_factory=lambda: [[PUBLIC]])
    """What the name leads to, one after the other; the last one stays."""
    connected: list[str] = field(default_factory=list)
    allow_private: bool = False
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context
    total: float = 20.0

    def send(self, url: str) -> Outcome:
        with Line(self.surroundings()) as line:
            return line.post(parse_url(url), {"X": "1"}, BODY)

    def surroundings(self) -> Surroundings:
        return Surroundings(
            self.allow_private,
            resolve=self._resolve,
            own_addresses=lambda: [OWN],
            connect=self._connect,
            context=self.context,
            total=self.total,
        )

    def _resolve(self, host: str, port: int) -> Sequence[str]:
        if host[0].isdigit() or ":" in host:
            return [host]
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def _connect(self, address: str, port: int, timeout: float) -> socket.socket:
        self.connected.append(f"{address}:{port}")
        return socket.create_connection(("127.0.0.1", self.port), timeout)


PRIVATE = [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1",
    "fd00:ec2::254", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::", OWN,
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused_when_it_is_sent_to(address: str) -> None:
    world = World(answers=[[address]])
    outcome = world.send("https://hooks.example.com/")
    assert "which is not public" in str(outcome.error)
    assert "--allow-private-webhooks" in str(outcome.error)
    assert world.connected == []


@pytest.mark.parametrize("address", PRIVATE)
def test_a_private_address_is_refused_when_a_webhook_is_made(telling: Telling, address: str) -> None:
    world = World(answers=[[address]])
    telling.desk._world = world.surroundings()
    literal = f"[{address}]" if ":" in address else address
    for url in ("https://hooks.example.com/", f"https://{literal}/", f"https://{literal}:8443/a?b=c"):
        with pytest.raises(Problem) as refused:
            telling.webhook(url)
        assert refused.value.type is problems.INVALID
        assert refused.value.extra["errors"][0]["field"] == "url"
    assert telling.desk.all_webhooks() == []


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example.com/",
        "https://user:password@hooks.example.com/",
        "https://hooks.example.com/#part",
        "https://0x7f000001/",
        "https://127.1/",
        "https://2130706433/",
        "https://hooks.example.com:0/",
        "https://hooks.example.com\\@127.0.0.1/",
        "https:///",
        "ftp://hooks.example.com/",
        "file:///etc/passwd",
        "hooks.example.com",
    ],
)
def test_what_is_no_https_url_of_a_host_is_refused(telling: Telling, url: str) -> None:
    telling.desk._world = World().surroundings()
    with pytest.raises(Problem) as refused:
        telling.webhook(url)
    assert refused.value.type is problems.INVALID


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    world = World(answers=[[PUBLIC, "10.0.0.1"]])
    assert "10.0.0.1" in str(world.send("https://hooks.example.com/").error)
    assert world.connected == []


def test_a_name_that_changes_its_mind_is_judged_anew_each_time_and_asked_once(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path, ["hooks.example.com"])
    with serving(whole(b""), context) as server:
        world = World(server.port, answers=[[PUBLIC], ["127.0.0.1"]])
        world.context = lambda: ssl.create_default_context(cafile=str(trusted))
        # Asked twice for one request, the name would have led to this machine.
        assert world.send("https://hooks.example.com/").taken
        assert world.connected == [f"{PUBLIC}:443"]
        assert "127.0.0.1" in str(world.send("https://hooks.example.com/").error)
        assert world.connected == [f"{PUBLIC}:443"]


def test_the_certificate_must_be_for_the_hosts_name_whatever_its_address(tmp_path: Path) -> None:
    context, trusted = certificate(tmp_path, ["other.example.com"])
    with serving(whole(b""), context) as server:
        world = World(server.port, context=lambda: ssl.create_default_context(cafile=str(trusted)))
        outcome = world.send("https://hooks.example.com/")
        assert "certificate is not trusted" in str(outcome.error)
        assert server.asked == []
        assert world.send("https://other.example.com/").taken


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    context, _ = certificate(tmp_path, ["hooks.example.com"])
    with serving(whole(b""), context) as server:
        assert "is not trusted" in str(World(server.port).send("https://hooks.example.com/").error)
        assert server.asked == []


def test_http_is_for_private_addresses_that_are_allowed_only() -> None:
    with serving(whole(b"")) as server:
        world = World(server.port, answers=[["10.0.0.1"]], allow_private=True)
        assert world.send(f"http://hooks.example.com:{server.port}/").taken
        world.answers = [[PUBLIC]]
        assert "use https there" in str(world.send("http://hooks.example.com/").error)
        assert len(server.asked) == 1


def test_a_redirect_is_a_failure_and_nobody_goes_there() -> None:
    with serving(whole(b"")) as inside, serving(redirect(f"http://127.0.0.1:{inside.port}/")) as server:
        world = World(server.port, answers=[["10.0.0.1"]], allow_private=True)
        outcome = world.send("http://hooks.example.com/")
        assert outcome.status == 302
        assert "redirects are not followed" in str(outcome.error)
        assert inside.asked == []


def test_the_request_is_what_was_meant(tmp_path: Path) -> None:
    with serving(whole(b"")) as server:
        world = World(server.port, answers=[["10.0.0.1"]], allow_private=True)
        assert world.send("http://hooks.example.com:8080/a%20b?c=d").taken
        (request,) = server.asked
        assert request.startswith("POST /a%20b?c=d HTTP/1.1\r\n")
        assert "\r\nHost: hooks.example.com:8080\r\n" in request
        assert f"\r\nContent-Length: {len(BODY)}\r\n" in request


@pytest.mark.parametrize("answer", [dripping_headers, dripping], ids=["headers", "body"])
def test_an_answer_that_drips_ends_when_the_time_is_over(answer: Callable[[str], object]) -> None:
    with serving(answer) as server:  # type: ignore[arg-type]
        world = World(server.port, answers=[["10.0.0.1"]], allow_private=True, total=0.3)
        outcome = world.send("http://hooks.example.com/")
        assert outcome.taken  # the status came, and says it all
        assert outcome.duration < 10


def test_a_receiver_that_never_answers_is_left_when_the_time_is_over() -> None:
    over = threading.Event()
    with serving(lambda _: iter([b"late"] * over.wait(10))) as server:
        world = World(server.port, answers=[["10.0.0.1"]], allow_private=True, total=0.3)
        outcome = world.send("http://hooks.example.com/")
        over.set()
        assert outcome.status is None
        assert not outcome.taken


def test_an_answer_that_never_ends_is_read_no_further_than_it_matters() -> None:
    with serving(endless) as server:
        world = World(server.port, answers=[["10.0.0.1"]], allow_private=True)
        assert world.send("http://hooks.example.com/").taken


@pytest.mark.parametrize("line", [b"SSH-2.0-OpenSSH_9.2 secret\r\n\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b""])
def test_what_another_service_says_is_kept_nowhere(line: bytes) -> None:
    with serving(lambda _: iter([line])) as server:
        world = World(server.port, answers=[["10.0.0.1"]], allow_private=True)
        outcome = world.send("http://hooks.example.com/")
        assert outcome.error == "it did not answer in HTTP, or not in time"
        assert outcome.status is None


def test_nothing_of_the_environment_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(whole(b"")) as proxy, serving(whole(b"")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        world = World(server.port, answers=[["10.0.0.1"]], allow_private=True)
        assert world.send("http://hooks.example.com/").taken
        assert proxy.asked == []


def test_a_name_that_cannot_be_found_is_told_as_such() -> None:
    def nowhere(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")

    surroundings = replace(World().surroundings(), resolve=nowhere)
    with Line(surroundings) as line:
        outcome = line.post(parse_url("https://hooks.example.com/"), {}, BODY)
    assert "cannot be resolved" in str(outcome.error)


def test_there_are_fifty_webhooks_at_most(telling: Telling) -> None:
    telling.desk._world = World().surroundings()
    ids = [telling.webhook("https://hooks.example.com/") for _ in range(50)]
    with pytest.raises(Problem) as refused:
        telling.webhook("https://hooks.example.com/")
    assert refused.value.type is problems.TOO_MANY
    telling.desk.remove(OPERATOR, ids[0])
    telling.webhook("https://hooks.example.com/")
