"""With `--auth required` a person signs in with a token, and the browser's session is worth no more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from common import problems
from master.sessions import COOKIE
from tests.api.corner import got, refused
from tests.masters import Client, Master, start_master

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture(scope="module")
def locked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Master]:
    """A master without a local door."""
    running = start_master(tmp_path_factory.mktemp("locked") / "state", auth="required")
    yield running
    assert running.stop() == 0


@pytest.fixture
def browser(locked: Master) -> Iterator[Client]:
    """Keeps cookies, as a browser does."""
    with locked.client() as client:
        yield client


def sign_in(browser: Client, token: str, **headers: str) -> None:
    answer = browser.post("/sign-in", data={"token": token}, headers=OURS | headers, allow_redirects=False)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"] == "/"


def test_without_a_session_there_is_only_the_form(browser: Client) -> None:
    answer = browser.get("/")
    assert answer.status_code == 401
    assert 'action="/sign-in"' in answer.text
    refused(browser.get("/jobs"), problems.UNAUTHENTICATED)


def test_a_token_opens_the_pages_and_the_api(browser: Client, locked: Master) -> None:
    sign_in(browser, locked.token)
    assert "Sign out" in browser.get("/").text
    got(browser.get("/jobs", headers=OURS))
    got(browser.post("/jobs", json={"scenario": "720p-h264"}, headers=OURS), 201)


def test_the_cookie_is_for_this_site_over_tls_and_for_no_script(browser: Client, locked: Master) -> None:
    answer = browser.post("/sign-in", data={"token": locked.token}, headers=OURS, allow_redirects=False)
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    for part in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"):
        assert part in cookie
    assert "Domain" not in cookie
    assert locked.token not in cookie


@pytest.mark.parametrize("token", ["", "w" * 43, "ffrtmp1.00.wrong", "\N{SNOWMAN}"])
def test_a_wrong_token_opens_nothing(browser: Client, token: str) -> None:
    answer = browser.post("/sign-in", data={"token": token}, headers=OURS)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize(
    "headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}]
)
def test_another_site_can_neither_sign_in_nor_out_nor_use_the_session(
    browser: Client, locked: Master, headers: dict[str, str]
) -> None:
    sign_in(browser, locked.token)
    for path in ("/sign-in", "/sign-out"):
        answer = browser.post(path, data={"token": locked.token}, headers=headers)
        assert answer.status_code == problems.CROSS_SITE.status
        assert "Set-Cookie" not in answer.headers
    answer = browser.post("/jobs", json={"scenario": "720p-h264"}, headers=headers)
    assert answer.status_code in (401, 403)
    got(browser.get("/jobs", headers=OURS))


def test_signing_out_ends_the_session_and_not_only_the_cookie(browser: Client, locked: Master) -> None:
    sign_in(browser, locked.token)
    cookie = {"Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    answer = browser.post("/sign-out", headers=OURS, allow_redirects=False)
    assert answer.status_code == 303
    browser.cookies.clear()
    refused(browser.get("/jobs", headers=OURS | cookie), problems.UNAUTHENTICATED)


def test_a_made_up_session_is_none(browser: Client) -> None:
    for value in ("", "x" * 43, '"', ";;;=", "\\"):
        answer = browser.get("/jobs", headers=OURS | {"Cookie": f"{COOKIE}={value}"})
        refused(answer, problems.UNAUTHENTICATED)


@pytest.mark.parametrize("others", ['a={"x": 1}', "k@y=1", "no cookie at all", 'b="'])
def test_what_others_on_this_host_keep_in_the_browser_hides_no_session(
    browser: Client, locked: Master, others: str
) -> None:
    """A browser sends `localhost` the cookies of every program there, whatever its port."""
    sign_in(browser, locked.token)
    cookies = f"{others}; {COOKIE}={browser.cookies[COOKIE]}"
    browser.cookies.clear()
    got(browser.get("/jobs", headers=OURS | {"Cookie": cookies}))


def test_a_nodes_credential_is_not_for_people(browser: Client, locked: Master) -> None:
    credential = "the-credential-of-a-node-that-is-here"
    with locked.client(locked.token) as operator:
        got(operator.post("/nodes/register", json={"address": "one", "credential": credential}), 201)
    assert browser.post("/sign-in", data={"token": credential}, headers=OURS).status_code == 401


def test_a_form_that_is_too_large_is_refused(browser: Client) -> None:
    answer = browser.post("/sign-in", data={"token": "x" * 5000}, headers=OURS)
    refused(answer, problems.TOO_LARGE)


def test_what_is_on_the_page_is_text_and_never_markup(browser: Client, locked: Master) -> None:
    with locked.client(locked.token) as operator:
        got(operator.post("/nodes/register", json={"address": "<b onclick=x>"}), 201)
    sign_in(browser, locked.token)
    page = browser.get("/").text
    assert "&lt;b onclick=x&gt;" in page
    assert "<b onclick" not in page


def test_a_restart_ends_all_sessions(tmp_path: Path) -> None:
    master = start_master(tmp_path / "state", auth="required")
    with master.client() as browser:
        sign_in(browser, master.token)
        master.stop()
        again = start_master(tmp_path / "state", auth="required", port=master.port)
        try:
            refused(browser.get("/jobs", headers=OURS), problems.UNAUTHENTICATED)
        finally:
            again.stop()
