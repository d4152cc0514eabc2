"""Makes docs/images/dashboard.png: the overview of a real farm on this machine, as Chromium shows it.

A master, three agents and their encodes: some finished, one fails, some run, some wait, and a node
waits for approval.
Run it when the page's looks have changed: .venv/bin/python -m scripts.dashboard_picture
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import sync_playwright

from tests.masters import Client, Master
from tests.system.farm import Farm

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs/images/dashboard.png"
WIDTH, HEIGHT = 1200, 900
COLOURS = 200
"""Of a palette: enough for a page of text and lines, in a third of the bytes."""
PATIENCE = 180.0
"""Seconds after which it gives up."""
SMALL = {"width": 640, "height": 360, "threads": 1, "preset": "veryfast"}
FINISHED = (
    ("1080p30-h264", 2),
    ("720p30-h264", 3),
    ("720p60-h264", 1),
    ("480p30-h264", 4),
    ("1080p-h264", 1),
)
RUNNING = ("1080p60-h264", "720p-h264", "480p60-h264")
WAITING = ("4K30-h264", "1080p30-h264", "720p60-h264", "4K60-h264", "480p30-h264")


def submit(client: Client, scenario: str, duration: float, **fields: Any) -> str:
    """Queue a job; its id."""
    parameters = {**SMALL, "duration": duration}
    answer = client.post("/jobs", json={"scenario": scenario, "parameters": parameters, **fields})
    answer.raise_for_status()
    return str(answer.json()["id"])


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for it; RuntimeError when the patience is over."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what}: not within {PATIENCE} s")
        time.sleep(0.2)


def work(client: Client) -> None:
    """Let the farm finish some jobs, fail one, run some and have others wait."""
    for scenario, duration in FINISHED:
        submit(client, scenario, duration)
    submit(client, "720p-h264", 2, input="media:films/damaged.mkv")
    until(lambda: counts(client)["completed"] == len(FINISHED), "the first jobs complete")
    until(lambda: counts(client)["failed"] == 1, "the damaged input fails")
    for number, scenario in enumerate(RUNNING):
        submit(client, scenario, 150 + 80 * number)
    until(lambda: counts(client)["running"] == len(RUNNING), "jobs run")
    for scenario, priority in zip(WAITING, ("high", "medium", "medium", "low", "low"), strict=True):
        submit(client, scenario, 60, priority=priority)
    stranger = {
        "address": "encode-4",
        "credential": "c" * 43,
        "cpu_model": "AMD EPYC 7313P",
        "cpu_threads": 32,
    }
    client.post("/nodes/register", json=stranger, headers={"Via": "1.1 somebody"})
    ids = [job["id"] for job in client.get("/jobs?status=running").json()["jobs"]]
    until(lambda: all(percent(client, job_id) > 12 for job_id in ids), "the running jobs are on their way")


def counts(client: Client) -> dict[str, int]:
    """How many jobs have each status."""
    found: dict[str, int] = client.get("/queue").json()["jobs"]
    return found


def percent(client: Client, job_id: str) -> float:
    """How far a job is."""
    progress = client.get(f"/jobs/{job_id}").json()["progress"] or {}
    return float(progress.get("percent") or 0)


def shot(master: Master, path: str, **options: Any) -> bytes:
    """The page as a picture."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        viewport = options.pop("viewport", {"width": WIDTH, "height": HEIGHT})
        context = browser.new_context(ignore_https_errors=True, viewport=viewport, **options)
        page = context.new_page()
        page.goto(f"{master.url}{path}")
        page.wait_for_selector("body[data-live=yes]")
        picture = page.screenshot(full_page=True)
        browser.close()
        return picture


def main() -> int:
    """Write the picture; 1 if there is no Chromium."""
    if shutil.which("chromium") is None:
        print("Chromium is missing: make test installs it.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="ffrtmp-picture-") as name:
        films = Path(name) / "films"
        films.mkdir()
        (films / "damaged.mkv").write_bytes(b"no film at all " * 1000)
        farm = Farm(Path(name))
        try:
            master = farm.master()
            for number in range(1, 4):
                flags = ("--max-concurrent-jobs=1", "--drain-timeout=100ms", f"--media-root=films={films}")
                farm.agent(master, *flags, name=f"encode-{number}")
            with master.client() as client:
                until(lambda: len(client.get("/nodes").json()["nodes"]) == 3, "the agents register")
                work(client)
            picture = shot(master, "/")
        finally:
            farm.close()
    Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS).save(TARGET, optimize=True)
    print(f"{TARGET.relative_to(ROOT)}: {TARGET.stat().st_size // 1024} KiB")
    return 0


if __name__ == "__main__":
    sys.exit(main())
