"""Logs: plain lines for people, or one JSON object on each line, with what it is about as fields.

Code logs with `logging.getLogger(__name__)` as everywhere. `about(job_id=…)` says for a block what all
lines within are about; `extra={"status": …}` says it for one line. Both know the names in `FIELDS`.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import MappingProxyType, TracebackType
from typing import Any

import click
from pythonjsonlogger.json import JsonFormatter

LOG_LEVELS = ("debug", "info", "warning", "error")
PEOPLE, JSON = "people", "json"
LOG_FORMATS = (PEOPLE, JSON)

FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "request_id": "the request that it is about, or that submitted the job",
        "job_id": "the job",
        "node_id": "the node",
        "attempt": "the attempt's number",
        "event": "what happened: `request`, or a name of the audit's events",
        "method": "the request's method",
        "route": "the address that was asked for, without ids: `/jobs/<job_id>`",
        "status": "the answer's HTTP status",
        "caller": "who asked, as the audit names it",
        "address": "where it called from",
        "duration_seconds": "how long it took",
    }
)
"""What a line may have besides its message: what other libraries attach to theirs stays out."""

_NOTHING: Mapping[str, Any] = MappingProxyType({})
_about: ContextVar[Mapping[str, Any]] = ContextVar("about", default=_NOTHING)


@contextmanager
def about(**fields: Any) -> Iterator[None]:
    """All that is logged in this block, by this thread, is about this. Unknown (None) is left out."""
    token = _about.set({**_about.get(), **{name: each for name, each in fields.items() if each is not None}})
    try:
        yield
    finally:
        _about.reset(token)


def fields_of(record: logging.LogRecord) -> dict[str, Any]:
    """What a line is about, by the names in `FIELDS`."""
    said = {name: record.__dict__[name] for name in FIELDS if name in record.__dict__}
    return {name: value for name, value in {**_about.get(), **said}.items() if value is not None}


class PeopleFormatter(logging.Formatter):
    """The message alone. What went wrong ends with the request's id, to be looked for elsewhere."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - its name is logging's
        """logging's hook."""
        line = super().formatMessage(record)
        request_id = fields_of(record).get("request_id") if record.levelno >= logging.WARNING else None
        return line if request_id is None else f"{line} [request {request_id}]"


class FieldsFormatter(JsonFormatter):
    """`time` (RFC 3339, UTC), `level`, `logger`, `message`, what it is about, and `exception`."""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        """The library's hook."""
        at = datetime.fromtimestamp(record.created, UTC)
        log_data["time"] = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        log_data["level"] = record.levelname.lower()
        log_data["logger"] = record.name
        log_data["message"] = record.message
        log_data.update(fields_of(record))
        if "exc_info" in message_dict:
            log_data["exception"] = message_dict["exc_info"]


def set_up_logging(level: str, form: str = PEOPLE) -> None:
    """Log to stderr from now on. Under systemd the journal adds the time to lines for people."""
    handler = logging.StreamHandler(sys.stderr)
    if form == JSON:
        handler.setFormatter(FieldsFormatter())
        sys.excepthook = _log_the_end
        threading.excepthook = _log_the_threads_end
    else:
        stamp = "" if _journal_reads_stderr() else "%(asctime)s "
        handler.setFormatter(PeopleFormatter(f"{stamp}%(message)s", datefmt="%H:%M:%S"))
    # What no line of ours has is not looked for (Python's "Optimization" of logging): it takes as long as
    # all the rest of a line.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def in_json() -> bool:
    """Whether what is said is read by a program."""
    return any(isinstance(each.formatter, FieldsFormatter) for each in logging.getLogger().handlers)


def tell(text: str, level: int = logging.INFO) -> None:
    """What the guide promises on stdout; where a program reads the log, a line of that."""
    if in_json():
        logging.getLogger(__name__).log(level, "%s", text)
        return
    click.echo(text)


def complain(program: str, sentence: str) -> None:
    """Why the program ends; at any log level."""
    if in_json():
        logging.getLogger(program).critical("%s", sentence)
        return
    click.echo(f"{program}: {sentence}", err=True)


def _log_the_end(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, traceback)
        return
    logging.getLogger(__name__).critical("the program made a mistake", exc_info=(kind, error, traceback))


def _log_the_threads_end(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        _log_the_end(ended.exc_type, ended.exc_value, ended.exc_traceback)


def _journal_reads_stderr() -> bool:
    """Whether stderr is systemd's journal; the variable alone may be inherited by a terminal."""
    if sys.stderr is None:
        return False
    try:
        status = os.fstat(sys.stderr.fileno())
    except OSError:  # it is no file of the system's
        return False
    return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
