"""What a job costs that is submitted, claimed and reported in batches: CPU time of the application alone.

    python bench/batch_cost.py [--together 100] [--rounds 30] [--profile PART]

One process calls the application as a server does, without sockets, TLS and clients; so the figures are
steady, and `--profile submit` (or claim, report) shows where the time goes. `bench/cycles.py` measures all.
"""

from __future__ import annotations

import argparse
import cProfile
import io
import json
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.apps import JOB
from bench.metrics_cost import TOKEN, application
from bench.playing import METRICS

App = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
NODE = "bench"
PARTS = ("submit", "claim", "report")


def called(app: App, method: str, target: str, body: bytes = b"") -> bytes:
    """The answer's body. ValueError if it is a refusal."""
    path, _, query = target.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": "localhost",
        "HTTP_AUTHORIZATION": f"Bearer {TOKEN}",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "https",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
    }
    said: list[str] = []
    answer = b"".join(app(environ, lambda status, _headers, *_how: said.append(status)))
    if not said[0].startswith("2"):
        raise ValueError(f"{method} {target}: {said[0]}: {answer.decode()}")
    return answer


class Cycle:
    """Batches of one size that go through all parts, one after the other."""

    def __init__(self, app: App, together: int) -> None:
        """It registers the node."""
        self._app = app
        self._together = together
        node = {"id": NODE, "address": NODE, "max_concurrent_jobs": together}
        called(app, "POST", "/nodes/register", json.dumps(node).encode())
        self._batch = json.dumps({"jobs": [json.loads(JOB)] * together}).encode()
        self._claimed: list[dict[str, Any]] = []

    def prepare(self, part: str) -> Callable[[], bytes]:
        """What is timed: one request, whose body is made before."""
        if part == "submit":
            return lambda: called(self._app, "POST", "/jobs/batch", self._batch)
        if part == "claim":
            return lambda: called(self._app, "GET", f"/jobs/next?node_id={NODE}&leases=&max={self._together}")
        reports = [
            {
                "job_id": job["id"],
                "node_id": NODE,
                "lease_id": job["lease_id"],
                "attempt": job["attempt"],
                "status": "completed",
                "metrics": METRICS,
            }
            for job in self._claimed
        ]
        body = json.dumps({"reports": reports}).encode()
        return lambda: called(self._app, "POST", "/results/batch", body)

    def check(self, part: str, answer: bytes) -> None:
        """ValueError unless all jobs of the batch went on."""
        document = json.loads(answer)
        if document["count"] != self._together:
            raise ValueError(f"{part}: {document['count']} of {self._together}")
        if part == "claim":
            self._claimed = document["jobs"]
        if part == "report" and any(each["problem"] for each in document["reports"]):
            raise ValueError("a report was refused")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--together", type=int, default=100, help="jobs in a batch")
    parser.add_argument("--rounds", type=int, default=30, help="batches")
    parser.add_argument("--profile", choices=PARTS, help="show where this part's time goes")
    parser.add_argument("--sort", default="tottime", help="of the profile: tottime or cumtime")
    parser.add_argument("--directory", type=Path, help="where the state is kept meanwhile")
    options = parser.parse_args()
    spent: dict[str, list[float]] = {part: [] for part in PARTS}
    profile = cProfile.Profile()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        cycle = Cycle(application(Path(directory), measured=True), options.together)
        for number in range(options.rounds + 3):
            for part in PARTS:
                request = cycle.prepare(part)
                profiled = part == options.profile and number > 2
                if profiled:
                    profile.enable()
                begun = time.process_time()
                answer = request()
                took = time.process_time() - begun
                if profiled:
                    profile.disable()
                cycle.check(part, answer)
                if number > 2:  # the first ones load what is loaded once
                    spent[part].append(took / options.together * 1e6)
    middles = {part: statistics.median(times) for part, times in spent.items()}
    print(f"CPU time of the application for each job, in batches of {options.together}")
    for part, middle in middles.items():
        print(f"{part:<8}{middle:9.1f} us   (least {min(spent[part]):.1f})")
    print(f"{'all':<8}{sum(middles.values()):9.1f} us")
    if options.profile:
        pstats.Stats(profile).sort_stats(options.sort).print_stats(45)


if __name__ == "__main__":
    main()
