"""The commands of docs/chains.md do what the page says, with a real master, agent and encodes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.docs.markdown import ROOT
from tests.masters import Master
from tests.system.farm import Farm, job_is

PAGE = (ROOT / "docs/chains.md").read_text()


def shell(script: str, directory: Path, master: Master) -> str:
    """What a person sees who types this."""
    programs = directory / "bin"
    programs.mkdir(exist_ok=True)
    command = f'#!/bin/sh\nexec {sys.executable} -c "from master.operator.cli import main; main()" "$@"\n'
    (programs / "ffrtmp").write_text(command)
    (programs / "ffrtmp").chmod(0o755)
    environment = {
        "PATH": f"{programs}:{os.environ['PATH']}",
        "HOME": str(directory),
        "FFRTMP_MASTER": master.url,
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        ["/bin/bash", "-e", "-c", script],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_commands_of_the_page_make_chains_that_are_completed(farm: Farm, tmp_path: Path) -> None:
    master = farm.master()
    two, fan_in, batch = re.findall(r"^```bash\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    shown = shell(two, tmp_path, master)
    shell(fan_in, tmp_path, master)
    queued = shell(batch.replace("jobs batch", "-q jobs batch"), tmp_path, master).split()
    first, second, both = (
        (tmp_path / f"{each}.id").read_text().strip() for each in ("first", "second", "both")
    )
    assert f"waits for 1 of 1 job: {first}" in shown
    farm.agent(master)
    with master.client() as client:
        found: dict[str, Any] = job_is(client, second, "completed", 90)
        assert (found["depends_on"], found["input"]) == ([first], f"job:{first}/480p-h264.mp4")
        metrics = client.get(f"/jobs/{second}/result").json()["metrics"]
        assert (metrics["height"], metrics["source_width"]) == (120, 854)
        job_is(client, both, "completed", 90)
        assert [job_is(client, each, "completed", 90)["retry_count"] for each in queued] == [0, 0, 0]
    assert master.stop() == 0
