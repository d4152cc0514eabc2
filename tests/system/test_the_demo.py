"""`make demo` does the main job with real parts, shows it, and cleans up after itself."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.masters import ROOT
from tests.parts import missing
from tests.system.farm import one_encoder

DEMO = [sys.executable, str(ROOT / "scripts" / "demo.py")]


def run_demo(directory: Path) -> subprocess.CompletedProcess[str]:
    if not (Path(sys.executable).parent / "ffrtmp-master").exists():
        missing("the programs are not installed (make setup does it)")
    return subprocess.run(
        [*DEMO, str(directory)],
        # Frames of 4K take long, and so do the trials of encoders that it does not use.
        env={**os.environ, "FFRTMP_DEMO_SECONDS": "0.5", **one_encoder(directory.with_name("ffmpeg"))},
        capture_output=True,
        text=True,
        timeout=170,
        check=False,
        cwd=directory.parent,
    )


def programs_of(directory: Path) -> list[str]:
    """The command lines of processes that work in `directory`."""
    lines = []
    for process in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = process.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue  # it has ended meanwhile
        if str(directory) in line:
            lines.append(line)
    return lines


def test_it_ends_well_only_with_three_verified_files_and_leaves_no_process(tmp_path: Path) -> None:
    directory = tmp_path / "demo"
    done = run_demo(directory)
    assert done.returncode == 0, done.stdout + done.stderr
    for scenario, suffix in (("1080p-h264", "mp4"), ("720p-h264", "mp4"), ("4K60-h264", "mp4")):
        assert f"{scenario}: completed" in done.stdout
        assert len(list(directory.glob(f"files/*/{scenario}.{suffix}"))) == 1
    assert done.stdout.count("✓") == 3
    assert "All 3 jobs were encoded and verified." in done.stdout
    assert programs_of(directory) == []


def test_it_does_not_empty_a_directory_of_yours(tmp_path: Path) -> None:
    (tmp_path / "yours").mkdir()
    (tmp_path / "yours" / "film.mp4").write_bytes(b"precious")
    done = run_demo(tmp_path / "yours")
    assert done.returncode == 1
    assert "is not empty, and no demo made it" in done.stdout
    assert (tmp_path / "yours" / "film.mp4").read_bytes() == b"precious"
