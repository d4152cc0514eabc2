"""Which job a node gets next, and what a waiting job says of itself."""

from __future__ import annotations

from typing import Any

import pytest

from common.model import Role
from common.version import PROTOCOL
from master.lifecycle import commands
from master.service import Caller, Farm, nodes, queue
from tests.core.support import OPERATOR, claim, job, must_claim, register, submit


def reason(farm: Farm, job_id: str) -> str | None:
    return job(farm, job_id).pending_reason


def test_higher_priority_goes_first_and_equals_go_in_order_of_submission(farm: Farm) -> None:
    ids = {p + n: submit(farm, priority=p) for n in "12" for p in ("low", "medium", "high")}
    node_id = register(farm, max_concurrent_jobs=6)
    order = [must_claim(farm, node_id).job.id for _ in range(6)]
    assert order == [ids[k] for k in ("high1", "high2", "medium1", "medium2", "low1", "low2")]


def test_a_job_that_no_node_can_run_never_blocks_those_behind_it(farm: Farm) -> None:
    stuck = submit(farm, priority="high", constraints={"encoders": ["h264_nvenc"]})
    runnable = submit(farm, priority="low")
    node_id = register(farm, encoders=["libx264"])
    assert must_claim(farm, node_id).job.id == runnable
    assert reason(farm, stuck) == "no node offers encoder h264_nvenc"


@pytest.mark.parametrize(
    ("constraints", "node", "fits"),
    [
        ({"labels": {"site": "a"}}, {"labels": {"site": "a", "os": "linux"}}, True),
        ({"labels": {"site": "a"}}, {"labels": {"site": "b"}}, False),
        ({"labels": {"site": "a"}}, {}, False),
        ({"encoders": ["libx265"]}, {"encoders": ["libx264", "libx265"]}, True),
        ({"encoders": ["libx265"]}, {"encoders": ["libx264"]}, False),
        ({"encoders": ["libx265"]}, {}, True),  # a node that says nothing of encoders is taken at its word
        ({"gpu": True}, {"has_gpu": True}, True),
        ({"gpu": True}, {"has_gpu": False}, False),
        ({"gpu": True}, {}, False),
        ({}, {"encoders": []}, False),  # the scenario itself needs libx264
        ({}, {"run_unlabeled": False, "labels": {"site": "a"}}, False),
        ({"labels": {"site": "a"}}, {"run_unlabeled": False, "labels": {"site": "a"}}, True),
    ],
)
def test_a_node_gets_only_what_it_can_run(
    farm: Farm, constraints: dict[str, Any], node: dict[str, Any], fits: bool
) -> None:
    submit(farm, constraints=constraints)
    assert (claim(farm, register(farm, **node)) is not None) is fits


def test_a_node_gets_no_more_jobs_than_it_has_slots(farm: Farm) -> None:
    for _ in range(3):
        submit(farm)
    node_id = register(farm, max_concurrent_jobs=2)
    assert [claim(farm, node_id) is not None for _ in range(3)] == [True, True, False]


def test_a_waiting_job_says_what_it_waits_for(farm: Farm) -> None:
    job_id = submit(farm)
    assert reason(farm, job_id) == "no node is registered"
    stranger = register(farm, caller=Caller(Role.ANYONE), credential="c" * 32)
    assert (
        reason(farm, job_id) == f"no node is approved yet; approve one with: ffrtmp nodes approve {stranger}"
    )
    register(farm, encoders=["libx265"])
    assert reason(farm, job_id) == "no node offers encoder libx264"
    able = register(farm, encoders=["libx264"])
    assert reason(farm, job_id) == "waits for a free slot"
    picky = submit(farm, constraints={"labels": {"site": "a"}, "gpu": True})
    assert reason(farm, picky) == "no node offers label site=a and a GPU"
    must_claim(farm, able)
    assert reason(farm, job_id) is None


def test_what_no_single_node_offers_is_named(farm: Farm) -> None:
    register(farm, labels={"site": "a"}, has_gpu=False)
    register(farm, labels={"site": "b"}, has_gpu=True)
    job_id = submit(farm, constraints={"labels": {"site": "a"}, "gpu": True})
    assert (reason(farm, job_id) or "").startswith("no single node offers all it needs; the closest lacks ")


def test_nodes_for_labelled_jobs_only_are_said_to_be_so(farm: Farm) -> None:
    register(farm, labels={"site": "a"}, run_unlabeled=False)
    assert reason(farm, submit(farm)) == "every node takes only jobs that name its labels"


@pytest.mark.parametrize(
    ("source", "node", "fits"),
    [
        ("media:films/a.mp4", {"media_roots": ["films", "news"]}, True),
        ("media:films/a.mp4", {"media_roots": ["news"]}, False),
        ("media:films/a.mp4", {}, False),
        ("https://a.example.com/a.mp4", {"input_hosts": ["*.example.com"]}, True),
        ("https://example.org/a.mp4", {"input_hosts": ["*.example.com"]}, False),
        ("https://example.org/a.mp4", {}, False),
        (None, {}, True),
    ],
)
def test_a_job_with_an_input_goes_to_a_node_that_can_read_it(
    farm: Farm, source: str | None, node: dict[str, Any], fits: bool
) -> None:
    submit(farm, input=source)
    claimed = claim(farm, register(farm, **node))
    assert (claimed is not None) is fits
    assert claimed is None or claimed.job.input == source


def test_a_job_whose_input_nobody_can_read_says_so(farm: Farm) -> None:
    register(farm)
    film = submit(farm, input="media:films/a.mp4")
    page = submit(farm, input="https://example.com:8443/a.mp4")
    assert reason(farm, film) == "no node declares the media root 'films'"
    assert reason(farm, page) == "no node may fetch from the host https://example.com:8443"
    register(farm, media_roots=["films"], input_hosts=["example.com:8443"], encoders=[])
    assert reason(farm, film) == (
        "no single node offers all it needs; the closest lacks the media root 'films'"
    )


NEW = Caller(Role.OPERATOR, protocol=PROTOCOL)
"""An agent of today."""


@pytest.mark.parametrize(
    ("output", "node", "fits"),
    [
        ("media:finished/a.mp4", {"output_roots": ["finished", "news"]}, True),
        ("media:finished/a.mp4", {"output_roots": ["news"]}, False),
        ("media:finished/a.mp4", {"media_roots": ["finished"]}, False),
        ("files", {}, True),
        (None, {}, True),
    ],
)
def test_a_job_with_an_output_goes_to_a_node_that_can_write_it(
    farm: Farm, output: str | None, node: dict[str, Any], fits: bool
) -> None:
    submit(farm, output=output)
    claimed = claim(farm, register(farm, caller=NEW, **node))
    assert (claimed is not None) is fits
    assert claimed is None or claimed.job.output == output


def test_a_job_whose_output_nobody_can_write_says_so(farm: Farm) -> None:
    register(farm, caller=NEW, media_roots=["finished"])
    job_id = submit(farm, output="media:finished/a.mp4")
    assert reason(farm, job_id) == "no node writes to the media root 'finished'"


def test_a_bucket_that_nobody_may_fetch_from_is_named(farm: Farm) -> None:
    job_id = submit(farm, input="s3://bucket/a.mp4")
    register(farm, input_hosts=["s3://another", "bucket"])
    assert reason(farm, job_id) == "no node may fetch from the bucket s3://bucket"
    assert claim(farm, register(farm, input_hosts=["s3://bucket"])) is not None


def test_an_agent_that_would_refuse_odd_bytes_in_a_path_gets_no_job_with_them(farm: Farm) -> None:
    submit(farm, input=r"media:films/caf\xe9.mp4")
    assert claim(farm, register(farm, media_roots=["films"])) is None
    assert claim(farm, register(farm, caller=NEW, media_roots=["films"])) is not None


def test_the_reason_follows_each_change_of_the_nodes_and_of_the_queue(farm: Farm) -> None:
    job_id = submit(farm)
    assert reason(farm, job_id) == "no node is registered"
    node_id = register(farm)
    assert reason(farm, job_id) == "waits for a free slot"
    queue.change(farm, OPERATOR, commands.PauseQueue())
    assert (reason(farm, job_id) or "").startswith("the queue is paused")
    queue.change(farm, OPERATOR, commands.ResumeQueue())
    nodes.change(farm, OPERATOR, node_id, commands.Drain())
    assert reason(farm, job_id) == "every node that could run it is draining"
    nodes.change(farm, OPERATOR, node_id, commands.Resume())
    assert reason(farm, job_id) == "waits for a free slot"
    nodes.remove(farm, OPERATOR, node_id)
    assert reason(farm, job_id) == "no node is registered"
