"""An old attempt that ends late never touches the next one's file, and leftovers of the dead go."""

import threading
from pathlib import Path

from agent.ffmpeg.discover import Toolbox
from agent.ffmpeg.spawner import Spawner
from agent.runner import run_job
from agent.task import Assignment
from agent.workspace import remove_leftovers
from common.model import JobStatus, Progress


def test_dropping_the_old_attempt_leaves_the_new_one_whole(
    spawner: Spawner, toolbox: Toolbox, tmp_path: Path
) -> None:
    old_begun, drop_old = threading.Event(), threading.Event()

    def told(_: Progress, __: list[str]) -> None:
        old_begun.set()

    old = Assignment("job-1", "480p-h264", {"duration": 36_000}, "old-lease", 1)
    new = Assignment("job-1", "480p-h264", {"duration": 1}, "new-lease", 2)
    arguments = (old, "node-1", toolbox, spawner, tmp_path, told, drop_old)
    thread = threading.Thread(target=run_job, args=arguments)
    thread.start()
    assert old_begun.wait(30)

    def drop_the_old_one(_: Progress, __: list[str]) -> None:
        drop_old.set()
        thread.join(30)

    report = run_job(new, "node-1", toolbox, spawner, tmp_path, drop_the_old_one, threading.Event())
    assert report is not None
    assert (report.status, report.error) == (JobStatus.COMPLETED, None)
    assert [file.name for file in (tmp_path / "job-1").iterdir()] == ["480p-h264.mp4"]


def test_leftovers_of_a_dead_agent_are_removed_and_those_of_others_are_not(tmp_path: Path) -> None:
    for name in ("job-1/node-one-lease1.part/a.mp4", "job-2/node-two-lease1.part/a.mp4", "job-2/a.mp4"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "job-2" / ".ffrtmp-node-one-lease1.part").write_bytes(b"x")
    (tmp_path / "job-2" / ".ffrtmp-node-two-lease1.part").write_bytes(b"x")
    remove_leftovers(tmp_path, "node-one-and-more")
    left = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    assert left == {"job-2/node-two-lease1.part/a.mp4", "job-2/a.mp4", "job-2/.ffrtmp-node-two-lease1.part"}
    assert not (tmp_path / "job-1").exists()


def test_a_work_directory_of_any_bytes_is_fine(spawner: Spawner, toolbox: Toolbox, tmp_path: Path) -> None:
    odd = tmp_path / b"caf\xe9".decode("utf-8", "surrogateescape")
    assignment = Assignment("job-1", "480p-h264", {"duration": 0.1}, "lease-1", 1)
    report = run_job(assignment, "node-1", toolbox, spawner, odd, lambda *_: None, threading.Event())
    assert report is not None
    assert str(report.metrics["output_path"]).encode("utf-8")
