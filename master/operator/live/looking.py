"""Looks at jobs again and again, also while the master is away for a while."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

import requests

from common.client import ApiError, MasterClient
from common.model import JobStatus
from common.trust import TrustError, causes

Document = dict[str, Any]
FINAL = tuple(status.value for status in JobStatus if status.final)
"""Of a job that is finished."""
INTERVAL = 1.0
"""Seconds between two looks: agents say every second or two how far they are."""
_ONE_BY_ONE = 20
"""Jobs that are asked for each by itself at every look; of more, those that run come from one list."""
_MOST_RUNNING = 1000
_SOON = 0.2
"""Seconds between a look and one that an event asks for."""
_Found = TypeVar("_Found")


class Away:
    """Whether the master answers, over many requests of which some fail."""

    def __init__(self) -> None:
        self.why: str | None = None
        """Why the last request had no answer; None: it had one."""

    def ask(self, question: Callable[[], _Found]) -> _Found | None:
        """The answer; None if the master is away for now. `ApiError`, `TrustError`: it stays so."""
        try:
            found = question()
        except ApiError as error:
            if not error.temporary:
                raise
            self.why = str(error)
            return None
        except TrustError:
            raise
        except (OSError, requests.RequestException) as error:
            # Whom to trust does not change by itself; a connection may break in the middle of TLS, too.
            if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in causes(error)):
                raise
            self.why = "the master does not answer"
            return None
        self.why = None
        return found


class Bell:
    """Rings when something happened on the farm, where the master tells that; else a look a second is all."""

    def __init__(self, client: MasterClient) -> None:
        self._rung = threading.Event()
        threading.Thread(target=self._listen, args=(client,), name="events", daemon=True).start()

    def wait(self, seconds: float) -> None:
        """Until it rings, or as long."""
        if self._rung.wait(seconds):
            self._rung.clear()

    def _listen(self, client: MasterClient) -> None:
        """A master that is older, or is away for good, rings no bell: nobody depends on it."""
        with suppress(ApiError, TrustError, OSError, requests.RequestException):
            for message in client.events():
                if message.name != "progress":
                    self._rung.set()


class Jobs:
    """Some jobs, as they were when somebody last looked, and the parts of those that were divided."""

    def __init__(self, client: MasterClient, ids: Sequence[str], known: Iterable[Document] = ()) -> None:
        """`known`: what was told of them already."""
        self._client = client
        self._ids = list(ids)
        self._documents = {job["id"]: job for job in known}
        self._turn = 0
        self.parts: dict[str, list[Document]] = {}
        """By the id of their parent."""

    @property
    def documents(self) -> list[Document]:
        """Those of which something is known, in their order."""
        return [self._documents[each] for each in self._ids if each in self._documents]

    @property
    def unfinished(self) -> list[str]:
        """The ids of those that are not known to be finished."""
        return [each for each in self._ids if not is_final(self._documents.get(each))]

    def look(self) -> None:
        """Ask for what can have changed. Raises what `MasterClient` does; earlier answers are kept."""
        wanted = self.unfinished
        if len(wanted) > _ONE_BY_ONE:
            wanted = self._of_many(wanted)
        for job_id in wanted:
            self._documents[job_id] = self._client.job(job_id)
            self._look_at_parts(self._documents[job_id])

    def _of_many(self, wanted: Sequence[str]) -> list[str]:
        """Takes those that run from a list; the ids that have still to be asked for, which are few."""
        ran = {each for each in wanted if self._documents.get(each, {}).get("status") == JobStatus.RUNNING}
        listed = {job["id"]: job for job in islice(self._client.jobs("running"), _MOST_RUNNING)}
        for job_id in wanted:
            if job_id in listed:
                self._documents[job_id] = listed[job_id]
        ended = [each for each in wanted if each in ran and each not in listed]
        others = [each for each in wanted if each not in ran and each not in listed]
        start = self._turn % len(others) if others else 0
        self._turn += _ONE_BY_ONE
        return [*ended, *[*others[start:], *others[:start]][:_ONE_BY_ONE]]

    def _look_at_parts(self, job: Document) -> None:
        divided = job.get("stage", "encode") != "encode" or "target_vmaf" in job["parameters"]
        if divided and (job["id"] not in self.parts or not is_final(job)):
            self.parts[job["id"]] = list(self._client.jobs(parent_id=job["id"]))


def is_final(job: Document | None) -> bool:
    """Whether a job is known to be finished."""
    return job is not None and job["status"] in FINAL


def pause(bell: Bell, sleep: Callable[[float], None]) -> None:
    """Until it is worth looking again."""
    bell.wait(INTERVAL - _SOON)
    sleep(_SOON)
