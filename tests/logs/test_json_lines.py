"""With `--log-format json` each line is one JSON object, with what it is about as fields and nothing else."""

from __future__ import annotations

import json
import logging
import re
import threading
from typing import Any

import pytest

from common.logs import FIELDS, FieldsFormatter, PeopleFormatter, about

log = logging.getLogger("a.logger")


class Lines(logging.Handler):
    """Keeps what was logged, as `formatter` writes it at that moment."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


def lines(monkeypatch: pytest.MonkeyPatch, formatter: logging.Formatter) -> Lines:
    handler = Lines(formatter)
    monkeypatch.setattr(log, "handlers", [handler])
    monkeypatch.setattr(log, "level", logging.DEBUG)
    return handler


@pytest.fixture
def json_lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    return lines(monkeypatch, FieldsFormatter())


@pytest.fixture
def people_lines(monkeypatch: pytest.MonkeyPatch) -> Lines:
    return lines(monkeypatch, PeopleFormatter("%(message)s"))


def only(written: Lines) -> dict[str, Any]:
    (line,) = written.lines
    assert "\n" not in line
    document: dict[str, Any] = json.loads(line)
    return document


def test_a_line_has_time_level_logger_and_message(json_lines: Lines) -> None:
    log.info("%d jobs, and a\nline feed", 3)
    document = only(json_lines)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", document.pop("time"))
    assert document == {"level": "info", "logger": "a.logger", "message": "3 jobs, and a\nline feed"}


def test_what_a_line_is_about_is_a_field_for_as_long_as_the_block_lasts(json_lines: Lines) -> None:
    with about(request_id="r", job_id="j"), about(attempt=2, job_id=None):
        log.info("within", extra={"status": 201})
    log.info("after")
    within, after = map(json.loads, json_lines.lines)
    assert [within[name] for name in ("request_id", "job_id", "attempt", "status")] == ["r", "j", 2, 201]
    assert not FIELDS.keys() & after.keys()


def test_what_a_line_says_of_itself_is_nearer_than_its_block(json_lines: Lines) -> None:
    with about(node_id="of the block", job_id="j"):
        log.info("a line", extra={"node_id": "its own", "attempt": None})
    document = only(json_lines)
    assert (document["node_id"], document["job_id"]) == ("its own", "j")
    assert "attempt" not in document


def test_another_thread_is_about_something_else(json_lines: Lines) -> None:
    with about(job_id="j"):
        thread = threading.Thread(target=lambda: log.info("elsewhere"))
        thread.start()
        thread.join()
    assert "job_id" not in only(json_lines)


def test_what_libraries_attach_to_their_lines_stays_out(json_lines: Lines) -> None:
    log.info("a line", extra={"headers": {"Authorization": "Bearer x"}, "status": 200})
    assert only(json_lines).keys() == {"time", "level", "logger", "message", "status"}


def test_a_mistake_has_its_traceback_on_the_same_line(json_lines: Lines) -> None:
    try:
        int("no number")
    except ValueError:
        log.exception("it failed")
    document = only(json_lines)
    assert document["level"] == "error"
    assert document["exception"].startswith("Traceback")
    assert document["exception"].splitlines()[-1].startswith("ValueError: invalid literal")


def test_people_see_the_request_with_what_went_wrong_only(people_lines: Lines) -> None:
    with about(request_id="r-1"):
        log.info("all is well")
        log.warning("something is wrong")
    log.warning("something else")
    assert people_lines.lines == ["all is well", "something is wrong [request r-1]", "something else"]
