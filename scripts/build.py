"""Builds the three single-file binaries in `bin/` from this checkout and its virtual environment.

Each is a PEX: a zip with our packages and the locked versions of what they need,
taken from the environment that runs this script, so building needs no network.
The parts are built side by side; a part whose sources did not change is kept.
"""

from __future__ import annotations

import configparser
import hashlib
import os
import platform
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build"


@dataclass(frozen=True, slots=True)
class Part:
    """One binary and what goes into it."""

    announcement: str
    label: str
    path: str
    entry_point: str
    packages: tuple[str, ...]
    extras: tuple[str, ...] = ()
    """Extras of `setup.cfg` whose requirements it needs beside `install_requires`."""


PARTS = (
    Part("Building master node...", "Master", "bin/master", "master.cli:main", ("common", "master")),
    Part(
        "Building compute agent...", "Agent", "bin/agent", "agent.cli:main", ("agent", "common"), ("agent",)
    ),
    Part(
        "Building operator's command...",
        "Operator",
        "bin/ffrtmp",
        "master.operator.cli:main",
        ("common", "master"),
    ),
)


class BuildError(Exception):
    """PEX failed; the text is what it said."""


def requirements(part: Part) -> list[str]:
    """The part's direct requirements, as `setup.cfg` lists them."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lists = [config["options"]["install_requires"]]
    lists += [config["options.extras_require"][extra] for extra in part.extras]
    lines = (line.strip() for text in lists for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def digest(part: Part) -> str:
    """Changes when, and only when, the part has to be built again."""
    inputs = [ROOT / "setup.cfg", ROOT / "constraints.txt", *sorted((ROOT / "scripts").glob("*.py"))]
    for package in part.packages:
        files = sorted((ROOT / package).rglob("*"))
        inputs += [file for file in files if file.is_file() and "__pycache__" not in file.parts]
    total = hashlib.sha256(f"{sys.version} {platform.machine()} {part}".encode())
    for file in inputs:
        total.update(f"\0{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return total.hexdigest()


def preamble(name: str) -> Path:
    """The code that the binary of that name runs first, complete with what it is built for."""
    source = (ROOT / "scripts" / "pex_preamble.py").read_text(encoding="utf-8")
    call = f"\n\nprepare({platform.machine()!r}, {tuple(sys.version_info[:2])!r})\n"
    path = BUILD / f"{name}.preamble.py"
    path.write_text(source + call, encoding="utf-8")
    return path


def build(part: Part) -> None:
    """Leave the part's binary at its path; `BuildError` if PEX fails."""
    target = ROOT / part.path
    stamp = BUILD / f"{target.name}.digest"
    wanted = digest(part)
    # Nothing is written when nothing changed: `sudo make install` then leaves no files of root here.
    if target.exists() and stamp.exists() and stamp.read_text() == wanted:
        return
    BUILD.mkdir(exist_ok=True)
    unfinished = BUILD / f"{target.name}.unfinished"
    command = [sys.executable, "-m", "pex", "--venv-repository", sys.prefix, *requirements(part)]
    for package in part.packages:
        command += ["--package", f"{package}@{ROOT}"]
    command += ["--entry-point", part.entry_point, "--python-shebang", "#!/usr/bin/env python3"]
    # PEX's warnings are for who builds: a user cannot change the length of a shebang.
    command += ["--no-emit-warnings"]
    # As a venv the binary starts in a quarter of a second less, and children started by
    # `sys.executable -m` find our packages without help.
    command += ["--venv", "--preamble-file", str(preamble(target.name)), "--output-file", str(unfinished)]
    result = subprocess.run(
        command,
        cwd=BUILD,
        env=os.environ | {"PEX_ROOT": str(BUILD / "pex-root"), "PEX_IGNORE_RCFILES": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if result.returncode:
        raise BuildError(result.stdout.strip())
    target.parent.mkdir(exist_ok=True)
    # A rename: a binary that is running keeps its own file.
    unfinished.replace(target)
    stamp.write_text(wanted)


def report(part: Part, done: Future[None]) -> bool:
    """Print the part's lines when it is ready; False if it failed."""
    print(part.announcement, flush=True)
    try:
        done.result()
    except BuildError as error:
        print(f"✗ {part.path} could not be built. PEX said:\n{error}", file=sys.stderr)
        print("Run `make clean setup`, then `make build-distributed` again.", file=sys.stderr)
        return False
    print(f"✓ {part.label} binary created: {part.path}", flush=True)
    return True


def main() -> int:
    """Build all parts; 0 if all are there."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8")  # type: ignore[union-attr] # the real streams have it
    with ThreadPoolExecutor(max_workers=len(PARTS)) as pool:
        # The agent takes longest by far; begun first, it hides the others.
        order = sorted(PARTS, key=lambda part: not part.extras)
        jobs = {part.path: pool.submit(build, part) for part in order}
        for number, part in enumerate(PARTS):
            if number:
                print(flush=True)
            if not report(part, jobs[part.path]):
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
