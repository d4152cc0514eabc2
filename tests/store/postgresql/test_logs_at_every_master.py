"""A log that one master writes is followed at another: each line, once, and the last ones before the end."""

from __future__ import annotations

import json
import threading
from functools import partial

import pytest

from common.model import JobStatus
from common.sse import Event
from master.service import work
from tests.core.support import OPERATOR, job, must_claim, register, report, submit
from tests.store.postgresql.conftest import Masters, until
from tests.store.postgresql.listening import log_of, say


def is_line(event: Event, line: str) -> bool:
    return event.name == "line" and json.loads(event.data)["line"] == line


def test_lines_come_while_the_job_runs(sharing: Masters) -> None:
    first, second = sharing(2)
    submit(first)
    view = must_claim(first, register(first))
    ear = log_of(second, view.job)
    for line in ("one", "two"):
        say(first, view, None, line)
        ear.hears(partial(is_line, line=line))
    work.finish(first, OPERATOR, report(view), ["last", "words"])
    heard = ear.ends()
    assert [json.loads(each.data)["line"] for each in heard[:-1]] == ["one", "two", "last", "words"]
    assert (heard[-1].name, json.loads(heard[-1].data)) == ("end", {"status": "completed"})


def test_the_end_waits_for_lines_that_the_other_master_has_not_written_yet(
    sharing: Masters, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = sharing(2)
    submit(first)
    view = must_claim(first, register(first))
    say(first, view, None, "one")
    ear = log_of(second, view.job)
    ear.hears(partial(is_line, line="one"))
    go_on, append = threading.Event(), first.logs.append

    def slowly(job_id: str, lines: list[str]) -> None:
        assert go_on.wait(60)
        append(job_id, lines)

    monkeypatch.setattr(first.logs, "append", slowly)
    finishing = threading.Thread(target=lambda: work.finish(first, OPERATOR, report(view), ["last words"]))
    finishing.start()
    until(lambda: job(second, view.job.id).job.status is JobStatus.COMPLETED)
    until(lambda: second.feed.seq == first.feed.seq)
    assert second.logs.expects(view.job.id)
    assert [event.name for event in ear.heard] == ["line"]
    go_on.set()
    finishing.join()
    assert [event.name for event in ear.ends()] == ["line", "line", "end"]
    assert not second.logs.expects(view.job.id)
