"""The beginning of an id is enough where it is one's alone; else the candidates are listed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import click
import pytest

from common.client import MasterClient
from master.operator import ids
from master.operator.exits import UnknownError
from tests.api.corner import Corner
from tests.masters import Client
from tests.operator.conftest import Ffrtmp

_NODES = [
    {"id": "aaaa1111-0", "address": "render-1", "status": "busy"},
    {"id": "aaaa2222-0", "address": "render-2", "status": "busy"},
    {"id": "bbbb0000-0", "address": "render-2", "status": "busy"},
]


class _Fake(MasterClient):
    """Answers from a list."""

    def __init__(self, jobs: list[dict[str, Any]]) -> None:
        self._known = jobs

    def jobs_beginning(self, id_prefix: str) -> Iterator[dict[str, Any]]:
        return (job for job in self._known if job["id"].startswith(id_prefix))

    def nodes(self) -> list[dict[str, Any]]:
        return list(_NODES)


def _job(job_id: str) -> dict[str, Any]:
    return {"id": job_id, "scenario": "720p-h264", "status": "failed"}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("aaaa1", "aaaa1111-0"),
        ("bbbb", "bbbb0000-0"),
        ("render-1", "aaaa1111-0"),
        ("bbb", "bbb"),
        ("nobody", "nobody"),
    ],
)
def test_a_node_has_a_beginning_or_a_name(typed: str, meant: str) -> None:
    assert ids.node_id(_Fake([]), typed) == meant


@pytest.mark.parametrize("typed", ["aaaa", "render-2"])
def test_what_several_nodes_have_lists_them(typed: str) -> None:
    with pytest.raises(UnknownError) as caught:
        ids.node_id(_Fake([]), typed)
    assert str(caught.value).startswith(f"{typed} may be several nodes; write more of the id:\n  aaaa")
    assert str(caught.value).count("\n") == 2


def test_of_very_many_jobs_some_are_listed() -> None:
    with pytest.raises(UnknownError) as caught:
        ids.job_id(_Fake([_job(f"aaaa{number:04}") for number in range(50)]), "aaaa")
    lines = str(caught.value).splitlines()
    assert lines[1] == "  aaaa0000  720p-h264  failed"
    assert (len(lines), lines[-1]) == (12, "  …")


def test_an_empty_id_is_no_beginning_of_all() -> None:
    for find in (ids.job_id, ids.node_id):
        with pytest.raises(click.BadParameter, match="is a variable unset"):
            find(_Fake([_job("aaaa")]), "")


def test_a_job_is_steered_by_the_beginning_of_its_id(client: Client, ffrtmp: Ffrtmp) -> None:
    job_id = Corner(client).submit()["id"]
    assert ffrtmp("jobs", "pause", job_id[:18]).stdout == f"Job {job_id} is paused.\n"
    assert ffrtmp.json("jobs", "show", job_id[:18])["id"] == job_id
    assert ffrtmp("jobs", "logs", job_id[:18]).returncode == 0
    assert ffrtmp("jobs", "cancel", job_id[:18]).stdout == f"Job {job_id} is canceled.\n"
    assert ffrtmp("jobs", "retry", job_id[:18]).returncode == 0


def test_no_job_begins_so_is_told_by_the_master(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("jobs", "show", "ffff-ffff")
    assert (done.returncode, "There is no job 'ffff-ffff'" in done.stderr) == (5, True)
