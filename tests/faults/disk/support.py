"""Load that keeps account of what was acknowledged, and strace, which makes system calls fail."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from tests.masters import Client, Master, wait_until
from tests.parts import missing


class Load:
    """Clients of one master: each submits, claims and completes, over and over, whatever is answered.

    `jobs` and `results` were acknowledged: nothing of it may ever be missing.
    """

    def __init__(self, master: Master, clients: int = 3) -> None:
        self.jobs: set[str] = set()
        self.results: dict[str, int] = {}
        self.refused: list[requests.Response] = []
        self.refused_at: float | None = None
        """When the first refusal came, on the monotonic clock."""
        self.late: list[str] = []
        """What was acknowledged although it was asked after that."""
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._frames = 0
        self._clients = [master.client() for _ in range(clients)]
        self._threads = [threading.Thread(target=self._work, args=(each,)) for each in self._clients]

    def start(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def end(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()
        for client in self._clients:
            client.close()

    @property
    def acknowledged(self) -> int:
        return len(self.jobs) + len(self.results)

    def more(self, count: int, seconds: float = 30.0) -> None:
        """Wait until so much more was acknowledged."""
        enough = self.acknowledged + count
        wait_until(lambda: self.acknowledged >= enough, "the clients get on", seconds)

    def _work(self, client: Client) -> None:
        node: dict[str, Any] | None = None
        while not self._ended.is_set():
            node = node or self._ask(client, "POST", "/nodes/register", json={"address": "n"})
            job = self._ask(client, "POST", "/jobs", json={"scenario": "480p-h264"})
            if job is not None:
                self.jobs.add(job["id"])
            if node is not None:
                self._finish_one(client, node["id"])

    def _finish_one(self, client: Client, node_id: str) -> None:
        # No lease is known: one that was answered into the void is given again.
        claim = self._ask(client, "GET", "/jobs/next", params={"node_id": node_id, "leases": ""})
        if claim is None or claim["job"] is None:
            return
        with self._lock:
            self._frames += 1
            frames = self._frames
        job = claim["job"]
        lease = {"lease_id": job["lease_id"], "attempt": job["attempt"]}
        report = {"job_id": job["id"], "node_id": node_id, "metrics": {"frames": frames}, **lease}
        while not self._ended.is_set():
            if self._ask(client, "POST", "/results", json=report) is not None:
                self.results[job["id"]] = frames
                return

    def _ask(self, client: Client, method: str, path: str, **what: Any) -> dict[str, Any] | None:
        """What was acknowledged; None for a refusal, and where there was no answer."""
        asked = time.monotonic()
        try:
            answer = client.request(method, path, **what)
        except requests.RequestException:
            self._ended.wait(0.02)
            return None
        with self._lock:
            if not answer.ok:
                self.refused.append(answer)
                self.refused_at = self.refused_at or time.monotonic()
                self._ended.wait(0.02)
                return None
            if self.refused_at is not None and asked > self.refused_at:
                self.late.append(path)
        document: dict[str, Any] = answer.json()
        return document

    def is_all_there(self, master: Master) -> None:
        """Fails the test if anything acknowledged is missing, or was carried out twice."""
        with master.client() as client:
            for job_id in self.jobs | self.results.keys():
                answer = client.get(f"/jobs/{job_id}")
                assert answer.ok, f"job {job_id} was acknowledged: {answer.text}"
                outcomes = [attempt["outcome"] for attempt in answer.json()["attempts"]]
                assert outcomes.count("completed") <= 1
                if job_id in self.results:
                    result = client.get(f"/jobs/{job_id}/result").json()
                    assert result["metrics"]["frames"] == self.results[job_id]


def strace(*injections: str) -> list[str]:
    """The command that makes system calls fail, such as `fdatasync:error=EIO:when=3+`.

    strace counts the calls of each thread for itself.
    """
    if shutil.which("strace") is None:
        missing("strace is not installed")
    traced = ",".join(injection.split(":")[0] for injection in injections)
    return ["strace", "-f", "-e", f"trace={traced}", *(f"--inject={each}" for each in injections)]


@contextmanager
def injected(pid: int, *injections: str) -> Iterator[None]:
    """Let system calls of a running process fail."""
    with tempfile.NamedTemporaryFile(prefix="strace-") as log:
        tracer = subprocess.Popen([*strace(*injections), "-p", str(pid)], stderr=log)
        try:
            wait_until(lambda: b" attached" in Path(log.name).read_bytes(), "strace is attached")
            yield
        finally:
            tracer.terminate()
            tracer.wait(timeout=10)
