"""A large file to a master's file store and back: how long it takes, and how much memory either side needs.

`python bench/large_file.py [GIGABYTES] [DIRECTORY]`: twice the size must be free in DIRECTORY. The file
is a hole with some random bytes here and there: on the way it costs as much as any other.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

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
    size = int(float(sys.argv[1] if len(sys.argv) > 1 else "20") * GB)
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as name:
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
