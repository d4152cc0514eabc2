"""A large file to a master's file store and back: how long it takes, and how much memory either side needs.

    python bench/large_file.py 20 /var/tmp

Twice the size must be free in the directory. The file
is a hole with some random bytes here and there: on the way it costs as much as any other.
"""

from __future__ import annotations

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.files.test_flat_memory import peak, transfer
from tests.masters import start_master

GB = 10**9


def make(path: Path, size: int) -> None:
    """A file of `size` bytes."""
    chance = random.Random(1)  # noqa: S311 - it keeps no secret
    with path.open("wb") as file:
        file.truncate(size)
        for offset in range(0, size - 4096, 512 * 1024 * 1024):
            os.pwrite(file.fileno(), chance.randbytes(4096), offset)


def main() -> int:
    """Do it, and print one line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("gigabytes", type=float, nargs="?", default=20.0)
    parser.add_argument(
        "directory", type=Path, nargs="?", help="where it is done; else where temporary files are"
    )
    asked = parser.parse_args()
    size = int(asked.gigabytes * GB)
    if size < 1:
        parser.error("GIGABYTES is a number above 0")
    if asked.directory is not None and not asked.directory.is_dir():
        parser.error(f"there is no directory {asked.directory}")
    with tempfile.TemporaryDirectory(dir=asked.directory) as name:
        directory = Path(name)
        make(directory / "source", size)
        master = start_master(directory / "state", files_quota="100T")
        try:
            pid = master.worker_pid()
            if pid is None:
                raise RuntimeError("the master has no worker")
            rest = peak(pid)
            begun = time.monotonic()
            client = transfer(master, directory / "source", directory / "target")
            seconds = time.monotonic() - begun
            same = subprocess.run(["/usr/bin/cmp", directory / "source", directory / "target"], check=False)
            sys.stdout.write(
                f"{size / GB:g} GB there and back in {seconds:.0f} s; "
                f"memory beyond what it had at rest: master {(peak(pid) - rest) / 1e6:.0f} MB, "
                f"client {client / 1e6:.0f} MB; the same: {same.returncode == 0}\n"
            )
        finally:
            master.stop()
    return same.returncode


if __name__ == "__main__":
    sys.exit(main())
