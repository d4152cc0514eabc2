"""A real Prometheus scrapes a real master with our example of a configuration, and answers each question."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import requests

from tests.api.corner import Corner, got
from tests.masters import free_port, start_master, wait_until
from tests.metrics.deployed import ALERTS, PROMETHEUS, expressions
from tests.metrics.promtool import tool


def test_prometheus_scrapes_a_master_and_answers_what_the_dashboard_asks(tmp_path: Path) -> None:
    program, port = tool("prometheus"), free_port()
    master = start_master(tmp_path / "state")
    with master.client() as client:
        made = got(client.post("/tokens", json={"role": "viewer", "name": "prometheus"}), 201)
        corner = Corner(client)
        _, job = corner.start()
        corner.report(job, metrics={"speed": 2.0, "fps": 60.0, "frames": 600})
    (tmp_path / "ffrtmp.token").write_text(made["token"])
    (tmp_path / "ffrtmp-ca.pem").write_bytes(master.ca.read_bytes())
    (tmp_path / "alerts.yml").write_text(ALERTS.read_text())
    example = (PROMETHEUS / "prometheus.yml").read_text()
    example = example.replace("master.example.com:8080", f"localhost:{master.port}").replace("15s", "1s")
    (tmp_path / "prometheus.yml").write_text(example)
    url = f"http://127.0.0.1:{port}/api/v1"
    command = [
        str(program),
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--web.listen-address=127.0.0.1:{port}",
        f"--storage.tsdb.path={tmp_path / 'tsdb'}",
    ]
    with (tmp_path / "prometheus.log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)

    def ask(question: str) -> Any:
        try:
            answer = requests.get(f"{url}/query", params={"query": question}, timeout=10)
        except requests.ConnectionError:
            return None
        return answer.json()["data"]["result"] if answer.ok else None

    try:
        up = 'up{job="ffrtmp-master"} == 1'
        wait_until(lambda: ask(up), "the master is scraped", 30)
        assert ask('ffrtmp_encode_frames_total{scenario="720p-h264"}')[0]["value"][1] == "600"
        for where, question in expressions():
            assert ask(question) is not None, where
    finally:
        process.terminate()
        process.wait(20)
        assert master.stop() == 0
