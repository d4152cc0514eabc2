"""`POST /nodes/register` makes a node known, or known again."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from tests.api.corner import Corner, got, refused_fields
from tests.masters import Client

GUIDE = {
    "address": "worker-01",
    "type": "desktop",
    "cpu_threads": 8,
    "cpu_model": "AMD EPYC 7763 64-Core Processor",
    "has_gpu": False,
    "ram_bytes": 16777216000,
    "labels": {"arch": "amd64", "node_type": "desktop", "os": "linux"},
}


def test_the_guides_node_comes_back_as_it_was_sent(corner: Corner) -> None:
    sent = {**GUIDE, "labels": {**GUIDE["labels"], **corner.labels}}  # type: ignore[dict-item]  # GUIDE mixes types
    node = corner.register(**sent)
    assert {name: node[name] for name in sent} == sent
    assert node["status"] == "available"
    uuid.UUID(node["id"])


def test_only_the_address_is_needed_and_the_rest_is_unknown(client: Client, corner: Corner) -> None:
    node = got(client.post("/nodes/register", json={"address": "bare"}), 201)
    for name in ("type", "cpu_threads", "cpu_model", "has_gpu", "ram_bytes", "encoders", "ffmpeg_version"):
        assert node[name] is None, name
    assert (node["labels"], node["max_concurrent_jobs"], node["run_unlabeled"]) == ({}, 1, True)
    # It would take every other test's jobs without labels.
    got(client.post(f"/nodes/{node['id']}/drain"))


def test_the_answer_says_for_how_long_silence_is_forgiven(corner: Corner) -> None:
    node = corner.register()
    assert (node["heartbeat_timeout"], node["lease"]) == (3600, 3600)


def test_registering_again_keeps_the_id_the_date_and_the_drain(corner: Corner) -> None:
    first = corner.register(id=str(uuid.uuid4()), cpu_threads=4)
    got(corner.client.post(f"/nodes/{first['id']}/drain"))
    again = corner.register(id=first["id"], cpu_threads=8)
    assert (again["id"], again["registered_at"]) == (first["id"], first["registered_at"])
    assert (again["cpu_threads"], again["status"]) == (8, "draining")


def test_an_agent_that_was_started_anew_gives_its_job_up(corner: Corner) -> None:
    node = corner.register(id=str(uuid.uuid4()), instance="first")
    job = corner.submit()
    corner.poll(node["id"])
    corner.register(id=node["id"], instance="first")
    assert corner.job(job["id"])["status"] == "running"
    corner.register(id=node["id"], instance="second")
    job = corner.job(job["id"])
    assert (job["status"], job["error"]["code"]) == ("pending", "agent_restarted")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("address", ""),
        ("address", 5),
        ("address", "x" * 256),
        ("id", "../../etc"),
        ("credential", "short"),
        ("type", "toaster"),
        ("cpu_threads", "8"),
        ("cpu_threads", 0),
        ("cpu_threads", True),
        ("cpu_threads", 1.5),
        ("cpu_model", 7),
        ("has_gpu", "no"),
        ("has_gpu", 1),
        ("ram_bytes", -1),
        ("labels", ["a"]),
        ("labels", {"bad name": "x"}),
        ("labels", {"arch": 64}),
        ("encoders", "libx264"),
        ("encoders", ["; rm"]),
        ("max_concurrent_jobs", 0),
        ("max_concurrent_jobs", 1025),
        ("run_unlabeled", None),
        ("instance", "a b"),
        ("surprise", 1),
    ],
)
def test_a_field_that_does_not_fit_is_named(client: Client, field: str, value: Any) -> None:
    answer = client.post("/nodes/register", json={"address": "worker-01", field: value})
    assert all(name.startswith(field) for name in refused_fields(answer))


def test_a_missing_address_is_named(client: Client) -> None:
    assert refused_fields(client.post("/nodes/register", json={})) == ["address"]


def test_a_node_says_why_an_encoder_failed_its_trial(corner: Corner) -> None:
    assert corner.register()["encoder_failures"] is None
    why = {"h264_nvenc": "Cannot load libcuda.so.1"}
    node = corner.register(encoders=["libx264"], encoder_failures=why)
    assert corner.node(node["id"])["encoder_failures"] == why


@pytest.mark.parametrize(
    "failures", [{"h264_nvenc": ""}, {"h264_nvenc": "x" * 301}, {"/bin/sh": "x"}, ["h264_nvenc"], {"a": None}]
)
def test_reasons_that_are_none_are_refused(client: Client, failures: object) -> None:
    answer = client.post("/nodes/register", json={"address": "bare", "encoder_failures": failures})
    assert refused_fields(answer)[0].startswith("encoder_failures")
