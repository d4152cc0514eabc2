"""The log of a job as it is written, line by line."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus

from common.client import ApiError, MasterClient
from master.operator.live.looking import INTERVAL, Away, is_final


def follow(client: MasterClient, job_id: str) -> Iterator[str]:
    """Its lines until the job is finished; a master that is away for a while is waited for.

    A master that is too old to send them as they come is asked again and again.
    """
    try:
        for message in client.follow_log(job_id):
            if message.name == "line":
                yield message.data["line"]
    except ApiError as error:
        if error.status not in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY):
            raise
        yield from _asked_for(client, job_id)


def _asked_for(client: MasterClient, job_id: str) -> Iterator[str]:
    away = Away()
    seen: Sequence[str] = ()
    while True:
        job = away.ask(lambda: client.job(job_id))  # before the log: what comes in between is in it then
        lines = None if job is None else away.ask(lambda: client.logs(job_id))
        if lines is not None:
            yield from new_lines(seen, lines)
            seen = lines
            if is_final(job):
                return
        time.sleep(INTERVAL)


def new_lines(seen: Sequence[str], now: Sequence[str]) -> Sequence[str]:
    """What is in the newest lines of a log `now` that was not in those that were `seen` before. Pure.

    Old lines go: what is common are the last ones that were seen, and the first ones that are there now.
    """
    for common in range(min(len(seen), len(now)), 0, -1):
        if list(seen[len(seen) - common :]) == list(now[:common]):
            return now[common:]
    return now
