"""A job with a confidence repeats its encode until the speed is sure, keeps one file, and lists all runs."""

from __future__ import annotations

import threading
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from agent import steps
from agent.advance import Advance
from agent.encode import Encoded
from agent.energy.account import Account, Energy, Means
from agent.energy.cost import Prices
from agent.energy.model import PowerModel
from agent.ffmpeg.discover import FFmpeg, Toolbox
from agent.ffmpeg.process import Ended
from agent.ffmpeg.spawner import Spawner
from agent.inputs.rules import InputRules
from agent.probe import Probe
from agent.repeat import Repeated, Run, headline, mean_energy, repeat
from agent.runner import run_job
from agent.task import AbortedError, Assignment, FailedError, Task, Tools
from common.model import Confidence, EnergySource, JobStatus, Progress, Report
from common.result import METRICS, check
from common.scenarios import SCENARIOS
from common.settings import EncodeSettings, resolve
from tests.agent.conftest import Encode, StandIn

SETTINGS = resolve(SCENARIOS["480p-h264"], {"duration": 1})


class Encodes:
    """Stands for `encode`: each run of a video of a second takes so long, and writes so much."""

    def __init__(self, *walls: float) -> None:
        self.walls = list(walls)
        self.directories: list[Path] = []
        self.there: list[list[str]] = []

    def __call__(self, task: Task, settings: EncodeSettings, _given: Any) -> Encoded:
        number = len(self.directories)
        self.directories.append(task.directory)
        path = task.directory / "480p-h264.mp4"
        path.write_bytes(b"a video")
        self.there.append(sorted(str(p.relative_to(task.job_directory)) for p in files(task.job_directory)))
        for percent in (50.0, 100.0):
            task.tools.on_progress(Progress(frame=int(percent), percent=percent), [f"run {number}"])
        ended = Ended(0, None, None, 2 * self.walls[number], 1000 + number, self.walls[number], ())
        return Encoded(settings, FFmpeg(Path("ffmpeg"), "9"), ["ffmpeg"], ended, probed(path), path)


def files(directory: Path) -> list[Path]:
    return [path for path in directory.rglob("*") if path.is_file()]


def probed(path: Path) -> Probe:
    numbers: dict[str, Any] = dict.fromkeys(Probe.__dataclass_fields__)
    return Probe(**{**numbers, "duration": 1.0, "frames": 30, "size": path.stat().st_size})


def task(tmp_path: Path, confidence: Confidence, told: list[float | None] | None = None) -> Task:
    nothing: Any = None
    heard: list[float | None] = [] if told is None else told
    tools = Tools(
        nothing, nothing, lambda progress, _lines: heard.append(progress.percent), threading.Event()
    )
    assignment = Assignment("job-1", "480p-h264", {}, "lease-1", 1, confidence=confidence)
    own = tmp_path / "job-1" / "own.part"
    own.mkdir(parents=True)
    return Task(assignment, "node-1", tools, tmp_path / "job-1", own)


def run_again(tmp_path: Path, confidence: Confidence, encodes: Encodes) -> Repeated:
    return repeat(task(tmp_path, confidence), SETTINGS, None, encodes)


def test_auto_is_one_run_in_the_attempts_own_directory(tmp_path: Path) -> None:
    encodes = Encodes(0.5)
    repeated = run_again(tmp_path, Confidence.AUTO, encodes)
    assert encodes.directories == [tmp_path / "job-1" / "own.part"]
    assert repeated.repeats == ()
    metrics = repeated.metrics(Prices())
    assert (metrics["runs"], metrics["speed"], metrics["wall_seconds"]) == (1, 2.0, 0.5)
    assert not {"speed_low", "speed_high", "interval_reached", "cost", "currency"} & set(metrics)


@pytest.mark.parametrize(
    ("confidence", "walls", "runs", "sure"),
    [
        (Confidence.LOW, [0.48, 0.50, 0.52], 3, True),  # the interval reaches 9.96 % to either side
        (Confidence.MEDIUM, [0.48, 0.50, 0.52, 0.5, 0.5], 5, True),  # 9.96 %, 5.2 %, 3.5 %
        (Confidence.HIGH, [0.45, 0.55] * 5, 10, False),
    ],
)
def test_it_ends_when_the_speed_is_as_sure_as_was_asked(
    tmp_path: Path, confidence: Confidence, walls: list[float], runs: int, sure: bool
) -> None:
    encodes = Encodes(*walls)
    repeated = run_again(tmp_path, confidence, encodes)
    metrics = repeated.metrics(Prices())
    assert len(encodes.directories) == runs
    assert (metrics["runs"], metrics["interval_reached"]) == (runs, sure)
    assert [r.speed for r in repeated.repeats] == [
        pytest.approx(1 / wall, abs=1e-6) for wall in encodes.walls[:runs]
    ]


def test_one_output_is_on_the_disk_at_a_time_and_the_last_one_stays(tmp_path: Path) -> None:
    encodes = Encodes(0.5, 0.5, 0.5)
    repeated = run_again(tmp_path, Confidence.HIGH, encodes)
    assert encodes.there == [[f"own.part/run-{n}/480p-h264.mp4"] for n in (1, 2, 3)]
    assert repeated.kept.path == tmp_path / "job-1/own.part/run-3/480p-h264.mp4"
    assert repeated.kept.path.exists()


def test_progress_is_of_all_runs_and_never_falls(tmp_path: Path) -> None:
    told: list[Progress] = []
    clock = count()  # each step's beginning, and each thing that it tells, is a second later
    course = Advance(lambda progress, _lines: told.append(progress), clock=lambda: float(next(clock)))
    given = task(tmp_path, Confidence.HIGH)
    given = replace(given, tools=replace(given.tools, on_progress=course, course=course))
    encodes = Encodes(0.5, 0.5, 0.6, 0.5, 0.4, 0.5, 0.5, 0.5, 0.5, 0.5)

    def encode(own: Task, settings: EncodeSettings, nothing: Any) -> Encoded:
        course.begin(steps.encode(settings))
        return encodes(own, settings, nothing)

    repeat(given, SETTINGS, None, encode)
    percents = [progress.percent for progress in told if progress.percent is not None]
    assert percents == sorted(percents)
    third = told[8].percent  # it has done its 100 %
    assert third is not None
    assert third > 90  # the first two were alike: 3 runs are expected
    assert told[9].seconds_left is not None
    assert told[9].seconds_left > 10  # they were not alike after all
    assert max(percents) < 100


def test_a_run_that_fails_fails_the_job_and_says_which(tmp_path: Path) -> None:
    good = Encodes(0.5, 0.5)

    def encode(task: Task, settings: EncodeSettings, given: Any) -> Encoded:
        if len(good.directories) == 2:
            raise FailedError(
                "disk_full", "no space was left for the output", {"wall_seconds": 0.1, "runs": 1}
            )
        return good(task, settings, given)

    with pytest.raises(FailedError) as failed:
        repeat(task(tmp_path, Confidence.HIGH), SETTINGS, None, encode)
    assert failed.value.failure.code == "disk_full"
    assert failed.value.failure.message == "run 3 of the repeated encode: no space was left for the output"
    assert failed.value.known == {"wall_seconds": 0.1, "runs": 3}


def test_an_abort_between_two_runs_ends_it(tmp_path: Path) -> None:
    given = task(tmp_path, Confidence.HIGH)
    encodes = Encodes(0.5, 0.5, 0.5)

    def encode(task: Task, settings: EncodeSettings, nothing: Any) -> Encoded:
        given.tools.abort.set()
        return encodes(task, settings, nothing)

    with pytest.raises(AbortedError):
        repeat(given, SETTINGS, None, encode)
    assert len(encodes.directories) == 1


# What the runs say together


def run(wall: float, energy: Energy, memory: int | None = 1000) -> Run:
    return Run(wall, 2 * wall, memory, duration=1.0, frames=30, energy=energy)


def joules(total: float, idle: float | None) -> Energy:
    net = None if idle is None else total - idle
    return Energy(total, idle, net, EnergySource.RAPL, "counters: package-0")


def test_headline_numbers_are_means_and_the_memory_is_the_highest() -> None:
    runs = [run(0.5, joules(10, 2), 1000), run(0.25, joules(20, 4), 3000), run(1.0, joules(30, 6), None)]
    metrics = headline(runs, Confidence.HIGH, Prices(per_kwh=0.36, currency="EUR"))
    expected = {
        "wall_seconds": 1.75 / 3,
        "cpu_seconds": 3.5 / 3,
        "peak_memory_bytes": 3000,
        "speed": 7 / 3,
        "fps": 70,
        "energy_joules": 20,
        "energy_idle_joules": 4,
        "energy_net_joules": 16,
        "cost": 20 / 3.6e6 * 0.36,
        "runs": 3,
    }
    assert {name: metrics[name] for name in expected} == pytest.approx(expected, rel=1e-3)
    assert metrics["energy_note"] == "mean of 3 runs; the last: counters: package-0"
    low, high = metrics["speed_low"], metrics["speed_high"]
    assert low == 0.0  # it is never below
    assert isinstance(high, float)
    assert high > 7 / 3


def test_the_mean_lies_in_its_interval_however_slow_the_encode_is() -> None:
    runs = [run(wall, Energy()) for wall in (70.0, 70.001, 70.002)]
    metrics = headline(runs, Confidence.HIGH, Prices())
    low, mean, high = metrics["speed_low"], metrics["speed"], metrics["speed_high"]
    assert isinstance(low, float)
    assert isinstance(mean, float)
    assert isinstance(high, float)
    assert low <= mean <= high


def test_one_run_whose_energy_is_not_known_leaves_none_and_says_which() -> None:
    each = [joules(10, 2), Energy(note="another job ran", shared="another job ran"), joules(10, 2)]
    assert mean_energy(each) == Energy(note="run 2 of 3: another job ran", shared="another job ran")


def test_what_keeps_all_runs_from_having_an_energy_is_said_once() -> None:
    assert mean_energy([Energy(note="no counter")] * 3) == Energy(note="no counter")


def test_a_baseline_that_came_later_is_not_that_of_all_runs() -> None:
    energy = mean_energy([joules(10, None), joules(12, 2)])
    assert (energy.joules, energy.idle_joules, energy.net_joules) == (11.0, None, None)


def test_each_metric_is_in_the_table() -> None:
    metrics = headline([run(0.5, joules(1, 1))], Confidence.AUTO, Prices())
    assert set(metrics) <= set(METRICS)
    assert [name for name, value in metrics.items() if check(name, value)] == []


# With the real ffmpeg


def really(
    spawner: Spawner, toolbox: Toolbox, work_dir: Path, assignment: Assignment, **more: Any
) -> Report | None:
    return run_job(
        assignment, "node-1", toolbox, spawner, work_dir, lambda _p, _l: None, threading.Event(), **more
    )


ASSIGNMENT = Assignment(
    "job-1",
    "480p-h264",
    {"duration": 0.2, "width": 64, "height": 64},
    "lease-1",
    1,
    confidence=Confidence.LOW,
)


def test_a_real_encode_is_repeated_and_its_report_has_the_runs(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path
) -> None:
    means = Means(model=PowerModel(8, 6.5), prices=Prices(0.3, 1.2, "EUR"))
    report = really(spawner, toolbox, tmp_path, ASSIGNMENT, account=Account(means))
    assert report is not None
    assert report.status is JobStatus.COMPLETED, report.error
    metrics, repeats = report.metrics, report.findings.repeats
    assert 3 <= len(repeats) <= 10
    assert metrics["runs"] == len(repeats)
    speeds = [each.speed for each in repeats if each.speed is not None]
    assert metrics["speed"] == pytest.approx(sum(speeds) / len(repeats), abs=1e-5)
    assert isinstance(metrics["interval_reached"], bool)
    assert metrics["energy_source"] == "model"
    walls = sum(each.wall_seconds or 0 for each in repeats)
    cpus = sum(each.cpu_seconds or 0 for each in repeats)
    assert metrics["energy_joules"] == pytest.approx((8 * walls + 6.5 * cpus) / len(repeats), rel=1e-4)
    assert metrics["cost"] is not None
    assert [path.name for path in files(tmp_path)] == ["480p-h264.mp4"]


def test_every_run_reads_its_input_from_the_beginning(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path, encode: Encode
) -> None:
    made = encode("480p-h264", {"duration": 0.5, "width": 64, "height": 64})
    assert made.error is None
    (tmp_path / "films").mkdir()
    Path(str(made.metrics["output_path"])).rename(tmp_path / "films" / "a.mp4")
    given = replace(ASSIGNMENT, input="media:films/a.mp4", parameters={"width": 64, "height": 64})
    report = really(
        spawner, toolbox, tmp_path / "work", given, inputs=InputRules({"films": tmp_path / "films"})
    )
    assert report is not None
    assert report.status is JobStatus.COMPLETED, report.error
    assert len(report.findings.repeats) >= 3


def test_a_stand_in_that_fails_at_its_second_run_leaves_nothing(
    spawner: Spawner, stand_in: StandIn, toolbox: Toolbox, tmp_path: Path
) -> None:
    real = toolbox.ffmpeg_for("libx264")
    assert real is not None
    once = tmp_path / "once"
    body = f"""
if os.path.exists({str(once)!r}):
    sys.exit(1)
open({str(once)!r}, "w").close()
os.execv({str(real.path)!r}, [{str(real.path)!r}, *sys.argv[1:]])
"""
    report = really(spawner, stand_in(body), tmp_path / "work", ASSIGNMENT)
    assert report is not None
    assert report.error is not None
    assert report.error.code == "encoder_error"
    assert report.error.message.startswith("run 2 of the repeated encode: ")
    assert report.metrics["runs"] == 2
    assert files(tmp_path / "work") == []
