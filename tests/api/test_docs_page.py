"""A browser draws the page at `/docs` from the master alone, and its policy stops nothing that it needs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.browser import browser
from tests.masters import Master


@pytest.fixture(scope="module")
def drawn(master: Master, tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    """What the page is after its script has run, and what the browser complained of."""
    program = browser()
    profile = tmp_path_factory.mktemp("browser")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    # The certificate is the master's own; no other host is there to be asked.
    flags += ["--ignore-certificate-errors", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost"]
    flags += ["--disable-background-networking", f"--user-data-dir={profile}"]
    flags += ["--virtual-time-budget=20000", "--enable-logging=stderr"]
    return subprocess.run(
        [program, *flags, "--dump-dom", f"{master.url}/docs#/jobs/jobs.submit"],
        env={"HOME": str(profile), "PATH": str(Path(program).parent) + ":/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=90,
        check=True,
    )


def test_every_part_of_the_api_is_on_it(drawn: subprocess.CompletedProcess[str]) -> None:
    for text in ("ffmpeg-rtmp master", "Queue a job", "/nodes/register", "Idempotency-Key", "key_reused"):
        assert text in drawn.stdout


def test_nothing_was_stopped_or_went_wrong(drawn: subprocess.CompletedProcess[str]) -> None:
    said = [line for line in drawn.stderr.splitlines() if "CONSOLE" in line]
    assert said == []
