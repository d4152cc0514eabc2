"""`ffrtmp jobs submit` takes `--after` and `--split`, and `jobs show` tells what came of both."""

from __future__ import annotations

import json
from typing import Any

import pytest

from common.version import PROTOCOL
from tests.api.corner import Corner, got
from tests.api.test_divisible_inputs import divisible
from tests.operator.conftest import Ffrtmp

SPLIT: dict[str, Any] = {"scenario": "720p-h264", "input": "media:films/a.mp4"}


def submitted(ffrtmp: Ffrtmp, *arguments: str) -> str:
    done = ffrtmp("-q", "jobs", "submit", "480p-h264", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_after_names_jobs_by_the_beginnings_of_their_ids_each_once(ffrtmp: Ffrtmp) -> None:
    one, two = submitted(ffrtmp), submitted(ffrtmp)
    last = submitted(ffrtmp, "--after", one[:13], "--after", two, "--after", one)
    job = ffrtmp.json("jobs", "show", last)
    assert job["depends_on"] == [one, two]
    shown = ffrtmp("jobs", "show", last).stdout
    assert f"depends_on: {one}, {two}" in shown
    assert "pending_reason: waits for 2 of 2 jobs: " in shown


def test_of_very_many_jobs_people_are_shown_the_first_and_programs_all(ffrtmp: Ffrtmp) -> None:
    ids = [submitted(ffrtmp) for _ in range(22)]
    last = submitted(ffrtmp, *(word for each in ids for word in ("--after", each)))
    assert ffrtmp.json("jobs", "show", last)["depends_on"] == ids
    (line,) = [text for text in ffrtmp("jobs", "show", last).stdout.splitlines() if "depends_on" in text]
    assert (ids[19] in line, ids[20] in line) == (True, False)
    assert line.endswith("and 2 more")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--after", "00000000-0000-4000-8000-000000000000"], "There is no job"),
        (["--after", "ffff"], "must be the whole id of a job"),
        (["--after", ""], "empty"),
        (["--split", "auto"], "parameters.split: there is no input to divide"),
        (["--split", "1", "--input", "media:films/a.mp4"], "parameters.split"),
        (["--split", "501", "--input", "media:films/a.mp4"], "parameters.split"),
        (["--split", "some", "--input", "media:films/a.mp4"], "parameters.split"),
    ],
)
def test_what_cannot_be_is_refused_in_a_clear_line(ffrtmp: Ffrtmp, arguments: list[str], words: str) -> None:
    done = ffrtmp("jobs", "submit", "480p-h264", *arguments)
    assert done.returncode in (1, 2, 5)
    assert words.lower() in done.stderr.splitlines()[-1].lower()


@pytest.mark.parametrize(("typed", "asked"), [("auto", "auto"), ("off", "off"), ("12", 12)])
def test_split_is_the_parameter_of_that_name(ffrtmp: Ffrtmp, typed: str, asked: object) -> None:
    job_id = submitted(ffrtmp, "--split", typed, "--input", "media:films/a.mp4")
    assert ffrtmp.json("jobs", "show", job_id)["parameters"] == {"split": asked}


def test_a_split_job_is_shown_with_its_parts_in_the_order_of_the_film(ffrtmp: Ffrtmp, corner: Corner) -> None:
    root = corner.labels["corner"]
    node = corner.register(
        {"Ffrtmp-Protocol": str(PROTOCOL)}, media_roots=[root], max_concurrent_jobs=8, address="worker-07"
    )
    job_id = corner.submit(input=f"media:{root}/a.mp4", parameters={"split": 4, "crf": 23})["id"]
    got(corner.report(corner.poll(node["id"])["job"], findings={"divisible": divisible()}))
    for _ in range(2):
        got(corner.report(corner.poll(node["id"])["job"]))
    lines = ffrtmp("jobs", "show", job_id).stdout.splitlines()
    assert "pending_reason: waits for its parts: 1 of 4 chunks completed" in lines
    place = lines.index("parts: 2 of 5 completed")
    rows = [line.split() for line in lines[place + 1 : place + 7]]
    assert rows[0] == ["PART", "ID", "STATUS", "NODE"]
    assert [row[0] for row in rows[1:]] == [*(f"chunk-00{n}" for n in range(1, 5)), "sound"]
    assert sorted(row[2] for row in rows[1:]) == ["completed"] * 2 + ["pending"] * 3
    assert {row[3] for row in rows[1:] if row[2] == "completed"} == {"worker-07"}
    assert [each["part"] for each in ffrtmp.json("jobs", "show", job_id)["parts"]] == [
        row[0] for row in rows[1:]
    ]
    assert json.dumps(ffrtmp.json("jobs", "show", rows[1][1])["depends_on"]) == "[]"
