"""A host reads files of one family of jobs, there are never more than attempts, and idle ones end."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, cast

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.hosts.host import Host, HostError, UnwantedError
from agent.hosts.pool import Family, Hosts, family_of
from agent.runner import run_job
from agent.sandbox import Sandbox
from agent.task import Assignment
from tests.agent.conftest import wait_until
from tests.agent.hosted import Hosted

FILM = Assignment("job-1", "480p-h264", {"duration": 1}, "lease-1", 1, parent_id="film")
ALONE = Assignment("job-2", "480p-h264", {"duration": 1}, "lease-2", 1)


class Made:
    """Stands in for hosts, and knows what became of each."""

    def __init__(self) -> None:
        self.all: list[Made.One] = []

    class One:
        def __init__(self) -> None:
            self.good, self.ended = True, False

        def end(self) -> None:
            self.ended = True

    def start(self) -> Host:
        self.all.append(self.One())
        return cast(Host, self.all[-1])

    def ended(self) -> list[bool]:
        return [one.ended for one in self.all]


@pytest.fixture
def made() -> Made:
    return Made()


def ask(hosts: Hosts, made: Made, *families: str) -> list[Any]:
    """The hosts that one request of each got, one after another."""
    got = []
    for family in families:
        with hosts.lend(family, made.start) as host:
            got.append(host)
    return got


def test_a_family_gets_its_own_host_again_and_no_other_does(hosts: Hosts, made: Made) -> None:
    one, other, again, once_more = ask(hosts, made, "one", "other", "one", "other")
    assert (again, once_more) == (one, other)
    assert one is not other
    assert made.ended() == [False, False]


def test_two_at_once_have_two(hosts: Hosts, made: Made) -> None:
    with hosts.lend("film", made.start) as one, hosts.lend("film", made.start) as other:
        assert one is not other
    assert hosts.waiting() == ["film", "film"]


def test_there_are_never_more_than_attempts_at_once(hosts: Hosts, made: Made) -> None:
    ask(hosts, made, "one", "two", "three")
    assert hosts.waiting() == ["two", "three"]
    assert made.ended() == [True, False, False]
    with hosts.lend("four", made.start), hosts.lend("five", made.start):
        assert hosts.waiting() == []
    assert sorted(hosts.waiting()) == ["five", "four"]


def test_one_that_is_not_good_any_more_is_ended(hosts: Hosts, made: Made) -> None:
    with hosts.lend("film", made.start):
        made.all[0].good = False
    assert (made.ended(), hosts.waiting()) == ([True], [])


def test_one_that_waits_for_long_is_ended(made: Made) -> None:
    hosts = Hosts(2, idle=0.05)
    for _ in range(2):  # who ends them ends too, when there are none, and comes again
        ask(hosts, made, "film", "other")
        assert wait_until(lambda: hosts.waiting() == [])
        assert wait_until(lambda: all(made.ended()))
    assert len(made.all) == 4


def test_the_time_is_counted_from_its_last_request(made: Made) -> None:
    hosts = Hosts(2, idle=3600)
    ask(hosts, made, "film")
    assert hosts.waiting() == ["film"]
    hosts.close()
    assert made.ended() == [True]


def test_at_the_end_all_end_and_one_that_is_asked_when_it_is_given_back(made: Made) -> None:
    hosts = Hosts(2)
    ask(hosts, made, "one")
    with hosts.lend("two", made.start):
        hosts.close()
        assert made.ended() == [True, False]
    assert made.ended() == [True, True]


def test_one_that_cannot_be_started_takes_no_place(hosts: Hosts, made: Made) -> None:
    def fail() -> Host:
        raise OSError("no memory")

    for _ in range(3):
        with pytest.raises(OSError, match="no memory"), hosts.lend("film", fail):
            pass
    ask(hosts, made, "one", "two")
    assert hosts.waiting() == ["one", "two"]


def test_where_hosts_fail_again_and_again_no_more_are_tried(hosts: Hosts, made: Made) -> None:
    def fail(error: HostError) -> None:
        with pytest.raises(HostError), hosts.lend("film", made.start):
            raise error

    for _ in range(2):
        for _ in range(2):
            fail(HostError("it does not answer"))
            fail(UnwantedError())
        assert hosts.work
        ask(hosts, made, "film")  # one that works is no failure
    for _ in range(3):
        fail(HostError("it does not answer"))
    assert not hosts.work


def test_without_hosts_that_work_files_are_read_all_the_same(
    spawner: Spawner, sandbox: Sandbox, hosts: Hosts, made: Made
) -> None:
    for _ in range(3):
        with pytest.raises(HostError), hosts.lend("film", made.start):
            raise HostError("it does not answer")
    assert Hosted(spawner, sandbox, hosts).says("say('done')") == ("done",)
    assert hosts.waiting() == ["film"]  # which was not asked


def test_parts_of_a_job_share_their_hosts(hosts: Hosts, made: Made) -> None:
    for assignment in (FILM, Assignment("job-9", "480p-h264", {}, "lease-9", 1, parent_id="film")):
        with family_of(hosts, assignment, Sandbox()) as sandbox:
            assert sandbox.family == Family(hosts, "film")
            with sandbox.family.lend(made.start):
                pass
    assert made.ended() == [False]


def test_those_of_a_job_without_parts_end_with_the_attempt(hosts: Hosts, made: Made) -> None:
    with family_of(hosts, ALONE, Sandbox()) as sandbox:
        assert sandbox.family == Family(hosts, "job-2")
        with sandbox.family.lend(made.start):
            pass
        assert hosts.waiting() == ["job-2"]
    assert made.ended() == [True]


@pytest.mark.parametrize(("assignment", "left"), [(FILM, ["film"]), (ALONE, [])])
def test_an_attempts_files_are_read_by_hosts(
    spawner: Spawner,
    sandbox: Sandbox,
    toolbox: Toolbox,
    hosts: Hosts,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    assignment: Assignment,
    left: list[str],
) -> None:
    lent = []
    lend = Hosts.lend

    def note(self: Hosts, family: str, start: Callable[[], Host]) -> AbstractContextManager[Host]:
        lent.append(family)
        return lend(self, family, start)

    monkeypatch.setattr(Hosts, "lend", note)
    report = run_job(
        assignment,
        "node-1",
        toolbox,
        spawner,
        tmp_path,
        lambda _progress, _lines: None,
        threading.Event(),
        sandbox=sandbox,
        hosts=hosts,
    )
    assert report is not None
    assert report.error is None
    assert set(lent) == {assignment.parent_id or assignment.job_id}
    assert hosts.waiting() == left
