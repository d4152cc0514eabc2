"""A file of 200 MiB passes in both directions while neither side has more memory than for a few pieces."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.files.test_slow_downloads import rss
from tests.masters import ROOT, Master, start_master

SIZE = 200 * 2**20
SPARE = 80 * 2**20
"""What a side may need beyond what it has at rest: some pieces of 8 MiB, in several copies."""
PASS = """
import sys
from pathlib import Path
from common.address import parse_address
from common.client import MasterClient, establish_trust
from common.files_client import file_path
from common.transfers import Patience, get, hash_of, open_regular, put
url, ca, source, target = sys.argv[1:]
address = parse_address(url)
client = MasterClient(address, establish_trust(address, Path(ca), Path(target).parent))
client.health()
def memory(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
before = memory("VmRSS")
with open_regular(Path(source)) as file:
    sha256, size = hash_of(file)
    put(client, file, {"sha256": sha256, "size": size}, Patience(60))
get(client, file_path(sha256), sha256, Path(target), Patience(60))
print(memory("VmHWM") - before)
"""


def peak(pid: int) -> int:
    """The most bytes of memory that a process ever had."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def transfer(master: Master, source: Path, target: Path) -> int:
    """Put and get a file in a process of its own; the bytes that it needed for that."""
    passed = subprocess.run(
        [sys.executable, "-c", PASS, master.url, str(master.ca), str(source), str(target)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=3600,
        check=False,
    )
    assert passed.returncode == 0, passed.stderr
    return int(passed.stdout)


def test_neither_side_holds_the_file(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    with source.open("wb") as file:
        file.truncate(SIZE)  # a hole: it costs no disk here, and as much as any other file on the way
    master = start_master(tmp_path / "state")
    try:
        pid = master.worker_pid()
        assert pid is not None
        before = rss(pid)
        needed = transfer(master, source, target)
        assert target.stat().st_size == SIZE
        print("client:", needed, "master:", peak(pid) - before)  # noqa: T201 - pytest -s shows it
        assert needed < SPARE
        assert peak(pid) - before < SPARE
    finally:
        assert master.stop() == 0
