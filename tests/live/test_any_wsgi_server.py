"""Under a server that knows nothing of streams they are iterables that wait."""

from __future__ import annotations

import threading
from pathlib import Path

from common.sse import Parser
from master.app import create_app
from master.auth import Gate
from master.hosts import Hosts
from tests.core.support import FakeClock, finish, make_farm, must_claim, register, submit

SECRET = "s" * 43
HEADERS = {"Authorization": f"Bearer {SECRET}"}


def as_bytes(piece: object) -> bytes:
    assert isinstance(piece, bytes)
    return piece


def test_iterating_gives_the_events_as_they_happen(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    gate = Gate(farm.store, SECRET, farm.clock, local_door=False)
    client = create_app(farm, gate, Hosts({"localhost"})).test_client()
    pieces = iter(client.get("/events", headers=HEADERS).response)
    parser = Parser()
    assert list(parser.feed(as_bytes(next(pieces)))) == []
    timer = threading.Timer(0.05, submit, [farm])
    timer.start()
    (event,) = parser.feed(as_bytes(next(pieces)))
    timer.join()
    assert (event.name, event.id) == ("job_submitted", "1")
    assert farm.live.count == 1
    farm.live.close()
    assert list(pieces) == []
    assert farm.live.count == 0


def test_a_log_is_followed_to_its_end(tmp_path: Path) -> None:
    farm = make_farm(tmp_path, FakeClock())
    gate = Gate(farm.store, SECRET, farm.clock, local_door=False)
    client = create_app(farm, gate, Hosts({"localhost"})).test_client()
    job_id, node_id = submit(farm), register(farm)
    farm.logs.append(job_id, ["a line"])
    finish(farm, must_claim(farm, node_id))
    answer = client.get(f"/jobs/{job_id}/logs?follow=1", headers=HEADERS)
    events = list(Parser().feed(answer.get_data()))
    assert [(event.name, event.data) for event in events] == [
        ("line", '{"line":"a line"}'),
        ("end", '{"status":"completed"}'),
    ]
