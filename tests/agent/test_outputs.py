"""Old outputs go, by age and by size; what is not a finished output of ours is never touched."""

from __future__ import annotations

import os
import time
import uuid
from pathlib import Path

import pytest

from agent.outputs import Clocks, Output, prune, set_ahead, superfluous
from tests.agent.publish.attempt import JOB, PIECES, VIDEO, Attempt

DAY = 86_400.0


def old(job_id: str, days: float, size: int = 10) -> Output:
    return Output(job_id, 1000 * DAY - days * DAY, size)


def going(outputs: list[Output], most_days: float, most_bytes: int) -> list[str]:
    return [output.job_id for output in superfluous(outputs, 1000 * DAY, most_days * DAY, most_bytes)]


FOUR = [old("b", 29), old("d", 40), old("a", 1), old("c", 31)]


@pytest.mark.parametrize(
    ("most_days", "most_bytes", "gone"),
    [
        (50, 40, []),
        (30, 40, ["d", "c"]),
        (50, 30, ["d"]),
        (30, 10, ["d", "c", "b"]),
        (50, 0, ["d", "c", "b", "a"]),
        (0.5, 100, ["d", "c", "b", "a"]),
    ],
)
def test_what_is_too_old_goes_and_then_the_oldest_until_the_rest_fits(
    most_days: float, most_bytes: int, gone: list[str]
) -> None:
    assert going(FOUR, most_days, most_bytes) == gone


def test_one_from_the_future_is_not_old() -> None:
    assert going([old("a", -500)], 30, 100) == []


def output(work_dir: Path, name: str | None = None, file: str = "480p-h264.mp4", days: float = 40) -> Path:
    """A file of a job, as old as that; its path."""
    path = work_dir / (name or str(uuid.uuid4())) / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"0123456789")
    os.utime(path, (time.time() - days * DAY,) * 2)
    return path


def pruned(work_dir: Path, most_bytes: int | None = 1000, running: frozenset[str] = frozenset()) -> None:
    prune(work_dir, time.time(), 30 * DAY, most_bytes, lambda: running)


def test_the_directory_of_an_old_job_is_removed_and_a_newer_one_stays(tmp_path: Path) -> None:
    ancient, recent = output(tmp_path), output(tmp_path, days=20)
    pruned(tmp_path)
    assert list(tmp_path.iterdir()) == [recent.parent]
    assert recent.exists()
    assert not ancient.exists()


def test_by_default_they_may_take_half_of_the_disk(tmp_path: Path) -> None:
    recent = output(tmp_path, days=20)
    pruned(tmp_path, most_bytes=None)
    assert recent.exists()
    pruned(tmp_path, most_bytes=9)
    assert not recent.exists()


def test_a_running_jobs_earlier_output_stays(tmp_path: Path) -> None:
    kept = output(tmp_path)
    pruned(tmp_path, running=frozenset({kept.parent.name}))
    assert kept.exists()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("holidays", "480p-h264.mp4"),
        ("holidays-" + JOB, "480p-h264.mp4"),
        (JOB.upper(), "480p-h264.mp4"),
        (JOB, "480p-h264.mp4.node-1-lease-1.part"),
        (JOB, "letter.txt"),
        (JOB, "my-final-cut.mp4"),
        (JOB, "480p-h264-cut.mp4"),
        (JOB, ".mp4"),
        (JOB, "deeper/480p-h264.mp4"),
    ],
)
def test_what_is_not_a_finished_output_is_not_touched(tmp_path: Path, name: str, file: str) -> None:
    other = output(tmp_path, name, file)
    beside = output(tmp_path, name)
    pruned(tmp_path, most_bytes=0)
    assert other.exists()
    assert beside.exists()


def several(work_dir: Path, job_id: str = JOB) -> Path:
    """The directory of an old job that made several files."""
    Attempt(work_dir, job_id=job_id).publishes(PIECES, pieces=True)
    Attempt(work_dir, job_id=job_id).publishes({**VIDEO, "poster.jpg": b"jpeg"})
    for path in (work_dir / job_id).rglob("*"):
        os.utime(path, (time.time() - 40 * DAY,) * 2)
    return work_dir / job_id


def test_an_old_job_with_several_files_goes_as_a_whole(tmp_path: Path) -> None:
    directory = several(tmp_path)
    pruned(tmp_path)
    assert not directory.exists()


@pytest.mark.parametrize(
    "extra", ["480p-h264/letter.txt", "480p-h264/720p/letter.txt", "480p-h264.mp4.files/letter.txt"]
)
def test_what_was_put_among_several_files_is_not_touched(tmp_path: Path, extra: str) -> None:
    directory = several(tmp_path)
    (directory / extra).write_bytes(b"precious")
    pruned(tmp_path, most_bytes=0)
    assert (directory / extra).exists()
    assert (directory / "480p-h264.mp4").exists()


def test_a_directory_with_the_list_of_another_job_is_not_touched(tmp_path: Path) -> None:
    directory = several(tmp_path)
    other = directory.rename(directory.with_name(str(uuid.uuid4())))
    pruned(tmp_path, most_bytes=0)
    assert (other / "480p-h264").exists()


def test_no_link_is_followed(tmp_path: Path) -> None:
    work, elsewhere = tmp_path / "work", tmp_path / "elsewhere"
    precious = output(elsewhere)
    work.mkdir()
    (work / str(uuid.uuid4())).symlink_to(precious.parent)
    (work / str(uuid.uuid4())).mkdir()
    link = work / str(uuid.uuid4()) / "480p-h264.mp4"
    link.parent.mkdir()
    link.symlink_to(precious)
    pruned(work, most_bytes=0)
    assert precious.exists()
    assert link.is_symlink()


def test_a_work_directory_that_is_gone_is_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    pruned(tmp_path / "nowhere")
    assert f"Cannot look for old outputs in {tmp_path / 'nowhere'}" in caplog.text


@pytest.mark.parametrize(
    ("wall", "steady", "ahead"),
    [
        (1000 * DAY, 0, False),
        (1001 * DAY, DAY, False),
        (1001 * DAY + 60, DAY, False),
        (1001 * DAY + 61, DAY, True),
        (1365 * DAY, 300, True),
        (1001 * DAY, 2 * DAY, False),  # set back: nothing looks older than it is
        (1, DAY, False),
    ],
)
def test_a_clock_that_gained_more_than_passed_is_ahead(wall: float, steady: float, ahead: bool) -> None:
    begun = Clocks(wall=1000 * DAY, steady=50.0)
    assert set_ahead(begun, Clocks(wall, 50.0 + steady)) is ahead
