"""How `ffrtmp` ends when it is part of a pipe or a script, and that options may stand in either place."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.masters import ROOT, Client
from tests.operator.conftest import Ffrtmp

_PROGRAM = "from master.operator.cli import main; main()"


def test_a_closed_pipe_ends_it_silently_as_it_ends_any_program(ffrtmp: Ffrtmp) -> None:
    ffrtmp("scenarios")  # trusts the CA, and says so
    command = [sys.executable, "-c", _PROGRAM, "-o", "json", "scenarios"]
    with subprocess.Popen(
        command, cwd=ROOT, env=ffrtmp.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(60) == 141


def test_the_format_may_stand_before_the_command_and_after_it(ffrtmp: Ffrtmp) -> None:
    before, after = ffrtmp("-o", "json", "scenarios"), ffrtmp("scenarios", "-o", "json")
    assert json.loads(before.stdout) == json.loads(after.stdout) != []
    assert ffrtmp("-o", "json", "scenarios", "-o", "csv").stdout.startswith("name,width_pixels,")


def test_quiet_prints_ids_of_a_list_and_of_what_was_submitted(ffrtmp: Ffrtmp) -> None:
    job_id = ffrtmp("jobs", "submit", "480p-h264", "-q").stdout.strip()
    assert job_id in ffrtmp("jobs", "list", "-q", "--limit", "100000").stdout.splitlines()
    assert ffrtmp("-q", "jobs", "list", "--limit", "1").stdout.count("\n") == 1


def test_what_was_done_is_a_sentence_or_the_documents_that_programs_read(
    client: Client, ffrtmp: Ffrtmp
) -> None:
    job_id = client.post("/jobs", json={"scenario": "480p-h264"}).json()["id"]
    assert ffrtmp.json("jobs", "pause", job_id)["status"] == "paused"
    assert ffrtmp("jobs", "cancel", job_id, "-q").stdout == f"{job_id}\n"


def test_a_file_that_is_written_keeps_its_short_name(ffrtmp: Ffrtmp) -> None:
    assert "-o, --to" in ffrtmp("files", "get", "--help").stdout
    assert "-o, --file" in ffrtmp("report", "--help").stdout
