"""At least 60 attacks are tried, each of its own name."""

from __future__ import annotations

from tests.agent.attacks import test_hostile_paths, test_hostile_servers
from tests.agent.attacks.files import FILES
from tests.agent.attacks.requests import REQUESTS


def test_there_are_60_and_more() -> None:
    names = [
        *(f"request: {request.name}" for request in REQUESTS),
        *(f"path: {trap.name}" for trap in test_hostile_paths.TRAPS),
        *(f"file: {file.name}" for file in FILES),
        *(f"address: {name}" for name in test_hostile_servers.PRIVATE),
        *(f"redirect: {name}" for name in test_hostile_servers.REDIRECTS),
        *(f"answer: {name}" for name in test_hostile_servers.ANSWERS),
    ]
    assert len(names) == len(set(names))
    assert len(names) >= 60
