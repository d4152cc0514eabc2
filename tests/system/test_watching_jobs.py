"""What shows jobs while they run outlives a restart of the master, and says in the end what came of them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.masters import ROOT, Master, wait_until
from tests.system.farm import ENDLESS, SHORT, TINY, Farm, encoding, halfway, job, job_is, submit
from tests.terminal import Terminal

FFRTMP = [sys.executable, "-c", "from master.operator.cli import main; main(prog_name='ffrtmp')"]
_Open = Callable[..., Terminal]


def environment(master: Master, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "FFRTMP_MASTER": master.url,
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[_Open]:
    opened: list[Terminal] = []

    def open_one(master: Master, *arguments: str, **size: Any) -> Terminal:
        opened.append(Terminal([*FFRTMP, *arguments], environment(master, tmp_path), **size))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


def piped(master: Master, folder: Path, *arguments: str) -> subprocess.Popen[str]:
    """The command with its output in a pipe."""
    return subprocess.Popen(
        [*FFRTMP, *arguments], cwd=ROOT, env=environment(master, folder), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def asked(parameters: Mapping[str, Any]) -> list[str]:
    """A job with these, as it is typed."""
    return [
        "480p30-h264",
        *(word for name, value in parameters.items() for word in ("-p", f"{name}={value}")),
    ]


def until_told(command: subprocess.Popen[str], beginning: str) -> str:
    """What it printed, up to a line that begins so."""
    assert command.stdout is not None
    told = line = ""
    while not line.startswith(beginning):
        line = command.stdout.readline()
        assert line, f"it ended after {told!r}"
        told += line
    return told


def killed(master: Master) -> None:
    """The master and its worker, at once."""
    os.killpg(master.process.pid, signal.SIGKILL)
    master.process.wait(10)


def id_of(text: str) -> str:
    found = re.search(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text, re.MULTILINE)
    assert found is not None, text
    return found[0]


def test_a_bar_goes_on_through_a_restart_of_the_master_and_ends_with_the_result(
    farm: Farm, terminal: _Open
) -> None:
    master = farm.master()
    agent = farm.agent(master)
    agent.says("Registered with")
    shown = terminal(master, "jobs", "submit", *asked({**SHORT, "duration": 6}), "--wait")
    job_id = id_of(shown.shows("━"))
    with halfway(agent, job_id):
        killed(master)
        shown.shows("reconnecting")
        farm.master()
        wait_until(lambda: "reconnecting" not in shown.text, "it is connected again", 40)
    assert shown.ends() == 0
    assert re.search(r"480p30-h264: completed, \d+\.\d s, \d+ fps, \d+\.\d\dx", shown.text)


def test_ctrl_c_leaves_the_job_running_and_says_how_to_cancel_it(farm: Farm, terminal: _Open) -> None:
    master = farm.master()
    agent = farm.agent(master)
    shown = terminal(master, "jobs", "submit", *asked(ENDLESS), "--wait", columns=120)
    job_id = id_of(shown.shows("━"))
    encoding(agent, job_id)
    shown.press("\x03")
    assert shown.ends() == 130
    assert "The job goes on." in shown.text
    assert f"ffrtmp jobs cancel {job_id}" in shown.text
    with master.client() as client:
        assert job(client, job_id)["status"] == "running"


def test_into_a_pipe_goes_a_line_for_each_change_and_the_code_says_that_one_failed(
    farm: Farm, tmp_path: Path
) -> None:
    master = farm.master()
    farm.agent(master, "--max-concurrent-jobs=2")
    with master.client() as client:
        good, bad = submit(client, TINY), submit(client, ENDLESS)
        with piped(master, tmp_path, "jobs", "watch", good, bad) as watching:
            # It may have begun late: what has ended before its first look never ran for it.
            told = until_told(watching, f"{bad[:8]} 480p30-h264: running on ")
            job_is(client, good, "completed")
            client.post(f"/jobs/{bad}/cancel")
            out, _ = watching.communicate(timeout=60)
    assert watching.returncode == 1
    lines = (told + out).splitlines()
    assert lines[-2].startswith(f"{good[:8]} 480p30-h264: completed")
    assert lines[-1].startswith(f"{bad[:8]} 480p30-h264: canceled")
    assert any(line.startswith(f"{bad[:8]} 480p30-h264: running on ") for line in lines)
    assert len(lines) == len(set(lines))
    assert not any("\x1b" in line for line in lines)


def test_a_batch_is_waited_for_and_programs_get_the_finished_jobs(farm: Farm, tmp_path: Path) -> None:
    master = farm.master()
    farm.agent(master)
    (tmp_path / "batch").write_text('{"scenario": "480p30-h264", "parameters": {"duration": 0.5}}\n' * 2)
    with piped(master, tmp_path, "jobs", "batch", str(tmp_path / "batch"), "--wait", "-o", "csv") as waiting:
        out, err = waiting.communicate(timeout=60)
    assert waiting.returncode == 0
    assert [line.split(",")[2] for line in out.splitlines()] == ["status", "completed", "completed"]
    assert "running" in err


def test_the_log_is_followed_until_the_job_is_finished_through_a_restart(farm: Farm, tmp_path: Path) -> None:
    master = farm.master()
    agent = farm.agent(master)
    with master.client() as client:
        job_id = submit(client, SHORT)
        with halfway(agent, job_id):
            following = piped(master, tmp_path, "jobs", "logs", job_id, "--follow")
            assert following.stdout is not None
            first = following.stdout.readline()
            killed(master)
            master = farm.master()
        with following, master.client() as again:
            job_is(again, job_id, "completed")
            rest, _ = following.communicate(timeout=60)
    assert following.returncode == 0
    lines = [first.rstrip("\n"), *rest.splitlines()]
    assert any("libx264" in line for line in lines)
    assert any("kb/s:" in line for line in lines)  # ffmpeg's last words


def test_top_shows_the_farm_survives_a_restart_and_ends_with_q(farm: Farm, terminal: _Open) -> None:
    master = farm.master()
    agent = farm.agent(master)
    agent.says("Registered with")
    with master.client() as client:
        job_id = submit(client, ENDLESS)
        job_is(client, job_id, "running")
    shown = terminal(master, "top")
    text = shown.shows(job_id[:8])
    for title in ("NODES", "worker", "RUNNING by left", "WAITING", "FINISHED", "q quit"):
        assert title in text
    killed(master)
    shown.shows("reconnecting")
    farm.master()
    wait_until(lambda: "reconnecting" not in shown.text, "it is connected again", 40)
    shown.press("s")
    shown.shows("RUNNING by percent")
    shown.resize(50, 16)
    os.kill(shown.pid, signal.SIGWINCH)
    wait_until(lambda: job_id[:8] in shown.text and "q quit" in shown.text, "it fits the smaller window")
    shown.press("q")
    assert shown.ends() == 0


def test_top_in_a_pipe_is_one_plain_frame(farm: Farm, tmp_path: Path) -> None:
    master = farm.master()
    with piped(master, tmp_path, "top") as once:
        out, _ = once.communicate(timeout=60)
    assert once.returncode == 0
    assert out.startswith("ffrtmp top  localhost:")
    assert "\x1b" not in out


def test_the_parts_of_a_ladder_have_bars_of_their_own(farm: Farm, terminal: _Open) -> None:
    master = farm.master()
    farm.agent(master)
    shown = terminal(
        master, "jobs", "submit", "480p30-h264", "-p", "ladder=240p,180p", "-p", "duration=8",
        "-p", "threads=1", "--wait",
    )  # fmt: skip
    text = shown.shows("  180p")
    assert "  240p" in text
    assert shown.ends(120) == 0
    assert "completed" in shown.text


def test_the_time_that_is_left_is_told_with_the_job(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master)
    agent.says("Registered with")
    with master.client() as client:
        job_id = submit(client, {**SHORT, "duration": 6})
        told = wait_until(lambda: (job(client, job_id)["progress"] or {}).get("seconds_left"), "it is told")
        assert 0 < told < 300
        percents = []

        def over() -> bool:
            found = job(client, job_id)
            if found["status"] == "running" and (found["progress"] or {}).get("percent") is not None:
                percents.append(found["progress"]["percent"])
            return bool(found["status"] == "completed")

        wait_until(over, "it is completed", 120)
    assert percents == sorted(percents)
    assert percents[-1] < 100
