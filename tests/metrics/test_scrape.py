"""A real master tells Prometheus what really happened to it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client, Master, patient_master, start_master, wait_until
from tests.metrics.promtool import promtool
from tests.metrics.support import Page, scrape

REMOTE = {"Via": "1.1 proxy"}
"""Not by the local door."""


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    with patient_master(tmp_path_factory.mktemp("metrics") / "state") as running:
        yield running


def test_what_a_job_went_through_is_on_the_page(client: Client) -> None:
    before = scrape(client)
    corner = Corner(client)
    node, job = corner.start(priority="high")
    corner.submit()
    during = scrape(client)
    got(corner.report(job, metrics={"frames": 250, "speed": 1.5, "fps": 45.0}))
    after = scrape(client)

    def rise(name: str, **labels: str) -> float:
        return (after.value(name, **labels) or 0) - (before.value(name, **labels) or 0)

    scenario = "720p-h264"
    assert during.value("ffrtmp_jobs", status="running") == 1
    assert during.value("ffrtmp_queue_jobs", priority="medium") == 1
    assert (during.value("ffrtmp_queue_oldest_seconds", priority="medium") or 0) > 0
    assert rise("ffrtmp_jobs_submitted_total", scenario=scenario, priority="high") == 1
    assert rise("ffrtmp_job_claims_total", scenario=scenario, priority="high") == 1
    assert rise("ffrtmp_jobs_finished_total", scenario=scenario, status="completed") == 1
    assert rise("ffrtmp_encode_frames_total", scenario=scenario) == 250
    assert after.value("ffrtmp_encode_speed_ratio_sum", scenario=scenario, node=node["id"]) == 1.5
    posted = {"route": "/jobs", "method": "POST", "status": "2xx"}
    assert rise("ffrtmp_http_request_seconds_count", **posted) == 2
    assert rise("ffrtmp_journal_sync_seconds_count") >= 4
    assert rise("ffrtmp_store_lock_wait_seconds_count") >= 6
    assert rise("ffrtmp_store_lock_hold_seconds_sum") > 0


def test_promtool_has_nothing_against_the_page(client: Client) -> None:
    Corner(client).start()
    promtool("check", "metrics", stdin=client.get("/metrics").text)


def test_refusals_are_timed_by_their_status_and_strange_addresses_make_no_series(client: Client) -> None:
    client.get("/jobs/none")
    for path in ("/a/b", "/c/d", "/metrics/x"):
        client.get(path)
    page = scrape(client)
    assert page.value("ffrtmp_http_request_seconds_count", route="/jobs/<job_id>", method="GET", status="4xx")
    strange = page.value("ffrtmp_http_request_seconds_count", route="other", method="GET", status="4xx")
    assert (strange or 0) >= 3


def test_the_server_tells_of_its_threads_and_connections(client: Client, master: Master) -> None:
    def page() -> Page:
        return scrape(client)

    before = page()
    assert before.value("ffrtmp_http_threads") == 32
    assert before.value("ffrtmp_http_busy_requests") == 1
    connections = before.value("ffrtmp_http_connections") or 0
    with master.client() as other:
        got(other.get("/health"))
        assert page().value("ffrtmp_http_connections") == connections + 1
    wait_until(lambda: page().value("ffrtmp_http_connections") == connections, "the connection is gone")
    assert (before.value("process_resident_memory_bytes") or 0) > 10_000_000


def test_a_parked_poll_is_counted_while_it_waits(client: Client, master: Master) -> None:
    corner = Corner(client)
    node = corner.register()
    before = scrape(client).value("ffrtmp_parked_polls") or 0

    def poll() -> int:
        with master.client() as other:
            asked = {"node_id": node["id"], "wait": "20s"}
            return other.get("/jobs/next", params=asked).status_code

    with ThreadPoolExecutor() as pool:
        answer = pool.submit(poll)
        wait_until(lambda: scrape(client).value("ffrtmp_parked_polls") == before + 1, "the poll is parked")
        corner.submit()
        assert answer.result(30) == 200
    assert scrape(client).value("ffrtmp_parked_polls") == before


def test_openmetrics_is_answered_to_who_prefers_it(client: Client) -> None:
    answer = client.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text; version=1.0.0")
    names = {family.name for family in openmetrics(answer.text)}  # type: ignore[no-untyped-call]  # it has none
    assert {"ffrtmp_jobs_submitted", "ffrtmp_http_request_seconds", "ffrtmp_build"} <= names


@pytest.mark.parametrize(
    "accept", ["*/*", "", "text/html", "application/openmetrics-text; version=x.y", "; ,"]
)
def test_everybody_else_gets_prometheus_own_format(client: Client, accept: str) -> None:
    answer = client.get("/metrics", headers={"Accept": accept})
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"


def test_prometheus_comes_with_the_token_of_a_viewer(client: Client, master: Master) -> None:
    token = got(client.post("/tokens", json={"role": "viewer", "name": "prometheus"}), 201)["token"]
    with master.client(token) as prometheus, master.client() as nobody:
        assert prometheus.get("/metrics", headers=REMOTE).status_code == 200
        refused(nobody.get("/metrics", headers=REMOTE), problems.UNAUTHENTICATED)


def test_counters_begin_again_with_each_start_and_gauges_go_on(tmp_path: Path) -> None:
    first = start_master(tmp_path / "state")
    with first.client() as client:
        Corner(client).submit(priority="low")
    first.kill()
    second = start_master(tmp_path / "state")
    with second.client() as client:
        page = scrape(client)
    assert second.stop() == 0
    assert page.value("ffrtmp_queue_jobs", priority="low") == 1
    assert page.value("ffrtmp_events_total", event="job_submitted") == 0
    assert page.value("ffrtmp_events_total", event="master_started") == 1
    assert page.value("ffrtmp_history_events") == 3
