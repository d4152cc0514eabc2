"""A page of another web site reaches nothing, whoever looks at it."""

from __future__ import annotations

import pytest

from common import problems
from tests.api.corner import Corner, got, refused
from tests.masters import Client, Master

SIGNS = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"},
]


@pytest.mark.parametrize("signs", SIGNS, ids=[" ".join(signs.values()) for signs in SIGNS])
def test_it_may_neither_read_nor_change_anything(
    client: Client, corner: Corner, signs: dict[str, str]
) -> None:
    job = corner.submit()
    for path in ("/health", "/jobs", f"/jobs/{job['id']}"):
        refused(client.get(path, headers=signs), problems.CROSS_SITE)
    for path in ("/", "/ui/jobs", f"/ui/jobs/{job['id']}"):
        page = client.get(path, headers=signs)
        assert page.status_code == problems.CROSS_SITE.status
        assert job["id"] not in page.text
    refused(client.post("/jobs", json={"scenario": "720p-h264"}, headers=signs), problems.CROSS_SITE)
    refused(client.post(f"/jobs/{job['id']}/cancel", headers=signs), problems.CROSS_SITE)
    refused(client.delete("/nodes/some", headers=signs), problems.CROSS_SITE)
    assert corner.job(job["id"])["status"] == "pending"


def test_it_may_not_even_with_a_credential(master: Master) -> None:
    with master.client(master.token) as operator:
        refused(operator.get("/jobs", headers={"Origin": "https://evil.example"}), problems.CROSS_SITE)


def test_a_form_of_another_site_is_not_taken_for_json(client: Client) -> None:
    headers = {"Content-Type": "text/plain", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    answer = client.post("/jobs", data='{"scenario": "720p-h264"}', headers=headers)
    refused(answer, problems.CROSS_SITE)


def test_who_follows_a_link_of_another_site_sees_the_page_and_not_as_the_operator(client: Client) -> None:
    visit = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    answer = client.get("/", headers=visit)
    assert answer.status_code == 401
    assert "Sign in" in answer.text
    refused(client.get("/jobs", headers=visit), problems.UNAUTHENTICATED)


def test_no_answer_lets_another_site_read_it(client: Client) -> None:
    answer = client.options("/jobs", headers={"Access-Control-Request-Method": "POST"})
    for response in (answer, client.get("/jobs")):
        assert not [name for name in response.headers if name.lower().startswith("access-control")]


def test_the_masters_own_pages_and_programs_are_let_in(master: Master, client: Client) -> None:
    got(client.get("/jobs", headers={"Origin": master.url, "Sec-Fetch-Site": "same-origin"}))
    got(client.get("/jobs", headers={"Sec-Fetch-Site": "none"}))
    got(client.get("/jobs"))
