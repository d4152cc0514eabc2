"""Pages and their forms serve the roles of the table; submitters see their own jobs, viewers no buttons."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from common.model import Role
from master.auth import ROUTES
from tests.api.corner import got
from tests.api.routes import is_page, routes
from tests.masters import Master, start_master

OURS = {"Sec-Fetch-Site": "same-origin"}
GUARDED = [name for name in ROUTES if is_page(name) and ROUTES[name] != frozenset(Role)]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    running = start_master(tmp_path_factory.mktemp("roles") / "state", auth="required")
    yield running
    assert running.stop() == 0


@pytest.fixture(scope="module")
def tokens(small: Master) -> dict[str, str]:
    with small.client(small.token) as operator:
        made = {
            str(role): got(operator.post("/tokens", json={"role": role, "name": f"a-{role}"}), 201)["token"]
            for role in (Role.SUBMITTER, Role.VIEWER)
        }
        other = got(operator.post("/tokens", json={"role": "submitter", "name": "other"}), 201)["token"]
        node = {"address": "a-node", "credential": "n" * 43}
        got(operator.post("/nodes/register", json=node), 201)
    return made | {"operator": small.token, "node": "n" * 43, "other": other}


@pytest.mark.parametrize("endpoint", GUARDED)
@pytest.mark.parametrize("role", [Role.OPERATOR, Role.SUBMITTER, Role.VIEWER, Role.NODE, Role.ANYONE])
def test_each_role_is_served_where_the_table_says_so(
    small: Master, tokens: dict[str, str], role: Role, endpoint: str
) -> None:
    method, path = routes()[endpoint]
    with small.client(tokens.get(role)) as client:
        answer = client.request(method, path.replace("{id}", "none"), headers=OURS, allow_redirects=False)
    is_table = endpoint == "dashboard.compare_csv" and role in ROUTES[endpoint]
    assert answer.headers["Content-Type"].startswith("text/csv" if is_table else "text/html")
    if role in ROUTES[endpoint]:
        assert answer.status_code not in (401, 403)
    else:
        assert answer.status_code == (401 if role is Role.ANYONE else 403)


PAGES = [route for name, route in routes().items() if is_page(name)]
FORMS = sorted(path.replace("{id}", "none") for method, path in PAGES if method == "POST")


@pytest.mark.parametrize("path", FORMS)
def test_no_other_site_can_send_a_form(small: Master, path: str) -> None:
    with small.client(small.token) as client:
        for headers in ({}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
            answer = client.post(path, data={"do": "pause"}, headers=headers)
            assert answer.status_code == 403
        assert got(client.get("/queue"))["paused"] is False


def test_a_submitter_sees_and_steers_its_own_jobs_only(small: Master, tokens: dict[str, str]) -> None:
    with small.client(tokens["submitter"]) as mine, small.client(tokens["other"]) as other:
        my_job = got(mine.post("/jobs", json={"scenario": "720p-h264"}), 201)["id"]
        others = got(other.post("/jobs", json={"scenario": "720p-h264"}), 201)["id"]
        for path in ("/ui/jobs", "/"):
            assert others not in mine.get(path).text
            assert "a-node" not in mine.get(path).text
        assert my_job in mine.get("/ui/jobs").text
        answer = mine.post("/ui/jobs/change", data={"one": f"cancel:{others}"}, headers=OURS)
        assert answer.status_code == 409
        assert "is not yours" in answer.text
        assert got(other.get(f"/jobs/{others}"))["status"] == "pending"


def test_a_viewer_sees_all_and_is_offered_nothing_that_it_may_not_do(
    small: Master, tokens: dict[str, str]
) -> None:
    with small.client(tokens["viewer"]) as viewer:
        for path in ("/", "/ui/jobs"):
            answer = viewer.get(path)
            assert answer.ok
            assert set(re.findall(r'action="([^"]+)"', answer.text)) == set()


def test_what_is_asked_wrongly_is_a_page_that_says_so(small: Master) -> None:
    with small.client(small.token) as client:
        for query in ("after=x", "status=lost", "what=1", "count=0"):
            answer = client.get(f"/ui/jobs?{query}")
            assert answer.status_code == 400
            assert query.partition("=")[0] in answer.text
        answer = client.post(
            "/ui/queue", data={"do": "pause", "back": "//evil.example/"}, headers=OURS, allow_redirects=False
        )
        assert answer.status_code == 400
        assert got(client.get("/queue"))["paused"] is False


def test_an_asset_is_kept_for_good_and_changes_its_name_with_its_content(small: Master) -> None:
    with small.client() as anyone:
        (style,) = re.findall(r'href="(/ui/assets/style[^"]+)"', anyone.get("/").text)
        answer = anyone.get(style)
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert answer.headers["Content-Type"].startswith("text/css")
        for name in ("style.css", "..%2fpage.py", "package.json"):
            assert anyone.get(f"/ui/assets/{name}").status_code == 404
