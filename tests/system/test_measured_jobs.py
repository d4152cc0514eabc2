"""A job that is measured runs alone and several times, and its result says what it cost, and how."""

from __future__ import annotations

import pytest

from tests.system.farm import ENDLESS, TINY, Farm, job, job_is, submit


def test_a_repeated_encode_on_a_node_with_a_power_model(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(
        master,
        "--max-concurrent-jobs=2",
        "--power-model=idle=8,per_core=6.5",
        "--price-per-kwh=0.30",
        "--price-per-hour=1.20",
        "--currency=EUR",
    )
    # A machine with counters needs no estimate.
    source = "model" if "by the power model" in agent.says("Energy: ") else "rapl"
    with master.client() as client:
        assert client.get(f"/nodes/{agent.node_id}").json()["energy_source"] == source
        other = submit(client, ENDLESS)
        job_is(client, other, "running")
        wanted = {"scenario": "480p30-h264", "confidence": "low", "parameters": {**TINY, "energy": True}}
        measured = client.post("/jobs", json=wanted).json()["id"]
        assert job(client, measured)["pending_reason"] == "waits for an idle node: it runs alone on its node"
        client.post(f"/jobs/{other}/cancel")
        job_is(client, measured, "completed")
        result = client.get(f"/jobs/{measured}/result").json()
    metrics, repeats = result["metrics"], result["repeats"]
    assert metrics["runs"] == len(repeats) in range(3, 11)
    assert metrics["speed_low"] <= metrics["speed"] <= metrics["speed_high"]
    assert metrics["interval_reached"] in (True, False)
    assert metrics["wall_seconds"] == pytest.approx(
        sum(r["wall_seconds"] for r in repeats) / len(repeats), rel=1e-4
    )
    if source == "model":
        assert metrics["energy_joules"] == pytest.approx(
            8 * metrics["wall_seconds"] + 6.5 * metrics["cpu_seconds"], rel=1e-3
        )
        assert "estimate, not measured: (8 W + 6.5 W x " in metrics["energy_note"]
        assert metrics["cost"] == pytest.approx(
            metrics["energy_joules"] / 3.6e6 * 0.30 + metrics["wall_seconds"] / 3600 * 1.20, rel=1e-3
        )
    assert metrics["currency"] == "EUR"
    assert result["sources"]["speed"] == "duration / wall_seconds; mean of the runs"


def test_jobs_beside_each_other_have_no_energy_and_say_so(farm: Farm) -> None:
    master = farm.master()
    agent = farm.agent(master, "--max-concurrent-jobs=2", "--power-model=idle=8,per_core=6.5")
    assert agent.node_id
    with master.client() as client:
        job_is(client, submit(client, ENDLESS), "running")
        short = submit(client, TINY)
        job_is(client, short, "completed")
        metrics = client.get(f"/jobs/{short}/result").json()["metrics"]
    assert metrics["energy_joules"] is None
    assert metrics["energy_note"] == "another job ran on this node at the same time"
