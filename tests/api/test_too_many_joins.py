"""Strangers that register without end are told to wait; nodes that are known go on."""

from __future__ import annotations

import uuid
from pathlib import Path

from common import problems
from tests.api.corner import got, refused
from tests.masters import start_master

STRANGER = {"Via": "1.1 proxy"}


def test_after_a_burst_from_one_address_there_is_a_pause(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state")
    try:
        with master.client() as client:
            mine = {"address": "mine", "id": str(uuid.uuid4()), "credential": "c" * 40}
            got(client.post("/nodes/register", json=mine), 201)
            one = {"address": "far", "id": str(uuid.uuid4()), "credential": "f" * 40}
            for _ in range(400):
                answer = client.post("/nodes/register", json=one, headers=STRANGER)
                if answer.status_code != 201:
                    break
            body = refused(answer, problems.TOO_MANY)
            assert answer.headers["Retry-After"] == str(body["retry_after"])
            assert 1 <= body["retry_after"] <= 2
            got(client.post("/nodes/register", json=mine), 201)
        with master.client("c" * 40) as node:
            got(node.post(f"/nodes/{mine['id']}/heartbeat"))
    finally:
        assert master.stop() == 0
