"""How long the master works on each page while it holds 100,000 jobs, and when Chromium paints first.

    python bench/dashboard.py [--jobs 100000] [--times 30]

It starts a master of its own, with a state that is written for it, prints a table, and leaves nothing.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from playwright.sync_api import sync_playwright

from tests.dashboard.big import write_state
from tests.dashboard.conftest import cookie
from tests.masters import Client, Master, start_master

PAGES = (
    "/",
    "/ui/jobs",
    "/ui/jobs?status=pending",
    "/ui/jobs?status=completed",
    "/ui/jobs?status=completed&after=f30000",
)


def served(client: Client, path: str, times: int) -> tuple[float, list[float]]:
    """Milliseconds until the whole answer is there: for the first request, and for the others."""
    taken = []
    for _ in range(times + 1):
        begun = time.perf_counter()
        answer = client.get(path)
        taken.append(1000 * (time.perf_counter() - begun))
        assert answer.ok, answer.text  # noqa: S101 - a measurement of a refusal would be none
    return taken[0], taken[1:]


def painted(master: Master, path: str) -> float:
    """Milliseconds from the start of the navigation to Chromium's first contentful paint."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        context = browser.new_context(ignore_https_errors=True, base_url=master.url)
        context.add_cookies([cookie(master, master.token)])
        page = context.new_page()
        page.goto(path)
        page.goto(path)
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        browser.close()
        return float(paint)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--jobs", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=30)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ffrtmp-bench-") as place:
        state_dir = Path(place) / "state"
        write_state(state_dir, asked.jobs, asked.jobs * 2 // 5)
        master = start_master(state_dir, auth="required", retention="365d", log_level="warning")
        try:
            print(f"{asked.jobs:,} jobs; milliseconds: first request, then median and worst of {asked.times}")
            with master.client(master.token) as client:
                for path in PAGES:
                    first, others = served(client, path, asked.times)
                    middle, worst = statistics.median(others), max(others)
                    print(f"{path:44} {first:7.1f} {middle:7.1f} {worst:7.1f}", flush=True)
            for path in PAGES[:2]:
                print(f"{path:44} first contentful paint {painted(master, path):7.1f}")
        finally:
            master.stop()


if __name__ == "__main__":
    main()
