"""The main job, on this machine: a master, two agents, real encodes, and what they cost.

Starts everything itself on a free port, submits the guide's three jobs with short
durations, shows their progress, prints the results and where the files are, and stops
everything. Usage: demo.py [DIRECTORY] (for logs and files; demo-output by default, made anew).
FFRTMP_DEMO_SECONDS: how much of the test picture is encoded (6).
Exit code 0 only if every job completed and its file is as the result says.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from common.address import Address
from common.client import ApiError, MasterClient, establish_trust
from common.trust import TrustError
from master.operator import tables

OUTPUT = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent / "demo-output").resolve()
SECONDS = float(os.environ.get("FFRTMP_DEMO_SECONDS", "6"))
PATIENCE = 300.0
"""Seconds after which the demo gives up."""
JOBS: tuple[dict[str, Any], ...] = (
    {"scenario": "1080p-h264", "confidence": "auto", "parameters": {"duration": SECONDS, "bitrate": "5000k"}},
    {"scenario": "720p-h264", "confidence": "auto", "parameters": {"duration": SECONDS}},
    {"scenario": "4K60-h264", "confidence": "high", "parameters": {"duration": min(0.25, SECONDS / 10)}},
)

console = Console()


class DemoError(Exception):
    """Why the demo cannot go on, in one line."""


def main() -> int:
    """Run the demo; the exit code."""
    try:
        make_output()
        # Whoever ends the demo ends its master and its agents.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        with ExitStack() as stack:
            return demonstrate(stack)
    except (DemoError, ApiError, requests.RequestException) as error:
        console.print(
            f"[red]The demo failed:[/red] {error}\nThe logs are in {OUTPUT}", highlight=False, soft_wrap=True
        )
        return 1
    except KeyboardInterrupt:
        console.print("Stopped.")
        return 130


def make_output() -> None:
    """An empty directory; what is there is removed only if an earlier demo made it."""
    marker = OUTPUT / ".made-by-demo"
    if OUTPUT.exists() and any(OUTPUT.iterdir()):
        if not marker.exists():
            raise DemoError(f"{OUTPUT} is not empty, and no demo made it; name another directory")
        shutil.rmtree(OUTPUT)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    marker.touch()


def demonstrate(stack: ExitStack) -> int:
    """From start to result table."""
    port = free_port()
    url = f"https://localhost:{port}"
    console.print(f"Starting a master on {url} and two agents…")
    master = stack.enter_context(process("master", "ffrtmp-master", "--port", str(port)))
    client = until(lambda: connect(port), "the master does not answer", master)
    for name in ("worker-1", "worker-2"):
        arguments = ["--register", "--master", url, "--allow-master-as-worker", "--yes", "--name", name]
        arguments += ["--max-concurrent-jobs", "1", "--work-dir", str(OUTPUT / "files")]
        # Jobs still run at the end only if the demo was ended early: nobody waits for them.
        arguments += ["--drain-timeout", "100ms"]
        agent = stack.enter_context(process(name, "ffrtmp-agent", *arguments))
        until(lambda name=name: registered(client, name), f"{name} does not register", agent)  # type: ignore[misc]  # mypy cannot type a default in a lambda
    tables.nodes(client.nodes()).show()
    console.print("\nSubmitting the guide's three jobs…")
    ids = [client.submit(job)["id"] for job in JOBS]
    watch(client, ids)
    results = [client.result(job_id) for job_id in ids]
    console.print()
    tables.results(results).show()
    return verdict(results)


def verdict(results: list[dict[str, Any]]) -> int:
    """Say where the files are; 0 if each is there and has the size that its result states."""
    console.print("\nThe files:")
    bad = 0
    for result in results:
        metrics = result["metrics"] or {}
        path = Path(metrics.get("output_path") or "/nonexistent")
        good = (
            result["status"] == "completed"
            and path.is_file()
            and path.stat().st_size == metrics["output_bytes"]
        )
        bad += not good
        said = (
            str(path)
            if good
            else f"{result['scenario']}: {(result['error'] or {}).get('message', 'no file')}"
        )
        console.print(
            f"  {'[green]✓[/green]' if good else '[red]✗[/red]'} {said}", highlight=False, soft_wrap=True
        )
    if bad:
        console.print(
            f"\n[red]{bad} of {len(results)} jobs failed.[/red] The logs are in {OUTPUT}", soft_wrap=True
        )
        return 1
    console.print(f"\n[green]All {len(results)} jobs were encoded and verified.[/green]")
    return 0


@contextmanager
def process(name: str, program: str, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A program of ours, with its state and its log under the demo's directory; ended at the end."""
    executable = Path(sys.executable).parent / program
    command = [str(executable), *arguments, "--state-dir", str(OUTPUT / name)]
    with (OUTPUT / f"{name}.log").open("wb") as log:
        child = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield child
    finally:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def until(condition: Callable[[], Any], complaint: str, child: subprocess.Popen[bytes]) -> Any:
    """What `condition` answers as soon as it is true; DemoError if that takes too long."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if child.poll() is not None:
            raise DemoError(f"{complaint}: it ended with exit code {child.returncode}")
        if answer := condition():
            return answer
        time.sleep(0.1)
    raise DemoError(complaint)


def connect(port: int) -> MasterClient | None:
    """A client, once the master answers."""
    address = Address("localhost", port)
    try:
        client = MasterClient(address, establish_trust(address, None, OUTPUT / "operator"))
        client.health()
    except (OSError, TrustError, ApiError, requests.RequestException):
        return None
    return client


def registered(client: MasterClient, name: str) -> bool:
    """Whether the node called `name` is there."""
    return any(node["address"] == name for node in client.nodes())


def watch(client: MasterClient, ids: list[str]) -> None:
    """Show the jobs' progress until all are finished: bars on a terminal, else a line for each change."""
    deadline = time.monotonic() + PATIENCE
    columns = (
        TextColumn("{task.description:<12}"), BarColumn(30), TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[note]:<24}"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal) as bars:
        shown: dict[str, str] = {}
        tasks = [bars.add_task(job["scenario"], total=100, note="") for job in JOBS]
        while True:
            jobs = [client.job(job_id) for job_id in ids]
            for job, task in zip(jobs, tasks, strict=True):
                show(bars, task, job, shown)
            if all(job["finished_at"] for job in jobs):
                return
            if time.monotonic() > deadline:
                raise DemoError(f"the jobs were not finished within {PATIENCE:.0f} s")
            time.sleep(0.2)


def show(bars: Progress, task: TaskID, job: dict[str, Any], shown: dict[str, str]) -> None:
    """One job's bar, or its line if something has changed."""
    progress = job["progress"] or {}
    percent = 100.0 if job["status"] == "completed" else (progress.get("percent") or 0.0)
    note = (
        job["status"] if job["status"] != "running" else tables.number(progress.get("fps"), "{:.0f}", " fps")
    )
    bars.update(task, completed=percent, note=note)
    if job["finished_at"]:
        bars.stop_task(task)
    # Without a terminal a line for every quarter is live enough.
    line = f"{job['scenario']}: {job['status']}" + (
        f" {percent // 25 * 25:.0f} %" if job["status"] == "running" else ""
    )
    if bars.disable and shown.get(job["id"]) != line:
        shown[job["id"]] = line
        console.print(line, highlight=False)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    raise SystemExit(main())
