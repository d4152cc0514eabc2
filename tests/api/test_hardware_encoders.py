"""A job that asks for hardware goes to a node that has it, and says so while there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from common import problems
from common.version import PROTOCOL
from tests.api.corner import Corner, got, refused_fields
from tests.masters import start_master


def node_with(corner: Corner, *encoders: str) -> dict[str, Any]:
    """A node whose agent speaks our protocol."""
    sent = {"address": "n", "labels": corner.labels, "run_unlabeled": False, "encoders": list(encoders)}
    speaks = {"Ffrtmp-Protocol": str(PROTOCOL)}
    return dict(got(corner.client.post("/nodes/register", json=sent, headers=speaks), 201))


def test_a_name_waits_for_a_node_that_offers_that_encoder(tmp_path: Path) -> None:
    """On a master of its own, since the reason speaks of all its nodes."""
    master = start_master(tmp_path / "state")
    try:
        with master.client() as client:
            corner = Corner(client)
            node_with(corner, "libx264")
            job = corner.submit(parameters={"hwaccel": "nvenc"})
            assert job["constraints"]["encoders"] == ["h264_nvenc"]
            assert corner.job(job["id"])["pending_reason"] == "no node offers encoder h264_nvenc"
            node = node_with(corner, "h264_nvenc", "libx264")
            assert corner.poll(node["id"])["job"]["id"] == job["id"]
    finally:
        assert master.stop() == 0


def test_auto_runs_wherever_the_software_does(corner: Corner) -> None:
    job = corner.submit(parameters={"hwaccel": "auto"})
    assert job["constraints"]["encoders"] == ["libx264"]
    node = node_with(corner, "libx264")
    assert corner.poll(node["id"])["job"]["id"] == job["id"]


def test_what_no_hardware_can_do_is_refused_at_once(corner: Corner) -> None:
    sent = {"scenario": "720p-h264", "parameters": {"hwaccel": "qsv", "threads": 2}}
    assert refused_fields(corner.client.post("/jobs", json=sent), problems.INVALID) == ["parameters.threads"]
    sent = {"scenario": "720p30-vp9", "parameters": {"hwaccel": "qsv"}}
    assert refused_fields(corner.client.post("/jobs", json=sent), problems.INVALID) == ["parameters.hwaccel"]
