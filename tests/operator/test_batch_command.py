"""`ffrtmp jobs batch` queues what a file lists, all or none."""

from __future__ import annotations

from pathlib import Path

from tests.operator.conftest import Ffrtmp

LINES = '{"scenario": "480p-h264"}\n\n{"scenario": "720p-h264", "priority": "low"}\n'


def test_a_file_with_a_job_on_each_line_or_a_list_is_queued(ffrtmp: Ffrtmp, tmp_path: Path) -> None:
    file = tmp_path / "jobs"
    for text in (LINES, '[{"scenario": "480p-h264"}, {"scenario": "720p-h264"}]'):
        file.write_text(text)
        done = ffrtmp("jobs", "batch", str(file))
        assert done.returncode == 0, done.stderr
        scenarios = [ffrtmp.json("jobs", "show", i)["scenario"] for i in done.stdout.split()]
        assert scenarios == ["480p-h264", "720p-h264"]


def test_what_cannot_be_queued_is_one_clear_line(ffrtmp: Ffrtmp, tmp_path: Path) -> None:
    file = tmp_path / "jobs"
    for text, status, complaint in (
        ("", 2, "there is no job in it"),
        ('{"scenario": "480p-h264"}\n{oops\n', 2, "line 2 is no JSON that we take"),
        ('{"scenario": "480p-h264", "parameters": {"crf": NaN}}', 2, "line 1 is no JSON that we take"),
        ('{"scenario": "480p-h264"}\n{"scenario": "none"}\n', 1, "jobs.1: There is no scenario 'none'."),
    ):
        file.write_text(text)
        done = ffrtmp("jobs", "batch", str(file))
        assert done.returncode == status, done.stderr
        assert complaint in done.stderr.splitlines()[-1]
    assert ffrtmp("jobs", "batch", str(tmp_path / "none")).returncode == 2
