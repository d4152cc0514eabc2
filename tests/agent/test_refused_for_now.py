"""A master that cannot take a request now is asked again; what it refuses for good is not sent twice."""

from __future__ import annotations

import threading

import pytest

import agent.link
from agent.link import retry
from common.client import ApiError


class Master:
    """Refuses the first request, and answers the next."""

    def __init__(self, status: int) -> None:
        self.status = status
        self.asked = 0

    def answer(self) -> str:
        self.asked += 1
        if self.asked == 1:
            raise ApiError(self.status, {"detail": "no"})
        return "yes"


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(agent.link, "MIN_DELAY", 0.0)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
def test_it_is_asked_again(status: int) -> None:
    master = Master(status)
    assert retry(master.answer, "ask", threading.Event()) == "yes"
    assert master.asked == 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422])
def test_a_refusal_is_final(status: int) -> None:
    master = Master(status)
    with pytest.raises(ApiError):
        retry(master.answer, "ask", threading.Event())
    assert master.asked == 1
