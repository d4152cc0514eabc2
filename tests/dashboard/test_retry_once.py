"""A row's button, or that of the marked rows, queues each job again once, however often its form is sent."""

from __future__ import annotations

import re

import pytest

from tests.api.corner import Corner, got
from tests.masters import Client

OURS = {"Sec-Fetch-Site": "same-origin"}


def waiting(client: Client) -> int:
    return int(got(client.get("/jobs?status=pending&limit=1"))["count"])


@pytest.mark.parametrize("by", ["its button", "marks"])
def test_a_double_click_queues_one_job_for_each(client: Client, corner: Corner, by: str) -> None:
    ended = []
    for _ in range(1 if by == "its button" else 2):
        _, claimed = corner.start()
        got(corner.report(claimed))
        ended.append(claimed["id"])
    found = re.search(r'name="key" value="(\w+)"', client.get("/ui/jobs").text.split('id="marks"')[1])
    assert found is not None
    what = {"one": f"retry:{ended[0]}"} if by == "its button" else {"do": "retry", "job_id": ended}
    before = waiting(client)
    for _ in range(2):
        answer = client.post(
            "/ui/jobs/change", data={**what, "key": found[1]}, headers=OURS, allow_redirects=False
        )
        assert answer.status_code == 303
    assert waiting(client) == before + len(ended)
