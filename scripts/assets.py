"""Copies the libraries that the dashboard loads to `master/api/dashboard/assets/vendor`, as they were built.

The lock file says which, with their hashes; npm fetches them, and none of their scripts is run. The
copies are committed: a machine that builds or runs a master needs no npm.
`--only-fetch` leaves them in `build/dashboard`, for the test that compares.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "master/api/dashboard"
VENDOR = DASHBOARD / "assets/vendor"
FETCHED = ROOT / "build/dashboard"
LOCK = "package-lock.json"
FILES: Mapping[str, str] = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE": "htmx.org/LICENSE",
    "sse.min.js": "htmx-ext-sse/dist/sse.min.js",
    "sse.LICENSE": "htmx-ext-sse/LICENSE",
    "idiomorph-ext.min.js": "idiomorph/dist/idiomorph-ext.min.js",
    "idiomorph.LICENSE": "idiomorph/LICENSE",
}
"""The name in `vendor`, and where npm leaves it."""


def fetched(name: str) -> Path:
    """Where the fetched original of a file of `vendor` is."""
    return FETCHED / "node_modules" / FILES[name]


def is_fetched() -> bool:
    """Whether what the lock names has been fetched."""
    installed = FETCHED / "node_modules/installed-lock.json"
    return installed.exists() and installed.read_bytes() == (DASHBOARD / LOCK).read_bytes()


def fetch() -> None:
    """Let npm fetch exactly what the lock names, unless it has; CalledProcessError if it cannot."""
    if is_fetched():
        return
    FETCHED.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", LOCK):
        shutil.copy(DASHBOARD / name, FETCHED)
    flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(["npm", "ci", "--prefix", str(FETCHED), *flags], check=True, stdout=sys.stderr)  # noqa: S607 - npm of the PATH, as everywhere
    shutil.copy(DASHBOARD / LOCK, FETCHED / "node_modules/installed-lock.json")


def main(arguments: list[str]) -> int:
    """0 if all files are there."""
    if shutil.which("npm") is None:
        print("npm is missing: it fetches the libraries (Debian: npm).", file=sys.stderr)
        return 1
    try:
        fetch()
    except subprocess.CalledProcessError:
        print("npm could not fetch the dashboard's libraries; what it said is above.", file=sys.stderr)
        return 1
    if "--only-fetch" not in arguments:
        shutil.rmtree(VENDOR, ignore_errors=True)
        VENDOR.mkdir(parents=True)
        for name in FILES:
            shutil.copy(fetched(name), VENDOR / name)
        print(f"{len(FILES)} files are in {VENDOR.relative_to(ROOT)}.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
