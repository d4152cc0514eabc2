"""Two real masters of one farm, of which one is killed: receivers, readers and people notice nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.api.corner import Corner, got
from tests.api.test_sessions import OURS, sign_in
from tests.databases import Server
from tests.live.listening import Listener, as_client
from tests.masters import Client, Master, start_master, wait_until
from tests.webhooks.receiver import Receiver, receiving

Start = Callable[[str], Master]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def masters(postgresql: Server, tmp_path: Path) -> Iterator[list[Master]]:
    url, started = postgresql.new_schema(), []
    environment = {"FFRTMP_ALLOW_PRIVATE_WEBHOOKS": "1"}
    for name in ("north", "south"):
        shared = tmp_path / "shared"
        flags = {"store": url, "shared_dir": shared, "lease": "1h", "heartbeat_timeout": "1h"}
        started.append(start_master(tmp_path / name, environment=environment, **flags))
    yield started
    for master in started:
        if master.process.poll() is None:
            assert master.stop() == 0
        assert "Traceback" not in master.log.read_text()


def submit(client: Client, count: int) -> None:
    for _ in range(count):
        got(client.post("/jobs", json={"scenario": "720p-h264"}), 201)


def test_webhooks_are_told_in_order_when_the_master_that_tells_them_is_killed(
    masters: list[Master], receiver: Receiver
) -> None:
    north, south = masters  # the first one tells
    with north.client() as here, south.client() as there:
        webhook = got(there.post("/webhooks", json={"url": receiver.url, "events": ["job_submitted"]}), 201)
        submit(here, 5)
        wait_until(lambda: receiver.got, "the first is told")
        submit(there, 5)
        north.kill()
        submit(there, 5)
        wait_until(lambda: len(set(receiver.seqs)) == 15, "all is told")
        tries = got(there.get(f"/webhooks/{webhook['id']}/deliveries"))["deliveries"]
    assert receiver.seqs == sorted(receiver.seqs), "an event overtook another"
    assert len(receiver.got) <= 16, "more came twice than what was under way"
    assert {each["seq"] for each in tries} == set(receiver.seqs)


def test_a_log_is_followed_and_a_session_goes_on_at_the_other_master(masters: list[Master]) -> None:
    north, south = masters
    with north.client() as here, south.client() as there:
        _, claimed = Corner(here).start()
        listener = Listener(as_client(south).follow_log(claimed["id"]))
        said = {"node_id": claimed["node_id"], "lease_id": claimed["lease_id"], "log": ["one"]}
        got(here.post(f"/jobs/{claimed['id']}/progress", json=said))
        listener.hears_of(line="one")
        got(Corner(here).report(claimed, log=["last words"]))
        assert [m.data for m in listener.ends()[1:]] == [{"line": "last words"}, {"status": "completed"}]
        sign_in(here, (north.state_dir.parent / "shared/operator.token").read_text().strip())
        there.cookies.update(here.cookies)
        north.kill()
        assert "Sign out" in there.get("/", headers=OURS).text
