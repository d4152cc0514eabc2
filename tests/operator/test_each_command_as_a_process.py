"""Each command of `ffrtmp`, as a process of its own, does what it is for and ends well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from master.operator.cli import main
from tests.api.corner import Corner
from tests.docs.test_flags import commands
from tests.masters import Client, Master, start_master
from tests.operator.conftest import Ffrtmp
from tests.webhooks.receiver import Receiver, receiving


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """One that may send to this machine."""
    environment = {"FFRTMP_ALLOW_PRIVATE_WEBHOOKS": "1"}
    running = start_master(tmp_path_factory.mktemp("processes") / "state", environment=environment)
    yield running
    assert running.stop() == 0


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


class World:
    """What a command can be about, made when it is asked for."""

    def __init__(self, client: Client, ffrtmp: Ffrtmp, receiver: Receiver, state_dir: Path) -> None:
        self._corner, self._ffrtmp = Corner(client), ffrtmp
        self.hook = receiver.url
        self.folder = Path(ffrtmp.environment["HOME"])
        self.state_dir = f"--state-dir={state_dir}"

    def did(self, *arguments: str) -> str:
        """The id, or the name, of what a command made before."""
        done = self._ffrtmp(*arguments, "-q")
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def job(self) -> str:
        return str(self._corner.submit()["id"])

    def finished(self) -> str:
        _, claimed = self._corner.start()
        self._corner.report(claimed, metrics={"speed": 2.0, "duration": 10})
        return str(claimed["id"])

    def node(self) -> str:
        return str(self._corner.register(address="a-node")["id"])

    def token(self) -> str:
        return self.did("tokens", "create", "--role=viewer")

    def webhook(self) -> str:
        return self.did("webhooks", "create", self.hook, "--event=job_canceled")

    def context(self) -> str:
        assert self._ffrtmp("config", "set", "here", "--master=https://localhost:1").returncode == 0
        return "here"

    def file(self, text: str) -> str:
        path = self.folder / "a file"
        path.write_text(text)
        return str(path)

    def stored(self, text: str) -> str:
        return self.did("files", "put", self.file(text))


Typed = Callable[[World], list[str]]
CASES: dict[str, tuple[Typed, str]] = {
    "audit": (lambda _: [], "FROM"),
    "backup": (lambda w: [str(w.folder / "b.tgz"), w.state_dir], "Backed up and read back"),
    "completion": (lambda _: ["bash"], "_FFRTMP_COMPLETE"),
    "config contexts": (lambda w: [w.context()][1:], "here"),
    "config path": (lambda _: [], "config.yaml"),
    "config set": (lambda _: ["new", "--master=https://localhost:1"], "Context new is kept"),
    "config show": (lambda _: [], "https://localhost:"),
    "config unset": (lambda w: [w.context()], "Context here is forgotten"),
    "config use": (lambda w: [w.context()], "From now on: here"),
    "doctor": (lambda _: [], "version: both have"),
    "files get": (lambda w: [w.stored("got"), f"--to={w.folder / 'copy'}"], "/copy"),
    "files list": (lambda w: [w.stored("listed")][1:], "a file"),
    "files put": (lambda w: [w.file("put")], "file:"),
    "files rm": (lambda w: [w.stored("removed")], "is removed"),
    "jobs batch": (lambda w: [w.file('{"scenario": "480p-h264"}')], "-"),
    "jobs cancel": (lambda w: [w.job()], "is canceled"),
    "jobs list": (lambda w: [w.job()][1:], "720p-h264"),
    "jobs logs": (lambda w: [w.finished()], ""),
    "jobs pause": (lambda w: [w.job()], "is paused"),
    "jobs resume": (lambda w: [w.job()], "it is pending"),
    "jobs retry": (lambda w: [w.finished()], "-"),
    "jobs show": (lambda w: [w.job()], "scenario: 720p-h264"),
    "jobs submit": (lambda _: ["480p-h264"], "-"),
    "jobs watch": (lambda w: [w.finished()], "completed"),
    "journal check": (lambda w: [w.state_dir], "The journal is sound"),
    "matrix": (lambda w: [w.file("name: m\nscenarios: [480p-h264]\nbitrates: [1M]\n")], "1 pending"),
    "nodes approve": (lambda w: [w.node()], "a-node"),
    "nodes drain": (lambda w: [w.node()], "a-node"),
    "nodes list": (lambda w: [w.node()][1:], "a-node"),
    "nodes resume": (lambda w: [w.node()], "a-node"),
    "nodes revoke": (lambda w: [w.node()], "a-node"),
    "nodes rm": (lambda w: [w.node()], "removed"),
    "nodes show": (lambda w: [w.node()], "address: a-node"),
    "queue pause": (lambda _: [], "paused"),
    "queue resume": (lambda _: [], "The queue"),
    "queue show": (lambda _: [], "paused"),
    "report": (lambda w: [w.finished(), "-o-", "--format=csv"], "h264"),
    "results": (lambda w: [w.finished()], "metrics:"),
    "scenarios": (lambda _: [], "480p-h264"),
    "tokens create": (lambda _: [], "ffrtmp1."),
    "tokens list": (lambda w: [w.token()][1:], "viewer"),
    "tokens revoke": (lambda w: [w.token()], "is revoked"),
    "top": (lambda _: [], "ffrtmp top  localhost:"),
    "watch": (lambda w: [str(Path(w.file("a film")).parent), "--once", "--scenario=480p-h264"], "a file"),
    "webhooks create": (lambda w: [w.hook, "--event=job_failed"], "whsec_"),
    "webhooks deliveries": (lambda w: [w.webhook()], ""),
    "webhooks list": (lambda w: [w.webhook()][1:], "active"),
    "webhooks pause": (lambda w: [w.webhook()], "paused"),
    "webhooks replay": (lambda w: [w.webhook(), "--since=2026-01-01T00:00:00Z"], "told again"),
    "webhooks resume": (lambda w: [w.webhook()], "goes on"),
    "webhooks rm": (lambda w: [w.webhook()], "is removed"),
    "webhooks rotate": (lambda w: [w.webhook(), "--at-once"], "whsec_"),
    "webhooks show": (lambda w: [w.webhook()], "status: active"),
    "webhooks test": (lambda w: [w.webhook()], ""),
}
"""For each command what is typed behind it, and what it prints among other things."""
ELSEWHERE = {"journal repair", "migrate", "status"}
"""`test_journal_command` and `test_migrate_command` (the master is stopped), and `test_status_command` (the
exit code is the answer)."""


def test_no_command_is_left_out() -> None:
    known = {" ".join(path) for path, each in commands(main) if path and not isinstance(each, click.Group)}
    assert known == CASES.keys() | ELSEWHERE


@pytest.mark.parametrize("command", CASES)
def test_it_does_what_it_is_for_and_ends_well(
    command: str, client: Client, ffrtmp: Ffrtmp, receiver: Receiver, master: Master
) -> None:
    typed, said = CASES[command]
    done = ffrtmp.process(*command.split(), *typed(World(client, ffrtmp, receiver, master.state_dir)))
    assert (done.returncode, said in done.stdout, "Traceback" in done.stderr) == (0, True, False), done
