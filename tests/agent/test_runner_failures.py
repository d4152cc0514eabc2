"""Whatever an ffmpeg does wrong, the report says what it was and no file is left behind."""

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.limits import Limits
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.task import Assignment
from common.model import JobStatus, Report, Scalar
from tests.agent.conftest import StandIn

PATIENT = Limits(first=60, stall=60, last=60, total=60)
QUICK = Limits(first=0.5, stall=0.5, last=0.5, total=30, grace=0.4)
PROGRESS = "print('frame=1\\nout_time_us=33333\\nprogress=continue', flush=True)\n"


@pytest.fixture
def work_dir(tmp_path: Path) -> Path:
    return tmp_path / "work"


class Runner:
    """Runs one-second jobs with a given toolbox."""

    def __init__(self, spawner: Spawner, work_dir: Path) -> None:
        self._spawner, self._work_dir = spawner, work_dir

    def __call__(
        self,
        toolbox: Toolbox,
        job_id: str = "job-1",
        scenario: str = "480p-h264",
        limits: Limits = PATIENT,
        **parameters: Scalar,
    ) -> Report:
        report = run_job(
            Assignment(job_id, scenario, {"duration": 1, **parameters}, "lease-1", 1),
            "node-1",
            toolbox,
            self._spawner,
            self._work_dir,
            lambda _progress, _lines: None,
            threading.Event(),
            limits=lambda _settings: limits,
        )
        assert report is not None
        assert report.status is JobStatus.FAILED
        return report


@pytest.fixture
def run(spawner: Spawner, work_dir: Path) -> Iterator[Runner]:
    yield Runner(spawner, work_dir)
    assert [path for path in work_dir.rglob("*") if path.is_file()] == []


def outcome(report: Report) -> tuple[str, str]:
    assert report.error is not None
    return report.error.code, report.error.message


def test_a_stalled_ffmpeg_is_ended_and_reported(run: Runner, stand_in: StandIn) -> None:
    code, message = outcome(run(stand_in(PROGRESS + "while True: time.sleep(1)"), limits=QUICK))
    assert code == "encoder_stalled"
    assert "no progress" in message


def test_an_ffmpeg_that_was_stopped_is_ended_and_reported(run: Runner, stand_in: StandIn) -> None:
    body = PROGRESS + "os.kill(os.getpid(), signal.SIGSTOP)"
    assert outcome(run(stand_in(body), limits=QUICK))[0] == "encoder_stalled"


def test_a_stalled_ffmpeg_that_ignores_term_is_killed_and_reported(run: Runner, stand_in: StandIn) -> None:
    body = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + PROGRESS + "while True: time.sleep(1)"
    assert outcome(run(stand_in(body), limits=QUICK))[0] == "encoder_stalled"


def test_half_of_the_frames_with_exit_code_0_is_not_success(
    run: Runner, stand_in: StandIn, toolbox: Toolbox
) -> None:
    real = toolbox.ffmpeg_for("libx264")
    assert real is not None
    half = "argv = sys.argv[1:]\nargv[argv.index('-frames:v') + 1] = '15'\n"
    report = run(stand_in(half + f"os.execv({str(real.path)!r}, ['ffmpeg', *argv])"))
    code, message = outcome(report)
    assert code == "output_invalid"
    assert "the number of frames is 15 instead of 30" in message


def test_exit_code_0_without_any_output_is_not_success(run: Runner, stand_in: StandIn) -> None:
    assert outcome(run(stand_in("pass")))[0] == "output_invalid"


def test_a_crash_is_told_from_a_refusal(run: Runner, stand_in: StandIn) -> None:
    code, message = outcome(run(stand_in("os.kill(os.getpid(), signal.SIGSEGV)")))
    assert code == "encoder_killed"
    assert "11" in message


def test_somebody_elses_term_counts_as_killed_although_ffmpeg_exits_by_itself(
    run: Runner, stand_in: StandIn
) -> None:
    body = "print('[info] Exiting normally, received signal 15.', file=sys.stderr)\nsys.exit(255)"
    assert outcome(run(stand_in(body)))[0] == "encoder_killed"


def test_a_refusal_is_reported_with_the_line_that_says_why(run: Runner, toolbox: Toolbox) -> None:
    code, message = outcome(run(toolbox, width=17_000, height=64))
    assert code == "encoder_error"
    assert "invalid width x height (17000x64)" in message


def test_what_a_failed_encode_cost_is_reported_too(run: Runner, toolbox: Toolbox) -> None:
    metrics = run(toolbox, width=17_000, height=64).metrics
    assert metrics["frames"] is None
    assert metrics["output_path"] is None
    assert "17000x64" in str(metrics["command"])
    assert isinstance(metrics["wall_seconds"], float)
    assert isinstance(metrics["cpu_seconds"], float)


def test_a_flood_of_log_lines_does_not_hide_the_reason(run: Runner, stand_in: StandIn) -> None:
    noise = "for _ in range(100): os.write(2, b'noise\\n' * 10_000)\n"
    body = noise + "os.write(2, b'[error] it broke\\n')\nsys.exit(1)"
    code, message = outcome(run(stand_in(body)))
    assert (code, "it broke" in message) == ("encoder_error", True)


def test_a_missing_encoder_is_named_with_the_reason(run: Runner) -> None:
    code, message = outcome(run(Toolbox({}, {"libx264": "Cannot load libcuda.so.1"})))
    assert code == "encoder_missing"
    assert "libx264" in message
    assert "libcuda" in message


@pytest.mark.parametrize("job_id", ["../evil", "a/b", "", "..", "/etc", "a\n", "x" * 200])
def test_a_job_id_that_is_no_plain_name_never_becomes_a_path(
    run: Runner, toolbox: Toolbox, work_dir: Path, job_id: str
) -> None:
    assert outcome(run(toolbox, job_id=job_id))[0] == "agent_error"
    assert not work_dir.exists()


def test_an_unknown_scenario_says_to_update_the_agent(run: Runner, toolbox: Toolbox) -> None:
    code, message = outcome(run(toolbox, scenario="16K240-h267"))
    assert (code, "update" in message) == ("agent_error", True)


def test_parameters_that_contradict_each_other_are_named(run: Runner, toolbox: Toolbox) -> None:
    code, message = outcome(run(toolbox, crf=20, bitrate="1000k"))
    assert (code, "crf" in message) == ("encoder_error", True)


def test_a_work_directory_that_cannot_be_made_is_the_agents_error(
    run: Runner, toolbox: Toolbox, work_dir: Path
) -> None:
    work_dir.parent.joinpath("work").symlink_to("/proc/nothing")
    assert outcome(run(toolbox))[0] == "agent_error"


def test_a_full_disk_is_told_as_such(
    spawner: Spawner, toolbox: Toolbox, make_disk: Callable[[str], Path]
) -> None:
    small_disk = make_disk("300k")
    report = Runner(spawner, small_disk)(toolbox, crf=0)
    assert outcome(report)[0] == "disk_full"
    assert list(small_disk.rglob("*")) == []


def test_an_operating_systems_no_space_is_a_full_disk_too(
    spawner: Spawner, toolbox: Toolbox, work_dir: Path
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    assignment = Assignment("job-1", "480p-h264", {"duration": 0.1}, "lease-1", 1)
    report = run_job(assignment, "node-1", toolbox, spawner, work_dir, full, threading.Event())
    assert report is not None
    assert outcome(report)[0] == "disk_full"


def test_an_encode_that_takes_too_long_is_ended_and_reported(run: Runner, stand_in: StandIn) -> None:
    body = "n = 0\nwhile True: n += 1; print(f'frame={n}\\nprogress=continue', flush=True); time.sleep(.05)"
    code, message = outcome(run(stand_in(body), limits=Limits(total=0.6, grace=0.4)))
    assert (code, "time limit" in message) == ("time_limit", True)
