"""A browser without a window that plays a page, and what the page says of that."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.masters import wait_until
from tests.parts import missing
from tests.ranges import serving

_FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking")


def browser() -> str:
    """The program: the one that can do without a window only, where it is; it needs less CPU time."""
    known = map(shutil.which, ("chromium-headless-shell", "chromium", "google-chrome"))
    return next(filter(None, known), None) or missing("there is no chromium")


def said_by(page: str, directory: Path, profile: Path) -> dict[str, Any]:
    """What the page (its name below `directory`, and its query) posts when it is done, or gives up."""
    flags = [*_FLAGS, "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}"]
    flags += ["--remote-debugging-port=0"]  # or it would end as soon as the page is loaded
    posted: list[bytes] = []
    with serving(directory, posted) as url:
        process = subprocess.Popen(
            [browser(), *flags, f"{url}/{page}"],
            env={"HOME": str(profile), "PATH": os.environ["PATH"]},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            said = wait_until(lambda: posted, "the player has said how it went", 60)
        finally:
            os.killpg(process.pid, signal.SIGTERM)  # the program may be a script that waits for it
            process.wait(10)
    found: dict[str, Any] = json.loads(said[0])
    return found
