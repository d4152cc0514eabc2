"""The agent fetches from allowed hosts at public addresses only, and no server leads it elsewhere."""

from __future__ import annotations

import gzip
import io
import socket
import ssl
import threading
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from agent.inputs.fetch import Surroundings, fetch
from agent.inputs.rules import InputFailedError, InputRules
from common.inputs import parse_host_pattern, parse_url
from tests.agent.attacks.observe import listening
from tests.agent.attacks.servers import (
    Answer,
    certificate,
    dripping,
    dripping_headers,
    endless,
    redirect,
    serving,
    whole,
)

PUBLIC, OWN = "93.184.215.14", "93.184.215.99"


@dataclass
class World:
    """Names that mean what the test says, and a network in which all addresses lead to one server."""

    names: dict[str, list[list[str]]]
    """The answers for each name, one after the other; the last one stays. None of them: an error."""
    port: int
    asked: list[str] = field(default_factory=list)
    """The names that were looked up."""
    connected: list[str] = field(default_factory=list)
    """The addresses that were connected to."""
    grace: float = 30.0
    context: Callable[[], ssl.SSLContext] = ssl.create_default_context

    def surroundings(self) -> Surroundings:
        return Surroundings(
            resolve=self._resolve,
            own_addresses=lambda: [OWN],
            connect=self._connect,
            grace=self.grace,
            context=self.context,
        )

    def _resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.names.get(host, [[host]])  # an address is its own answer
        if not answers:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def _connect(self, address: str, port: int, timeout: float) -> socket.socket:
        self.connected.append(f"{address}:{port}")
        return socket.create_connection(("127.0.0.1", self.port), timeout)


def rules(*hosts: str, private: bool = False, most: int = 10**9) -> InputRules:
    return InputRules({}, tuple(parse_host_pattern(host) for host in hosts), private, most)


def attempt(url: str, allowed: InputRules, world: World) -> bytes:
    into = io.BytesIO()
    fetch(parse_url(url), allowed, into, threading.Event(), world.surroundings())
    return into.getvalue()


def refusal(url: str, allowed: InputRules, world: World) -> InputFailedError:
    with pytest.raises(InputFailedError) as caught:
        attempt(url, allowed, world)
    return caught.value


PRIVATE = {
    "loopback": "127.0.0.1",
    "the rest of loopback": "127.255.255.254",
    "this host": "0.0.0.0",
    "this network": "0.1.2.3",
    "private 10": "10.0.0.1",
    "private 172": "172.31.255.1",
    "private 192": "192.168.0.1",
    "carrier": "100.64.0.1",
    "cloud metadata": "169.254.169.254",
    "benchmark": "198.18.0.1",
    "documentation": "192.0.2.1",
    "protocol assignments": "192.0.0.8",
    "6to4 relay": "192.88.99.1",
    "multicast": "224.0.0.1",
    "reserved": "240.0.0.1",
    "broadcast": "255.255.255.255",
    "our own public address": OWN,
    "IPv6 loopback": "::1",
    "IPv6 unspecified": "::",
    "IPv6 link-local": "fe80::1",
    "IPv6 link-local with a zone": "fe80::1%lo",
    "IPv6 site-local": "fec0::1",
    "IPv6 unique local": "fd00:ec2::254",
    "IPv6 multicast": "ff02::1",
    "IPv4-mapped": "::ffff:127.0.0.1",
    "IPv4-mapped in hexadecimal": "::ffff:7f00:1",
    "IPv4-compatible": "::127.0.0.1",
    "IPv4-translated": "::ffff:0:127.0.0.1",
    "NAT64": "64:ff9b::7f00:1",
    "local NAT64": "64:ff9b:1::7f00:1",
    "6to4": "2002:7f00:1::1",
    "Teredo": "2001:0:7f00:1::1",
    "ORCHID": "2001:20::1",
    "IPv6 documentation": "2001:db8::1",
    "IPv6 documentation, newer": "3fff::1",
    "discard": "100::1",
}


@pytest.mark.parametrize("address", PRIVATE.values(), ids=PRIVATE.keys())
def test_a_name_that_leads_to_an_address_that_is_not_public_is_not_connected_to(address: str) -> None:
    for answer in ([address], [PUBLIC, address]):
        world = World({"example.com": [answer]}, 9)
        refused = refusal("https://example.com/a", rules("example.com"), world)
        assert refused.code == "input_refused"
        assert "--allow-private-inputs" in str(refused)
        assert world.connected == []


LITERALS = ("https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/")


@pytest.mark.parametrize("url", [*LITERALS, "https://localhost./", "https://LOCALHOST/"])
def test_an_address_that_is_allowed_by_name_must_be_public_too(url: str) -> None:
    world = World({"localhost": [["127.0.0.1", "::1"]]}, 9)
    host = str(parse_url(url).origin)
    assert refusal(url, rules(host), world).code == "input_refused"
    assert world.connected == []


@pytest.mark.parametrize(
    "url",
    [
        "https://other.org/",
        "https://sub.example.com/",
        "https://notexample.com/",
        "https://example.com.evil.org/",
        "https://example.com:22/",
        "http://example.com/",
        "http://example.com:443/",
        "https://xn--exmple-cua.com/",
        "https://ex\u0430mple.com/",
    ],
)
def test_a_host_that_is_not_allowed_is_not_even_looked_up(url: str) -> None:
    world = World({}, 9)
    assert refusal(url, rules("example.com"), world).code == "input_refused"
    assert world.asked == []


def test_a_name_that_changes_its_mind_is_asked_once() -> None:
    with serving(whole(b"film")) as server:
        world = World({"example.com": [[PUBLIC], ["127.0.0.1"]]}, server.port)
        assert attempt("http://example.com/a", rules("http://example.com"), world) == b"film"
        assert world.connected == [f"{PUBLIC}:80"]


REDIRECTS = {
    "to loopback": "http://127.0.0.1/",
    "to a name at loopback": "http://private.example.com/",
    "to cloud metadata": "http://169.254.169.254/latest/meta-data/",
    "to another host": "http://other.org/",
    "to another port": "http://example.com:22/",
    "to another scheme": "https://example.com/",
    "without a scheme": "//127.0.0.1/",
    "to a decimal address": "http://2130706433/",
    "to a file": "file:///etc/passwd",
    "to gopher": "gopher://127.0.0.1:6379/_FLUSHALL",
    "to ftp": "ftp://example.com/",
    "to data": "data:video/mp4,AAAA",
    "with a password": "http://a:b@example.com/",
    "with a backslash": "http://example.com\\@127.0.0.1/",
    "to itself": "/a",
    "to nowhere": "",
}


@pytest.mark.parametrize("location", REDIRECTS.values(), ids=REDIRECTS.keys())
def test_a_redirect_is_judged_like_what_was_asked_for(location: str) -> None:
    with listening() as canary, serving(redirect(location)) as server:
        names = {"example.com": [[PUBLIC]], "private.example.com": [["127.0.0.1"]]}
        world = World(names, server.port)
        allowed = rules(
            "http://example.com", "http://*.example.com", "http://127.0.0.1", "http://169.254.169.254"
        )
        assert refusal("http://example.com/a", allowed, world).code == "input_refused"
        assert set(world.connected) == {f"{PUBLIC}:80"}
        assert len(world.connected) <= 6
        assert canary.connections == []


def test_a_redirect_within_the_rules_is_followed() -> None:
    def answer(path: str) -> Answer:
        return whole(b"film") if path == "/b?c=%20d" else redirect("http://cdn.example.com/b?c=%20d#e")

    with serving(lambda path: answer(path)(path)) as server:
        world = World({"example.com": [[PUBLIC]], "cdn.example.com": [[PUBLIC]]}, server.port)
        assert (
            attempt("http://example.com/ä", rules("http://example.com", "http://*.example.com"), world)
            == b"film"
        )
        assert server.asked[0].startswith("GET /%C3%A4 HTTP/1.1\r\nHost: example.com\r\n")
        assert server.asked[1].startswith("GET /b?c=%20d HTTP/1.1\r\nHost: cdn.example.com\r\n")


ANSWERS: dict[str, tuple[Answer, str, str]] = {
    "gzip": (whole(gzip.compress(bytes(10**7)), "Content-Encoding: gzip"), "input_invalid", "compressed"),
    "larger than allowed": (whole(bytes(200_001)), "input_invalid", "larger than 200000 bytes"),
    "endless": (endless, "input_invalid", "larger than 200000 bytes"),
    "shorter than it says": (whole(b"film", length=5000), "input_unreachable", "ended early"),
    "a terabyte by its header": (whole(b"film", length=10**12), "input_invalid", "larger"),
    "empty": (whole(b""), "input_invalid", "empty"),
    "not found": (whole(b"", status="404 Not Found"), "input_missing", "404 Not Found"),
    "gone": (whole(b"", status="410 Gone"), "input_missing", "410"),
    "forbidden": (whole(b"", status="403 Forbidden"), "input_refused", "403"),
    "password wanted": (
        whole(b"", 'WWW-Authenticate: Basic realm="a"', status="401 Unauthorized"), "input_refused", "401",
    ),
    "a part": (whole(b"film", status="206 Partial Content"), "input_refused", "206"),
    "broken": (whole(b"", status="500 Internal Server Error"), "input_unreachable", "500"),
    "busy": (whole(b"", status="429 Too Many Requests"), "input_unreachable", "429"),
    "no HTTP": (lambda _: iter([b"SSH-2.0-OpenSSH\r\n"]), "input_unreachable", ""),
    "nothing at all": (lambda _: iter([]), "input_unreachable", ""),
    "too many headers": (whole(b"film", *(f"X-{n}: a" for n in range(200))), "input_unreachable", ""),
    "a header too long": (whole(b"film", f"X: {'a' * 100_000}"), "input_unreachable", ""),
    "broken chunks": (
        lambda _: iter([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nfilm\r\n"]),
        "input_unreachable", "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
def test_an_answer_that_is_no_whole_file_fails_in_a_sentence(name: str) -> None:
    answer, code, words = ANSWERS[name]
    with serving(answer) as server:
        world = World({"example.com": [[PUBLIC]]}, server.port)
        refused = refusal("http://example.com/a", rules("http://example.com", most=200_000), world)
        assert refused.code == code, str(refused)
        assert "example.com" in str(refused)
        assert words in str(refused)


@pytest.mark.parametrize("answer", [dripping, dripping_headers])
def test_a_server_that_drips_is_cut_off(answer: Answer) -> None:
    with serving(answer) as server:
        world = World({"example.com": [[PUBLIC]]}, server.port, grace=0.5)
        begun = time.monotonic()
        refused = refusal("http://example.com/a", rules("http://example.com"), world)
        assert refused.code == "input_unreachable"
        assert "too slow" in str(refused)
        assert time.monotonic() - begun < 10


def test_a_transfer_ends_when_its_job_is_not_wanted_any_more() -> None:
    abort = threading.Event()
    with serving(dripping) as server:
        world = World({"example.com": [[PUBLIC]]}, server.port).surroundings()
        threading.Timer(0.3, abort.set).start()
        with pytest.raises(InputFailedError, match="not wanted any more"):
            fetch(parse_url("http://example.com/a"), rules("http://example.com"), io.BytesIO(), abort, world)


def test_memory_stays_flat(tmp_path: Path) -> None:
    def large(_path: str) -> Iterator[bytes]:
        yield b"HTTP/1.1 200 OK\r\nContent-Length: 104857600\r\n\r\n"
        yield from (bytes(1024**2) for _ in range(100))

    with serving(large) as server, (tmp_path / "film").open("wb") as into:
        world = World({"example.com": [[PUBLIC]]}, server.port).surroundings()
        tracemalloc.start()
        try:
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            fetch(
                parse_url("http://example.com/a"), rules("http://example.com"), into, threading.Event(), world
            )
            peak = tracemalloc.get_traced_memory()[1] - before
        finally:
            tracemalloc.stop()
    assert (tmp_path / "film").stat().st_size == 100 * 1024**2
    assert peak < 8 * 1024**2


def test_the_environment_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine example.com login a password b\n")
    netrc.chmod(0o600)
    with listening() as proxy, serving(whole(b"film")) as server:
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.setenv("HOME", str(tmp_path))
        monkeypatch.setenv("NETRC", str(netrc))
        world = World({"example.com": [[PUBLIC]]}, server.port)
        assert attempt("http://example.com/a", rules("http://example.com"), world) == b"film"
        assert proxy.connections == []
    assert "authorization" not in server.asked[0].lower()
    assert "cookie" not in server.asked[0].lower()


@pytest.mark.parametrize(
    ("names", "trusted", "words"),
    [
        (["example.com"], True, None),
        (["example.com"], False, "not trusted"),
        (["other.org"], True, "not trusted"),
        ([PUBLIC], True, "not trusted"),  # for the address, not for the name that was asked for
    ],
    ids=["its own", "unknown to us", "another name's", "its address's"],
)
def test_the_certificate_must_be_for_the_name(
    names: list[str], trusted: bool, words: str | None, tmp_path: Path
) -> None:
    context, file = certificate(tmp_path, names)
    with serving(whole(b"film"), context) as server:
        world = World({"example.com": [[PUBLIC]]}, server.port)
        if trusted:
            world.context = lambda: ssl.create_default_context(cafile=file)
        if words is None:
            assert attempt("https://example.com/a", rules("example.com"), world) == b"film"
            return
        refused = refusal("https://example.com/a", rules("example.com"), world)
        assert refused.code == "input_unreachable"
        assert words in str(refused)
        assert server.asked == []


def test_a_name_that_cannot_be_resolved_is_tried_again_later() -> None:
    world = World({"example.com": []}, 9)
    assert refusal("https://example.com/", rules("example.com"), world).code == "input_unreachable"


def test_private_addresses_can_be_allowed() -> None:
    with serving(whole(b"film")) as server:
        allowed = rules(f"http://127.0.0.1:{server.port}", private=True)
        into = io.BytesIO()
        assert fetch(parse_url(f"http://127.0.0.1:{server.port}/"), allowed, into, threading.Event()) == 4
        assert f"Host: 127.0.0.1:{server.port}\r\n" in server.asked[0]
