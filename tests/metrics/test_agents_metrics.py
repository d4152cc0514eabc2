"""A real agent tells Prometheus what it is at and what it did; where it cannot, it says so and ends."""

from __future__ import annotations

import socket

import pytest
import requests
from prometheus_client import generate_latest

from agent.metrics import Metrics, Moment
from common.model import Failure, JobStatus, Progress, Report
from common.version import PROTOCOL, VERSION
from tests.masters import free_port, wait_until
from tests.metrics.promtool import promtool
from tests.metrics.support import Page
from tests.system.conftest import farm  # noqa: F401 - a fixture
from tests.system.farm import ENDLESS, TINY, Farm, job_is, submit


def look(port: int) -> Page:
    answer = requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
    assert answer.status_code == 200
    return Page(answer.text)


def test_a_real_agent_tells_of_its_jobs(farm: Farm) -> None:  # noqa: F811 - the fixture
    master, port = farm.master(), free_port()
    agent = farm.agent(
        master, "--max-concurrent-jobs=2", f"--metrics-port={port}", "--heartbeat-interval=300ms"
    )
    with master.client() as client:
        first = submit(client, TINY)
        job_is(client, first, "completed")
        wait_until(lambda: look(port).value("ffrtmp_agent_running_jobs") == 0, "the job is over")
        page = look(port)
        assert page.value("ffrtmp_agent_attempts_total", outcome="completed") == 1
        result = client.get(f"/jobs/{first}/result").json()["metrics"]
        assert page.value("ffrtmp_agent_ffmpeg_cpu_seconds_total") == pytest.approx(result["cpu_seconds"])
        assert page.value("ffrtmp_agent_slots") == 2
        assert page.value("ffrtmp_agent_outbox_reports") == 0
        assert (
            page.value("ffrtmp_agent_build_info", node=agent.node_id, version=VERSION, protocol=str(PROTOCOL))
            == 1
        )
        assert (page.value("ffrtmp_agent_cache_size_bytes") or 0) > 0
        assert (page.value("ffrtmp_agent_master_silence_seconds") or 60) < 60
        second = submit(client, ENDLESS)
        wait_until(lambda: look(port).value("ffrtmp_agent_frames_per_second", slot="0"), "it encodes", 30)
        page = look(port)
        assert page.value("ffrtmp_agent_running_jobs") == 1
        assert (page.value("ffrtmp_agent_speed_ratio", slot="0") or 0) > 0
        assert 0 <= (page.value("ffrtmp_agent_progress_ratio", slot="0") or 0) < 1
        wait_until(lambda: (look(port).value("ffrtmp_agent_heartbeat_seconds_count") or 0) > 1, "heartbeats")
        promtool("check", "metrics", stdin=requests.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text)
        client.post(f"/jobs/{second}/cancel")
        wait_until(
            lambda: look(port).value("ffrtmp_agent_attempts_total", outcome="unwanted") == 1, "it heard of it"
        )


def test_a_port_that_is_taken_ends_the_agent_with_a_clear_line(farm: Farm) -> None:  # noqa: F811 - the fixture
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        agent = farm.agent("https://localhost:1", f"--metrics-port={port}")
        assert agent.ends() == 2
    assert f"metrics cannot be served at 127.0.0.1 port {port}: Address already in use" in agent.log
    assert "Traceback" not in agent.log
    assert not agent.state_dir.exists()


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (("--metrics-port=0",), "0 is not in the range 1<=x<=65535"),
        (("--metrics-port=many",), "'many' is not a valid integer"),
        (("--metrics-port=9465", "--metrics-address=192.0.2.1"), "metrics cannot be served at 192.0.2.1"),
        (
            ("--metrics-port=9465", "--metrics-address=no such host"),
            "metrics cannot be served at no such host",
        ),
    ],
)
def test_a_bad_place_is_named(farm: Farm, flags: tuple[str, ...], said: str) -> None:  # noqa: F811 - the fixture
    agent = farm.agent("https://localhost:1", *flags)
    assert agent.ends() == 2
    assert said in agent.log
    assert "Traceback" not in agent.log


def test_what_an_attempt_cost_is_added_up_also_if_it_failed() -> None:
    metrics = Metrics()
    for status, error in ((JobStatus.COMPLETED, None), (JobStatus.FAILED, Failure("disk_full", "no room"))):
        metrics.reported(
            Report("j", "n", status, error=error, metrics={"cpu_seconds": 2.5, "energy_joules": None})
        )
    value = metrics.registry.get_sample_value
    for outcome in ("completed", "failed"):
        assert value("ffrtmp_agent_attempts_total", {"outcome": outcome}) == 1
    assert value("ffrtmp_agent_ffmpeg_cpu_seconds_total") == 5
    assert value("ffrtmp_agent_energy_joules_total") == 0


def test_what_is_not_known_has_no_series() -> None:
    metrics = Metrics()
    running = [(0, None), (1, Progress(fps=25.0))]
    metrics.show(lambda: Moment("n", 2, running, draining=True, outbox=0, cache_bytes=None, cache_most=None))
    page = Page(generate_latest(metrics.registry).decode())
    assert page.value("ffrtmp_agent_running_jobs") == 2
    assert page.all("ffrtmp_agent_frames_per_second") == [{"slot": "1"}]
    for name in ("speed_ratio", "progress_ratio", "cache_bytes", "master_silence_seconds"):
        assert page.all(f"ffrtmp_agent_{name}") == []
    assert page.value("ffrtmp_agent_draining") == 1
