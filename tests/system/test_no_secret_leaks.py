"""No secret is where it does not belong: in logs, state, command lines, answers, a child's environment.

A farm does everything once, at the log level that says most, with secrets that are known here;
then each place is searched for each of them. Where one is kept on purpose is listed with it.
"""

from __future__ import annotations

import gzip
import os
import re
import secrets
import socket
import ssl
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.masters import Client, Master, start_master, wait_until
from tests.operator.conftest import Ffrtmp
from tests.system.farm import TINY, Agent, Farm, job_is, submit
from tests.system.standin import CRASH, StandIn

OUR_PROGRAMS = ("master.cli", "agent.cli", "operator.cli")
"""They are told of secrets by their environment; what they start is not."""


@dataclass(frozen=True, slots=True)
class Secret:
    """Something that only some may know."""

    name: str
    value: str
    kept_in: tuple[str, ...] = ()
    """The files that hold it on purpose, by the ends of their paths."""


def canary(name: str) -> str:
    """A secret that is like no other text."""
    return f"canary-{name}-{secrets.token_urlsafe(32)}"


OPERATOR = Secret("the operator token", canary("operator"), ("master/operator.token",))
ENVIRONMENT = Secret("a secret in the programs' environment", canary("environment"))
MISTYPED = Secret("what somebody took for a credential", canary("mistyped"))
CURL_NODE = Secret("the credential of a node that curl registered", canary("node"))


def all_secrets(master: Master, agent: Agent) -> list[Secret]:
    """Those above, and those that the programs have made. A new kind of secret is added here."""
    (identity,) = agent.state_dir.rglob("identity.json")
    found = re.search(r'"credential": "([^"]+)"', identity.read_text())
    assert found is not None
    made = [Secret("the agent's credential", found[1], ("identity.json",))]
    for key in sorted((master.state_dir / "tls").glob("*key*.pem")):
        line = key.read_text().splitlines()[1]  # of its base64
        made.append(Secret(f"the key in {key.name}", line, (f"master/tls/{key.name}",)))
    assert len(made) >= 3, "no key was found"
    return [OPERATOR, ENVIRONMENT, MISTYPED, CURL_NODE, *made]


@dataclass
class Seen:
    """What was seen of the farm while it was at work, by where."""

    answers: dict[str, str] = field(default_factory=dict)
    commands: dict[str, str] = field(default_factory=dict)
    environments: dict[str, str] = field(default_factory=dict)

    def note(self, answer: requests.Response, *_: Any, **__: Any) -> None:
        """A hook of requests."""
        where = f"{answer.request.method} {answer.request.url}: {answer.status_code} ({len(self.answers)})"
        self.answers[where] = f"{answer.headers}\n{answer.text}"

    def look_at_processes(self) -> None:
        for pid in [entry.name for entry in os.scandir("/proc") if entry.name.isdigit()]:
            with suppress(OSError):  # it has just ended
                command = _said_of(pid, "cmdline").replace("\0", " ")
                if not command or f"{pid}: {command}" in self.commands:
                    continue
                environment = _said_of(pid, "environ")
                if _said_of(pid, "cmdline").replace("\0", " ") != command:
                    continue  # it is just becoming another program; it is seen the next time
                self.commands[f"{pid}: {command}"] = command
                if not any(program in command for program in OUR_PROGRAMS):
                    self.environments[f"{pid}: {command}"] = environment


def _said_of(pid: str, what: str) -> str:
    """Read a hundred times a second for each process there is, so without what makes paths comfortable."""
    fd = os.open(f"/proc/{pid}/{what}", os.O_RDONLY)
    try:
        read = os.read(fd, 2**17)
        while len(read) % 4096 == 0 and (more := os.read(fd, 2**17)):
            read += more
        return read.decode(errors="replace")
    finally:
        os.close(fd)


@pytest.fixture
def seen() -> Iterator[Seen]:
    """Looks at all processes again and again."""
    seen, over = Seen(), threading.Event()

    def watch() -> None:
        while not over.wait(0.01):
            seen.look_at_processes()

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield seen
    finally:
        over.set()
        watcher.join()


@pytest.fixture
def master(tmp_path: Path) -> Iterator[Master]:
    """Says all it can, and asks for credentials. Not of a `Farm`: one of its requests fails on purpose."""
    (tmp_path / "master").mkdir(mode=0o700)
    (tmp_path / "master" / "operator.token").write_text(OPERATOR.value)
    environment = {"FFRTMP_CANARY": ENVIRONMENT.value}
    master = start_master(
        tmp_path / "master",
        environment=environment,
        prepare=None,
        log_level="debug",
        log_format="json",
        auth="required",
        retention="3s",
    )
    try:
        yield master
    finally:
        master.stop()


@pytest.fixture
def operator(master: Master, seen: Seen) -> Iterator[Client]:
    with master.client(OPERATOR.value) as client:
        client.hooks["response"] = seen.note
        yield client


def jobs_of_all_kinds(operator: Client, stand_in: StandIn) -> None:
    """One is completed, one fails, one is canceled; and so many wait that the journal is folded."""
    job_id = submit(operator, TINY)
    job_is(operator, job_id, "completed")
    operator.get(f"/jobs/{job_id}/logs")
    stand_in.misbehave_once(CRASH)
    job_is(operator, submit(operator, TINY, confidence="low"), "completed")
    operator.post(f"/jobs/{submit(operator, TINY, constraints={'gpu': True})}/cancel")
    # Large ones, so that few fill the journal.
    labels = {"nobody": "has-this", **{f"{'name' * 14}{n}": "value" * 12 for n in range(63)}}
    waiting = {"scenario": "720p-h264", "constraints": {"labels": labels}}
    for _ in range(3):
        assert operator.post("/jobs/batch", json={"jobs": [waiting] * 400}).ok


def mistakes_with_credentials(master: Master, seen: Seen) -> None:
    """Everything that somebody may do wrong with a secret in hand."""
    for header in (
        f"Bearer {MISTYPED.value}",
        f"Basic {MISTYPED.value}",
        MISTYPED.value,
        f"Bearer {CURL_NODE.value}",
    ):
        with master.client() as client:
            client.hooks["response"] = seen.note
            client.headers["Authorization"] = header
            client.get("/jobs")
            client.post("/jobs", json={"scenario": "720p-h264"})
            client.get("/nodes")
            client.get("/nothing")
            client.put("/jobs")


def bodies() -> Iterator[bytes]:
    """Registrations that are refused, with a credential inside."""
    secret = CURL_NODE.value
    yield f'{{"address": "n", "credential": "{secret}",}}'.encode()
    yield f'{{"address": "n", "credential": "{secret}'.encode()
    yield f'{{"address": "n", "credential": ["{secret}"]}}'.encode()
    yield f'{{"address": 5, "credential": "{secret}"}}'.encode()
    yield f'{{"address": "n", "credential": "{secret * 9}"}}'.encode()
    yield f'{{"address": "n", "credential": "{secret}", "credential": "{secret}"}}'.encode()
    yield f'{{"address": "n", "password": "{secret}"}}'.encode()
    yield f'{{"address": "n", "id": "{secret} ", "credential": "{secret}"}}'.encode()
    yield f'{{"address": "n", "type": "{secret}"}}'.encode()
    yield f'{{"address": "n", "credential": "{secret}", "has_gpu": NaN}}'.encode()
    yield f'"{secret}"'.encode()
    yield secret.encode() + b"\xff"


def mistakes_in_bodies(operator: Client, node_id: str) -> None:
    json = {"Content-Type": "application/json"}
    for body in bodies():
        for path in ("/nodes/register", "/jobs", "/jobs/batch", "/results", f"/nodes/{node_id}/heartbeat"):
            assert operator.post(path, data=body, headers=json).status_code in (400, 422), body
        operator.post("/nodes/register", data=body)
    operator.post("/nodes/register", json={"address": "n", "id": node_id, "credential": CURL_NODE.value})
    operator.post("/nodes/register", json={"address": "n", "credential": CURL_NODE.value})


def requests_that_are_none(master: Master, seen: Seen) -> None:
    """Bytes that only look like HTTP."""
    secret = MISTYPED.value
    for number, text in enumerate(
        (
            f"GET /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization Bearer {secret}\r\n\r\n",
            f"GET /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {secret}\0\r\n\r\n",
            f"GET /jobs HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer\r\n {secret}\r\n\r\n",
            f"GET /jobs HTTP/1.1\r\nHost: localhost\r\n{secret}\r\n\r\n",
            f"GET /jobs HTTP/1.1\r\nHost: localhost\r\n({secret}): 1\r\n\r\n",
            f"GET /jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: {secret}\r\n\r\n",
            f"GET /jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: {secret}\r\n\r\n",
            f"GET /jobs HTTP/1.1\r\nHost: localhost\r\nExpect: {secret}\r\n\r\n",
            f"POST /jobs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n{secret}\r\n\r\n",
            f"GET /jobs {secret}\r\n\r\n",
            f"GET /jobs HTTP/{secret}\r\n\r\n",
            f"({secret}) /jobs HTTP/1.1\r\n\r\n",
            f"{secret}\r\n\r\n",
        )
    ):
        context = ssl.create_default_context(cafile=str(master.ca))
        with (
            socket.create_connection(("localhost", master.port), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
            suppress(OSError),
        ):
            connection.sendall(text.encode())
            seen.answers[f"request {number} that is none"] = connection.recv(65536).decode(errors="replace")


def a_fault(master: Master, operator: Client, job_id: str) -> None:
    """The master makes a mistake while it serves somebody: its log has the traceback."""
    (master.state_dir / "logs" / job_id[:2] / f"{job_id}.log").mkdir(parents=True)
    assert operator.get(f"/jobs/{job_id}/logs").status_code == 500


def what_people_type(ffrtmp: Ffrtmp, seen: Seen, master: Master, backup: Path) -> None:
    wrong = backup.with_name("a-wrong-token")
    wrong.write_text(MISTYPED.value)
    token = ("--token-file", str(master.state_dir / "operator.token"))
    here = ("--state-dir", str(master.state_dir))
    for command in (
        (*token, "nodes", "list"),
        (*token, "jobs", "submit", "720p-h264", "--label", "nobody=has-this"),
        (*token, "-o", "json", "audit"),
        (*token, "results", "--archive"),
        ("--token-file", str(wrong), "jobs", "list"),
        ("jobs", "list"),
        ("backup", str(backup), *here),
        ("journal", "check", *here),
    ):
        done = ffrtmp.process(*command, FFRTMP_CANARY=ENVIRONMENT.value)
        seen.answers[f"ffrtmp {command}"] = done.stdout + done.stderr
    wrong.unlink()
    assert backup.exists()


def files_under(folder: Path) -> Mapping[str, bytes]:
    """All files, unpacked; those of a tar archive by their names in it."""
    found: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if path.is_file() and path.name.endswith(".tar.gz"):
            with tarfile.open(path) as archive:
                for member in archive:
                    file = archive.extractfile(member)
                    if file is not None:
                        found[f"{path}:master/{member.name}"] = _unpacked(member.name, file.read())
        elif path.is_file():
            found[str(path)] = _unpacked(path.name, path.read_bytes())
    return found


def _unpacked(name: str, data: bytes) -> bytes:
    return gzip.decompress(data) if name.endswith(".gz") else data


@pytest.mark.timeout(300)
def test_no_secret_is_where_it_does_not_belong(
    tmp_path: Path, farm: Farm, master: Master, operator: Client, seen: Seen
) -> None:
    stand_in = StandIn(tmp_path)
    environment = {"IMAGEIO_FFMPEG_EXE": str(stand_in.path), "FFRTMP_CANARY": ENVIRONMENT.value}
    agent = farm.agent(
        master, "--log-level=debug", "--log-format=json", environment=environment, program=True
    )
    agent.says("Registered with")
    operator.post(f"/nodes/{agent.node_id}/approve")
    jobs_of_all_kinds(operator, stand_in)
    mistakes_with_credentials(master, seen)
    mistakes_in_bodies(operator, agent.node_id)
    requests_that_are_none(master, seen)
    a_fault(master, operator, submit(operator, TINY, constraints={"gpu": True}))
    what_people_type(Ffrtmp(master.url, tmp_path / "home"), seen, master, tmp_path / "backup.tar.gz")
    wait_until(lambda: list((master.state_dir / "audit").glob("*.gz")), "the journal was folded")
    wait_until(lambda: list((master.state_dir / "archive").glob("*.gz")), "a job was archived")
    known = all_secrets(master, agent)
    agent.process.terminate()
    agent.ends()
    master.stop()

    places = {where: text.encode() for where, text in (seen.answers | seen.commands).items()}
    places |= {f"environment of {where}": text.encode() for where, text in dict(seen.environments).items()}
    files = files_under(tmp_path)
    leaks = [
        f"{secret.name} is in {where}"
        for where, content in (places | dict(files)).items()
        for secret in known
        if secret.value.encode() in content and not where.endswith(secret.kept_in or ("\0",))
    ]
    assert not leaks, "\n".join(leaks)
    # It was looked where it matters.
    for child in ("master.store.snapshot", "-progress"):
        assert any(child in where for where in seen.environments), f"no process with {child} was seen"
    for secret in known:
        kept = [where for where, content in files.items() if secret.value.encode() in content]
        assert len(kept) >= len(secret.kept_in), f"{secret.name} is not kept where it should be: {kept}"
    log = master.log.read_text()
    assert "Traceback" in log
    assert "refused GET /jobs from 127.0.0.1: unauthenticated" in log
